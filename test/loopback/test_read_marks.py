"""How far the user has read: kept by the program, so that every page and the next start know it."""

from __future__ import annotations

from typing import Any

from loopback_http import ask, check_problem
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, message
from loopback_stream import EventReader

from cryptochat_lib.store import reads

Data = dict[str, Any]


def heard(ada: LoopbackNode, friend: HandmadePeer, *texts: str) -> list[str]:
    """The friend says these in the tea room; the ids under which they are stored."""
    with friend.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": [message(text) for text in texts]}).status == 200
    stored = ada.get("/api/rooms/tea/messages")["messages"][-len(texts) :]
    assert [one["content"] for one in stored] == list(texts)
    return [one["id"] for one in stored]


def mark(node: LoopbackNode, room: str = "tea") -> Data:
    found: list[Data] = node.get("/api/read")["rooms"]
    return next({"read": one["read"], "unread": one["unread"]} for one in found if one["room"] == room)


def read_to(node: LoopbackNode, number: str, room: str = "tea") -> None:
    assert ask(node, "PUT", f"/api/rooms/{room}/read", json_body={"id": number}).status == 204


def test_what_others_say_is_unread_until_it_is_read(ada: LoopbackNode, friend: HandmadePeer) -> None:
    assert mark(ada) == {"read": None, "unread": 0}
    ids = heard(ada, friend, "one", "two", "three")
    own = ada.send("tea", "of my own")["id"]
    assert mark(ada) == {"read": None, "unread": 3}
    read_to(ada, ids[1])
    assert mark(ada) == {"read": ids[1], "unread": 1}
    read_to(ada, ids[0])  # a page that lags behind
    assert mark(ada) == {"read": ids[1], "unread": 1}
    read_to(ada, own)
    assert mark(ada) == {"read": own, "unread": 0}
    ada.restart()
    assert mark(ada) == {"read": own, "unread": 0}
    said = [ada.send("tea", text)["id"] for text in ("and", "on")]
    assert mark(ada) == {"read": said[-1], "unread": 0}, "what one says oneself is read"
    heard(ada, friend, "four")
    assert mark(ada) == {"read": said[-1], "unread": 1}


def test_nothing_is_read_in_advance_nor_in_another_room(ada: LoopbackNode, friend: HandmadePeer) -> None:
    first = heard(ada, friend, "one")[0]
    read_to(ada, str(2**61))
    assert mark(ada) == {"read": first, "unread": 0}
    heard(ada, friend, "two")
    assert mark(ada)["unread"] == 1
    ada.join("kitchen")
    read_to(ada, str(2**61), "kitchen")  # where nothing is to be read
    assert mark(ada, "kitchen") == {"read": None, "unread": 0}


def test_every_page_hears_of_it_once(ada: LoopbackNode, friend: HandmadePeer) -> None:
    ids = heard(ada, friend, "one", "two")
    with EventReader(ada) as page:
        read_to(ada, ids[0])
        read_to(ada, ids[0])
        read_to(ada, ids[1])
        events = page.until(lambda event: event.data.get("unread") == 0)
    said = [event.data for event in events if event.kind == "read"]
    assert said == [
        {"room": "tea", "read": ids[0], "unread": 1},
        {"room": "tea", "read": ids[1], "unread": 0},
    ]


def test_nobody_else_learns_what_was_read_or_searched(ada: LoopbackNode, friend: HandmadePeer) -> None:
    first = heard(ada, friend, "one")[0]
    read_to(ada, first)
    ada.get("/api/search?q=one")
    ada.send("tea", "the next thing that they hear of us")
    friend.requests.wait_for(lambda request: "the next thing" in str(request.json))
    told = [request.path for request in friend.requests.items]
    assert set(told) <= {"/v1/messages", "/v1/presence"}
    assert "read" not in " ".join(str(request.json) for request in friend.requests.items)


def test_an_erased_room_has_no_mark_and_others_keep_theirs(ada: LoopbackNode, friend: HandmadePeer) -> None:
    read_to(ada, heard(ada, friend, "one")[0])
    ada.join("kitchen")
    kept = ada.send("kitchen", "of my own")["id"]
    read_to(ada, kept, "kitchen")
    assert ask(ada, "DELETE", "/api/rooms/tea/messages").status == 204
    assert mark(ada) == {"read": None, "unread": 0}
    assert mark(ada, "kitchen")["read"] == kept


def test_a_count_ends_where_a_person_stops_counting(ada: LoopbackNode, friend: HandmadePeer) -> None:
    texts = [f"number {n}" for n in range(reads.MOST_COUNTED + 50)]
    for at in range(0, len(texts), 50):
        with friend.connect(ada) as connection:
            part = [message(text) for text in texts[at : at + 50]]
            assert connection.post("/v1/messages", {"messages": part}).status == 200
    assert mark(ada)["unread"] == reads.MOST_COUNTED


def test_what_is_no_id_marks_nothing(ada: LoopbackNode) -> None:
    for body in ({}, {"id": 7}, {"id": "-1"}, {"id": "x"}, {"id": "1", "room": "tea"}, {"id": "9" * 30}):
        check_problem(ask(ada, "PUT", "/api/rooms/tea/read", json_body=body), 400, "malformed")


def test_a_page_of_the_history_around_one_message(ada: LoopbackNode) -> None:
    ada.join("tea")
    ids = [ada.send("tea", f"number {n}")["id"] for n in range(20)]

    def around(at: int, limit: int) -> list[str]:
        query = f"around={ids[at]}&limit={limit}"
        return [one["id"] for one in ada.get(f"/api/rooms/tea/messages?{query}")["messages"]]

    assert around(10, 5) == ids[8:13]
    assert around(10, 4) == ids[9:13]
    assert around(10, 1) == [ids[10]]
    assert around(0, 10) == ids[:6]
    assert around(19, 10) == ids[15:]
    both = f"around={ids[3]}&after={ids[3]}"
    check_problem(ask(ada, "GET", f"/api/rooms/tea/messages?{both}"), 400, "malformed")
