"""Every route of the UI server, through a real one: what it answers, and each way to get it wrong."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from loopback_http import RawReply, ask, check_headers, check_problem, exchange
from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer, know, trust
from waiting import wait_until

from cryptochat_lib.routing import Route

StartNode = Callable[..., LoopbackNode]
NOBODY = "00000000-0000-4000-8000-000000000000"

ROUTES = [
    "POST /api/session",
    "POST /api/open",
    "GET /api/info",
    "PUT /api/info",
    "GET /api/users",
    f"DELETE /api/users/{NOBODY}",
    f"POST /api/users/{NOBODY}/look",
    f"POST /api/users/{NOBODY}/verify",
    f"DELETE /api/users/{NOBODY}/verify",
    f"POST /api/users/{NOBODY}/comparison",
    f"DELETE /api/users/{NOBODY}/comparison",
    "GET /api/code",
    "GET /api/contacts",
    "POST /api/contacts",
    "DELETE /api/contacts/1",
    "GET /rooms",
    "GET /api/rooms",
    "POST /api/rooms/tea",
    "DELETE /api/rooms/tea",
    "POST /api/rooms/tea/message",
    "GET /api/rooms/tea/messages",
    "DELETE /api/rooms/tea/messages",
    "GET /api/rooms/tea/messages.jsonl",
    "GET /api/read",
    "PUT /api/rooms/tea/read",
    "GET /api/search",
    "GET /api/doctor",
    "GET /api/events",
]
WITH_BODY = [
    "POST /api/session",
    "PUT /api/info",
    "POST /api/contacts",
    "POST /api/rooms/tea/message",
    "PUT /api/rooms/tea/read",
    f"POST /api/users/{NOBODY}/verify",
    f"DELETE /api/users/{NOBODY}/verify",
]


def test_the_routes_here_are_all_there_are(shared: LoopbackNode) -> None:
    def pattern(route: Route) -> str:
        return f"{route.method} {route.pattern}".format(uuid=NOBODY, room="tea", id=1)

    assert sorted(map(pattern, shared.app.ui_api.routes)) == sorted(ROUTES)


def ask_for(node: LoopbackNode, route: str, fields: Sequence[str] = (), **more: Any) -> RawReply:
    method, target = route.split()
    return ask(node, method, target, fields, **more)


# The token


@pytest.mark.parametrize("route", [route for route in ROUTES if route != "POST /api/session"])
@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer ",
        "Bearer wrong",
        "Basic {token}",
        "{token}",
        "bearer {token}",
        "Bearer {token}é",
        "Bearer {token} {token}",
    ],
)
def test_without_the_token_nothing_is_answered(shared: LoopbackNode, route: str, authorization: str) -> None:
    fields = [f"Authorization: {authorization.format(token=shared.token)}"] if authorization else []
    reply = ask_for(shared, route, fields, token=False)
    check_problem(reply, 401, "unauthorized")
    assert reply.fields["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_or_a_cookie_is_none(shared: LoopbackNode) -> None:
    target = f"/api/info?token={shared.token}"
    check_problem(
        ask(shared, "GET", target, [f"Cookie: token={shared.token}"], token=False), 401, "unauthorized"
    )


def test_the_token_is_new_at_every_start(ada: LoopbackNode) -> None:
    old = ada.token
    ada.restart()
    check_problem(ask(ada, "GET", "/api/info", [f"Authorization: Bearer {old}"]), 401, "unauthorized")


def test_the_code_of_the_browser_s_link_is_exchanged_once(ada: LoopbackNode) -> None:
    file = ada.app.session.write_redirect(f"http://127.0.0.1:{ada.ui_port}/")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code = file.read_text().partition("#open=")[2].partition('"')[0]
    assert ada.token not in file.read_text()
    check_problem(
        ask(ada, "POST", "/api/session", token=False, json_body={"code": code + "x"}), 403, "forbidden"
    )
    reply = ask(ada, "POST", "/api/session", token=False, json_body={"code": code})
    assert (reply.status, reply.json) == (200, {"token": ada.token})
    check_headers(reply)
    assert not file.exists()
    check_problem(ask(ada, "POST", "/api/session", token=False, json_body={"code": code}), 403, "forbidden")


def test_a_code_that_is_too_old_is_worth_nothing(start_node: StartNode) -> None:
    ada = start_node("Ada", open_code_seconds=0.0)
    file = ada.app.session.write_redirect(f"http://127.0.0.1:{ada.ui_port}/")
    code = file.read_text().partition("#open=")[2].partition('"')[0]
    check_problem(ask(ada, "POST", "/api/session", token=False, json_body={"code": code}), 403, "forbidden")


@pytest.mark.parametrize("body", [{}, {"code": 1}, {"code": None}, {"code": "é"}, {"code": "a", "more": 1}])
def test_a_code_is_never_guessed_into_an_error(shared: LoopbackNode, body: dict[str, Any]) -> None:
    reply = ask(shared, "POST", "/api/session", token=False, json_body=body)
    assert reply.status in (400, 403)
    check_problem(reply, reply.status, {400: "malformed", 403: "forbidden"}[reply.status])


# What is wrong with a request, whatever it is for


@pytest.mark.parametrize("route", WITH_BODY)
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"{} {}",
        b'{"\\ud800": 1}',
        b'{"username": "\\ud800", "content": "\\ud800", "code": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": 1, "a": 2}',
        b"\xef\xbb\xbf{}",
        b"9" * 10_000,
        b" ",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_not_one_json_object_is_malformed(
    shared: LoopbackNode, route: str, body: bytes
) -> None:
    check_problem(ask_for(shared, route, body=body), 400, "malformed")


@pytest.mark.parametrize("route", WITH_BODY)
def test_an_unknown_field_is_malformed(shared: LoopbackNode, route: str) -> None:
    known = {
        "/api/session": {"code": "a"},
        "/api/info": {"username": "a"},
        "/api/rooms/tea/message": {"content": "a"},
    }
    fields = {**known.get(route.split()[1], {}), "surprise": 1}
    check_problem(ask_for(shared, route, json_body=fields), 400, "malformed")


@pytest.mark.parametrize("route", ["POST /api/session", "PUT /api/info", "POST /api/rooms/tea/message"])
def test_an_empty_body_is_malformed_where_one_is_needed(shared: LoopbackNode, route: str) -> None:
    check_problem(ask_for(shared, route), 400, "malformed")


@pytest.mark.parametrize("route", sorted({route.split()[1] for route in ROUTES}))
def test_a_wrong_method_is_told_the_right_ones(shared: LoopbackNode, route: str) -> None:
    for method in ("PATCH", "TRACE", "CONNECT", "HEAD", "POST", "PUT", "DELETE"):
        if f"{method} {route}" in ROUTES:
            continue
        reply = ask(shared, method, route)
        assert reply.status == 405, (method, reply)
        check_headers(reply)
        allowed = {one.split()[0] for one in ROUTES if one.split()[1] == route}
        assert set(reply.fields["allow"].split(", ")) == allowed
        if method != "HEAD":  # whose reply has no body
            check_problem(reply, 405, "method-not-allowed")


@pytest.mark.parametrize(
    "target",
    [
        "/api",
        "/api/",
        "/api/info/",
        "/api//info",
        "/API/info",
        "/api/rooms/a/b/c",
        "/api/info%2f",
        "/rooms/tea",
    ],
)
def test_an_unknown_address_is_not_found(shared: LoopbackNode, target: str) -> None:
    check_problem(ask(shared, "GET", target), 404, "not-found")


# Ourselves


def test_info_says_who_we_are(ada: LoopbackNode) -> None:
    reply = ask(ada, "GET", "/api/info")
    assert (reply.status, reply.fields["content-type"]) == (200, "application/json")
    assert set(reply.json) == {"uuid", "fingerprint", "fingerprint_sha256", "username", "clone"}
    assert reply.json["clone"] is None
    assert reply.json["username"] == "Ada"
    assert len(reply.json["fingerprint"]) == 40
    assert len(reply.json["fingerprint_sha256"]) == 64
    assert ada.uuid[14] == "8"


def test_a_new_name_is_kept_and_announced(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    reply = ask(ada, "PUT", "/api/info", json_body={"username": "  Countess 👑 "})
    assert reply.status == 200
    assert reply.json == {**ada.get("/api/info"), "username": "Countess 👑"}
    wait_until(lambda: (bob.user(ada.uuid) or {}).get("username") == "Countess 👑")
    assert (bob.user(ada.uuid) or {})["username_verified"] is False


@pytest.mark.parametrize(
    "name", ["", " ", "a" * 65, "a\nb", "a\0b", "\x7f", "a\u2028b", "a\u202eb", 1, None, ["a"], {}]
)
def test_a_name_that_cannot_be_shown_is_refused(shared: LoopbackNode, name: object) -> None:
    before = shared.get("/api/info")
    check_problem(ask(shared, "PUT", "/api/info", json_body={"username": name}), 400, "malformed")
    assert shared.get("/api/info") == before


def test_a_name_of_64_characters_is_taken(ada: LoopbackNode) -> None:
    assert ask(ada, "PUT", "/api/info", json_body={"username": "é" * 64}).json["username"] == "é" * 64


# Rooms


def test_joining_and_leaving_twice_is_no_error(ada: LoopbackNode) -> None:
    for _ in range(2):
        reply = ask(ada, "POST", "/api/rooms/tea")
        assert (reply.status, reply.body) == (204, b"")
        check_headers(reply)
    [room] = ada.get("/api/rooms")["rooms"]
    assert room == {
        "name": "tea",
        "joined": True,
        "members": [
            {
                "uuid": ada.uuid,
                "username": "Ada",
                "address": None,
                "status": "verified",
                "online": True,
                "self": True,
            }
        ],
    }
    for _ in range(2):
        assert ask(ada, "DELETE", "/api/rooms/tea").status == 204
    assert ada.get("/api/rooms") == {"rooms": []}


def test_rooms_are_sorted_and_the_seed_s_address_lists_the_same(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    for room in ("zebra", "ant", "Zoo"):
        ada.join(room)
    mallory.announce("bee", name="Mal")
    ada.wait_member("bee", mallory.uuid, username="Mal", address=str(mallory.endpoint), status="unverified")
    rooms = ada.get("/api/rooms")["rooms"]
    assert [room["name"] for room in rooms] == ["Zoo", "ant", "bee", "zebra"]
    assert [room["joined"] for room in rooms] == [True, True, False, True]
    assert ada.get("/rooms") == ada.get("/api/rooms")


@pytest.mark.parametrize(
    "room", ["a b", "a/b", "Größe", "茶", "🍵", "..", ".", "%", "a?b#c", "message", "\u202e"]
)
def test_a_room_may_have_any_printable_name(shared: LoopbackNode, room: str) -> None:
    shared.join(room)
    shared.send(room, "hello")
    assert [message["room"] for message in shared.history(room)] == [room]
    shared.leave(room)


@pytest.mark.parametrize("segment", ["", "a" * 101, "%00", "a%0Ab", "%7F", "%C3%A9" * 51, "%ED%A0%80", "%FF"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_room_that_can_have_no_name_is_refused(shared: LoopbackNode, method: str, segment: str) -> None:
    check_problem(ask(shared, method, f"/api/rooms/{segment}"), 400, "malformed")


def test_a_room_of_100_bytes_is_joined(shared: LoopbackNode) -> None:
    shared.join("é" * 50)
    assert shared.room("é" * 50)


def test_two_forms_of_one_name_are_one_room(shared: LoopbackNode) -> None:
    shared.join("caf\u00e9")
    shared.join("cafe\u0301")
    names = [room["name"] for room in shared.get("/api/rooms")["rooms"]]
    assert [name for name in names if name.startswith("caf")] == ["caf\u00e9"]


def test_the_seventeenth_room_does_not_fit_the_announcement(ada: LoopbackNode) -> None:
    for number in range(ada.limits.joined_rooms):
        ada.join(f"room {number}")
    check_problem(ask(ada, "POST", "/api/rooms/one-more"), 409, "too-many-rooms")
    ada.join("room 3")
    ada.leave("room 3")
    ada.join("one-more")


def test_rooms_too_long_for_one_packet_do_not_fit_the_announcement(ada: LoopbackNode) -> None:
    joined = 0
    while ask(ada, "POST", f"/api/rooms/{joined:0>100}").status == 204:
        joined += 1
    assert 5 < joined < ada.limits.joined_rooms
    check_problem(ask(ada, "POST", f"/api/rooms/{joined:0>100}"), 409, "too-many-rooms")


def test_rooms_and_name_survive_a_restart(ada: LoopbackNode) -> None:
    uuid, fingerprint = ada.uuid, ada.fingerprint_sha256
    ada.join("tea")
    ada.send("tea", "before")
    ada.restart()
    assert (ada.uuid, ada.fingerprint_sha256) == (uuid, fingerprint)
    assert (ada.room("tea") or {})["joined"]
    assert [message["content"] for message in ada.history("tea")] == ["before"]


# Messages


def test_a_message_has_the_same_shape_wherever_it_is_seen(ada: LoopbackNode) -> None:
    ada.join("tea")
    reply = ask(ada, "POST", "/api/rooms/tea/message", json_body={"content": "hello"})
    assert reply.status == 202
    assert set(reply.json) == {
        "id",
        "room",
        "content",
        "sender",
        "time",
        "sent",
        "kind",
        "own",
        "method",
        "deliveries",
    }
    assert reply.json["sender"] == {"uuid": ada.uuid, "username": "Ada"}
    assert (reply.json["kind"], reply.json["own"], reply.json["deliveries"]) == ("text", True, [])
    assert reply.json["time"].endswith("Z")
    assert len(reply.json["time"]) == len("1970-01-01T00:00:00.000Z")
    assert ada.wait_message("hello") == ada.history("tea")[0] == reply.json


def test_a_name_may_be_for_one_message_alone(ada: LoopbackNode) -> None:
    ada.join("tea")
    body = {"content": "boo", "username": "A ghost"}
    assert ask(ada, "POST", "/api/rooms/tea/message", json_body=body).json["sender"]["username"] == "A ghost"
    assert ada.send("tea", "it was me")["sender"]["username"] == "Ada"


def test_sending_to_a_room_that_is_not_joined_is_a_conflict(shared: LoopbackNode) -> None:
    reply = ask(shared, "POST", "/api/rooms/never/message", json_body={"content": "hello"})
    check_problem(reply, 409, "not-joined")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": ""},
        {"content": 1},
        {"content": None},
        {"content": ["a"]},
        {"content": {"a": 1}},
        {"content": True},
        {"username": "a"},
        {"content": "a", "username": ""},
        {"content": "a", "username": 1},
        {"content": "a", "username": None},
        {"content": "a", "username": "a" * 65},
        {"content": "a", "id": "1"},
    ],
)
def test_a_message_of_wrong_types_is_malformed(shared: LoopbackNode, body: dict[str, Any]) -> None:
    shared.join("quiet")
    check_problem(ask(shared, "POST", "/api/rooms/quiet/message", json_body=body), 400, "malformed")
    assert shared.history("quiet") == []


def test_content_is_measured_in_bytes_of_utf_8_from_both_sides(ada: LoopbackNode) -> None:
    ada.join("tea")
    most = "é" * (ada.limits.content_bytes // 2)
    assert ask(ada, "POST", "/api/rooms/tea/message", json_body={"content": most}).status == 202
    too_much = {"content": most + "a"}
    check_problem(ask(ada, "POST", "/api/rooms/tea/message", json_body=too_much), 413, "too-large")
    assert len(ada.history("tea")) == 1


def test_content_comes_back_as_it_was_sent(shared: LoopbackNode) -> None:
    shared.join("loud")
    content = '<script>alert(1)</script>\0\r\n\t\u2028🍵\ufeff"\\ data: x\n\nevent: reset'
    assert shared.send("loud", content)["content"] == content
    assert shared.wait_message(content)
    assert shared.history("loud")[0]["content"] == content


def test_history_is_paged_from_both_ends(ada: LoopbackNode) -> None:
    ada.join("tea")
    ids = [ada.send("tea", str(number))["id"] for number in range(60)]

    def page(query: str) -> list[str]:
        return [message["content"] for message in ada.get(f"/api/rooms/tea/messages{query}")["messages"]]

    assert page("") == [str(number) for number in range(10, 60)]
    assert page("?limit=2") == ["58", "59"]
    assert page(f"?before={ids[2]}") == ["0", "1"]
    assert page(f"?before={ids[30]}&limit=3") == ["27", "28", "29"]
    assert page(f"?after={ids[57]}") == ["58", "59"]
    assert page(f"?after={ids[30]}&limit=3") == ["31", "32", "33"]
    assert page(f"?after={ids[59]}") == page(f"?before={ids[0]}") == []
    assert len(page("?limit=500")) == 60


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1.5",
        "limit=%D9%A1",
        "limit=1&limit=2",
        "before=x",
        "before=-1",
        "after=1e3",
        "before=1&after=1",
        f"before={2**63}",
        f"after={10**30}",
    ],
)
def test_a_page_that_cannot_be_is_malformed(shared: LoopbackNode, query: str) -> None:
    check_problem(ask(shared, "GET", f"/api/rooms/tea/messages?{query}"), 400, "malformed")


def test_the_history_of_an_unknown_room_is_empty(shared: LoopbackNode) -> None:
    assert shared.history("nobody was ever here") == []


# People


@pytest.mark.parametrize(
    ("method", "rest"), [("POST", "/verify"), ("DELETE", "/verify"), ("POST", "/look"), ("DELETE", "")]
)
def test_an_unknown_user_is_not_found(shared: LoopbackNode, method: str, rest: str) -> None:
    check_problem(ask(shared, method, f"/api/users/{NOBODY}{rest}"), 404, "unknown-user")


@pytest.mark.parametrize(
    ("method", "rest"), [("POST", "/verify"), ("DELETE", "/verify"), ("POST", "/look"), ("DELETE", "")]
)
@pytest.mark.parametrize(
    "uuid", ["x", NOBODY.upper().replace("0", "A"), "%7B" + NOBODY + "%7D", NOBODY[:-1], NOBODY + "0"]
)
def test_a_user_that_is_no_uuid_is_malformed(shared: LoopbackNode, method: str, rest: str, uuid: str) -> None:
    check_problem(ask(shared, method, f"/api/users/{uuid}{rest}"), 400, "malformed")


def test_an_announced_peer_is_listed_and_a_look_shows_its_key(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    mallory.announce("elsewhere", name="Mal")
    wait_until(lambda: ada.user(mallory.uuid))
    assert ada.user(mallory.uuid) == {
        "uuid": mallory.uuid,
        "username": "Mal",
        "username_verified": False,
        "resembles": None,
        "fingerprint": None,
        "fingerprint_sha256": None,
        "safety_number": None,
        "status": "unverified",
        "online": True,
        "reachability": "announced",
        "seen": None,
        "trouble": None,
        "pending": False,
        "comparison": None,
        "conflict": None,
    }
    check_problem(ask(ada, "POST", f"/api/users/{mallory.uuid}/verify"), 409, "no-single-certificate")
    assert mallory.handshakes == 0
    reply = ask(ada, "POST", f"/api/users/{mallory.uuid}/look")
    assert (reply.status, reply.body) == (202, b"")
    asked = ada.wait_for("verification", uuid=mallory.uuid)
    user = wait_until(lambda: ada.user(mallory.uuid)) or {}
    assert set(asked) == {
        "uuid",
        "fingerprint",
        "fingerprint_sha256",
        "safety_number",
        "username",
        "address",
        "reason",
        "time",
    }
    assert (asked["reason"], asked["username"], asked["address"]) == ("asked", "Mal", str(mallory.endpoint))
    assert asked["fingerprint_sha256"] == mallory.fingerprint_sha256 == user["fingerprint_sha256"]
    assert asked["safety_number"] == user["safety_number"]
    assert [len(group) for group in user["safety_number"].split(" ")] == [5] * 12
    assert user["pending"] is True


def test_a_yes_means_the_certificate_that_the_user_saw(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    path = f"/api/users/{mallory.uuid}/verify"
    wrong = {"fingerprint_sha256": "0" * 64, "method": "number"}
    check_problem(ask(ada, "POST", path, json_body=wrong), 409, "fingerprint-differs")
    check_problem(ask(ada, "POST", path, json_body={"method": "guess"}), 400, "malformed")
    check_problem(ask(ada, "POST", path, json_body={"fingerprint_sha256": 1}), 400, "malformed")
    assert ada.status(mallory.uuid) == "unverified"
    right = {"fingerprint_sha256": mallory.fingerprint_sha256.upper(), "method": "number"}
    for _ in range(2):
        reply = ask(ada, "POST", path, json_body=right)
        assert (reply.status, reply.body) == (204, b"")
    assert ada.status(mallory.uuid) == "verified"


def test_a_yes_without_a_body_means_the_one_certificate(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    assert ask(ada, "POST", f"/api/users/{mallory.uuid}/verify").status == 204
    assert ada.status(mallory.uuid) == "verified"


def test_a_no_goes_one_step_back_and_a_yes_comes_from_any_state(
    ada: LoopbackNode, mallory: HandmadePeer
) -> None:
    know(ada, mallory)
    path = f"/api/users/{mallory.uuid}/verify"
    states = []
    for method in ("POST", "DELETE", "DELETE", "DELETE", "POST"):
        assert ask(ada, method, path).status == 204
        states.append(ada.status(mallory.uuid))
    assert states == ["verified", "unverified", "rejected", "rejected", "verified"]


def test_an_answered_question_is_a_users_event(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    know(ada, mallory)
    ada.post(f"/api/users/{mallory.uuid}/look")
    ada.wait_for(
        "users", where=lambda data: any(u["uuid"] == mallory.uuid and u["pending"] for u in data["users"])
    )
    mark = ada.events.mark()
    ada.verify(mallory.uuid)
    ada.wait_for(
        "users",
        after=mark,
        where=lambda data: any(
            u["uuid"] == mallory.uuid and not u["pending"] and u["status"] == "verified"
            for u in data["users"]
        ),
    )


def test_who_is_forgotten_is_gone_unless_announced(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    trust(ada, mallory)
    # The list is published as it is at times: who comes and goes in between is never in it.
    ada.wait_for("users", where=lambda data: mallory.uuid in [user["uuid"] for user in data["users"]])
    ada.leave("tea")
    assert ask(ada, "DELETE", f"/api/users/{mallory.uuid}").status == 204
    user = ada.user(mallory.uuid)
    assert user is not None
    assert (user["status"], user["fingerprint"]) == ("unverified", None)
    ada.network.goodbye(mallory.uuid)
    assert ask(ada, "DELETE", f"/api/users/{mallory.uuid}").status == 204
    assert ada.user(mallory.uuid) is None
    ada.wait_for("users", where=lambda data: mallory.uuid in data["gone"])
    check_problem(ask(ada, "DELETE", f"/api/users/{mallory.uuid}"), 404, "unknown-user")


def test_trust_survives_a_restart(start_node: StartNode) -> None:
    ada, bob = start_node("Ada"), start_node("Bob")
    befriend(ada, bob)
    ada.restart()
    bob.restart()
    ada.wait_member("tea", bob.uuid, online=True, status="verified")
    ada.send("tea", "still friends")
    bob.wait_message("still friends")
    assert ada.seen("verification") == bob.seen("verification") == []


# The answer does not wait


def test_a_post_never_waits_for_the_network(ada: LoopbackNode, mallory: HandmadePeer) -> None:
    """Somebody who is announced where nobody answers, and somebody whom nobody has verified."""
    ada.join("tea")
    mallory.announce("tea")
    ada.wait_member("tea", mallory.uuid)
    mallory.hang_up()
    started = time.monotonic()
    for number in range(20):
        ada.send("tea", str(number))
    assert time.monotonic() - started < 2


def test_a_pipelined_second_request_waits_for_its_turn(shared: LoopbackNode) -> None:
    head = f"HTTP/1.1\r\nHost: 127.0.0.1:{shared.ui_port}\r\nAuthorization: Bearer {shared.token}\r\n"
    body = json.dumps({"username": "Pipe"})
    put = f"PUT /api/info {head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    replies = exchange(shared, f"{put}GET /api/info {head}Connection: close\r\n\r\n".encode())
    assert [reply.json["username"] for reply in replies] == ["Pipe", "Pipe"]


def test_an_old_client_s_connection_ends_with_its_reply(shared: LoopbackNode) -> None:
    data = f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{shared.ui_port}\r\n\r\n".encode()
    replies: list[RawReply] = exchange(shared, data)
    assert [reply.status for reply in replies] == [200]


def test_a_nearly_full_disk_is_said_and_nothing_is_stored(start_node: StartNode) -> None:
    ada = start_node("Ada", free_disk_bytes=2**62)
    ada.join("tea")
    reply = ask(ada, "POST", "/api/rooms/tea/message", json_body={"content": "hello"})
    check_problem(reply, 507, "storage-full")
    assert ada.history("tea") == []
