"""Drawings between two programs: sent, kept, found, copied on, and gone for good."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from loopback_http import ask
from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer, Request, message, trust
from traces import left

StartNode = Callable[..., LoopbackNode]
Data = dict[str, Any]

LINE: Data = {"points": [10, 20, 5, -5, -15, 0], "width": 4, "colour": "#a63d22", "time": [0, 350]}
LETTERS: Data = {
    "points": [400, 300],
    "width": 48,
    "colour": "#000000",
    "time": [900, 0],
    "text": "zqMarjoram",
}


def draw(node: LoopbackNode, drawing: Data, content: str = "") -> Data:
    body = {"content": content, "kind": "drawing", "drawing": drawing}
    sent: Data = node.post("/api/rooms/tea/message", body)
    return sent


def pages(node: LoopbackNode, query: str = "") -> list[Data]:
    found: list[Data] = node.get(f"/api/rooms/tea/messages?{query}")["messages"]
    return found


def came(peer: HandmadePeer, path: str) -> Request:
    """The first request to `path`."""
    return peer.requests.wait_for(lambda request: request.path == path)


def by(fingerprint_sha256: str, name: str, *strokes: Data) -> Data:
    """A drawing whose strokes are said to be of somebody else than its sender."""
    return {
        "strokes": [{**stroke, "author": 0} for stroke in strokes],
        "authors": [{"fingerprint_sha256": fingerprint_sha256, "username": name}],
    }


def test_what_one_draws_another_sees_stroke_by_stroke(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    bob.listen()
    drawing = {"strokes": [{**LINE, "pressure": [0, 5, 9]}, LETTERS]}
    sent = draw(ada, drawing, "a house with a herb garden")
    assert (sent["kind"], sent["content"], sent["drawing"]) == (
        "drawing",
        "a house with a herb garden",
        drawing,
    )
    event = bob.wait_message("a house with a herb garden")
    assert (event["kind"], event["drawing"], event["own"]) == ("drawing", drawing, False)
    ada.wait_delivery(sent, bob.uuid, "delivered")
    text = ada.send("tea", "nice?")
    assert "drawing" not in text
    drawn, said = pages(ada)
    assert drawn == {**sent, "deliveries": drawn["deliveries"]}
    assert said == {**text, "deliveries": said["deliveries"]}
    assert [one["id"] for one in pages(ada, "kind=drawing")] == [sent["id"]]
    found = ada.get("/api/search?q=herb")["messages"]
    assert [one["drawing"] for one in found] == [drawing]
    exported = ada.request("GET", "/api/rooms/tea/messages.jsonl").body.splitlines()
    assert json.loads(exported[0])["drawing"] == drawing
    bob.restart()
    assert pages(bob)[0]["drawing"] == drawing


def test_without_words_it_is_described_so_that_it_is_found_and_heard(ada: LoopbackNode) -> None:
    ada.join("tea")
    assert draw(ada, {"strokes": [LINE, LETTERS]})["content"] == (
        "A drawing: 1 stroke in 2 colours with the letters “zqMarjoram”"
    )
    assert len(ada.get("/api/search?q=zqmarjoram")["messages"]) == 1


def test_a_peer_that_knows_only_the_seed_gets_the_words(ada: LoopbackNode, make_peer: Any) -> None:
    old = make_peer()
    trust(ada, old, version=0)
    draw(ada, {"strokes": [LINE]}, "a line")
    assert came(old, "/rooms/tea/message").json == {"username": "Ada", "content": "a line"}


def test_a_copied_stroke_is_known_only_if_it_came_under_that_very_key(
    ada: LoopbackNode, friend: HandmadePeer, make_peer: Callable[..., HandmadePeer]
) -> None:
    other = make_peer()
    trust(ada, other)
    theirs = message("theirs", kind="drawing", drawing={"strokes": [LINE, LETTERS]})
    with friend.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": [theirs]}).status == 200
    another = {**LINE, "width": 9}
    copied = by(friend.fingerprint_sha256, "Mallory", LINE, LETTERS, another)
    lying = by(other.fingerprint_sha256, "Other", LINE)
    sent = [message(name, kind="drawing", drawing=one) for name, one in (("copy", copied), ("lie", lying))]
    sent[1]["drawing"]["strokes"][0]["known"] = True
    with other.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": sent}).status == 200
    shown = {one["content"]: one["drawing"]["strokes"] for one in pages(ada)}
    assert [stroke.get("known") for stroke in shown["copy"]] == [True, True, None]
    assert [stroke.get("known") for stroke in shown["lie"]] == [None]


def test_ones_own_strokes_are_known_when_they_come_back(ada: LoopbackNode, friend: HandmadePeer) -> None:
    draw(ada, {"strokes": [LINE]}, "mine")
    ours = ada.get("/api/info")["fingerprint_sha256"]
    back = message("back", kind="drawing", drawing=by(ours, "Ada", LINE, LETTERS))
    with friend.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": [back]}).status == 200
    assert [stroke.get("known") for stroke in pages(ada)[-1]["drawing"]["strokes"]] == [True, None]


def test_what_we_know_of_authors_stays_with_us(ada: LoopbackNode, friend: HandmadePeer) -> None:
    theirs = message("theirs", kind="drawing", drawing={"strokes": [LINE]})
    with friend.connect(ada) as connection:
        assert connection.post("/v1/messages", {"messages": [theirs]}).status == 200
    sent = draw(ada, by(friend.fingerprint_sha256, "Mallory", LINE), "passed on")
    assert sent["drawing"]["strokes"][0]["known"] is True
    passed_on = came(friend, "/v1/messages").json["messages"][0]
    assert passed_on["drawing"] == by(friend.fingerprint_sha256, "Mallory", LINE)


def test_a_drawing_that_is_none_is_refused_and_the_others_are_kept(
    ada: LoopbackNode, friend: HandmadePeer
) -> None:
    broken = message("broken", kind="drawing", drawing={"strokes": [{**LINE, "colour": "url(//x)"}]})
    large = message("large", kind="drawing", drawing={"strokes": [{**LINE, "points": [1, 1] * 20_001}]})
    other = message("of a kind that nobody knows", kind="song", drawing="la la")
    with friend.connect(ada) as connection:
        reply = connection.post(
            "/v1/messages", {"messages": [broken, large, message("bare", kind="drawing"), other]}
        )
    assert [one["status"] for one in reply.json["results"]] == [400, 413, 400, 200]
    assert [(one["content"], one["kind"]) for one in pages(ada)] == [("of a kind that nobody knows", "text")]


def test_what_the_page_may_not_send(ada: LoopbackNode) -> None:
    ada.join("tea")
    path, many = "/api/rooms/tea/message", {**LINE, "points": [1, 1] * 20_001}
    for body, status in (
        ({"content": "x", "drawing": {"strokes": [LINE]}}, 400),
        ({"content": "x", "kind": "text", "drawing": {"strokes": [LINE]}}, 400),
        ({"content": "x", "kind": "song"}, 400),
        ({"content": "x", "kind": 7}, 400),
        ({"content": "x", "kind": "drawing"}, 400),
        ({"content": "x", "kind": "drawing", "drawing": {"strokes": []}}, 400),
        (
            {"content": "", "kind": "drawing", "drawing": {"strokes": [many]}},
            413,
        ),
    ):
        assert ask(ada, "POST", path, json_body=body).status == status, body
    assert ask(ada, "GET", "/api/rooms/tea/messages?kind=text").status == 400
    assert pages(ada) == []


def test_once_erased_nothing_of_a_drawing_is_left_on_the_disk(ada: LoopbackNode) -> None:
    ada.join("tea")
    odd = {**LINE, "points": [987, 612, -7, -3]}
    draw(ada, {"strokes": [odd, LETTERS]}, "zqThyme")
    traces = ["987,612,-7,-3", "zqMarjoram", "zqThyme"]
    assert left(ada.options.db, traces)
    ada.delete("/api/rooms/tea/messages")
    assert left(ada.options.db, traces) == set()
    count = ada.app.store.database.read().execute("SELECT count(*) FROM strokes")
    assert count.fetchone()[0] == 0
