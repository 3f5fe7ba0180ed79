"""JSON that is of the right form, or nearly: bodies for the routes of both ports.

Each body is made from what its route wants, as a tree, in which some values are then others.
It is written by hand, since `json.dumps` cannot say what is no JSON: a name twice, NaN, a
lone surrogate, the wrong encoding.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import uuid
from typing import Any

from http_requests import request, text
from mutations import mutate
from target import ENDS_WITHIN, PEER_PORT, Target, Wrong, check_replies, exchange

_NUMBERS = ("0", "-0", "1", "-1", "1e999", "-1E-999", "9" * 400, "1.5", "2e3", "NaN", "-Infinity", "01", "+1")
_DRAWING = {
    "strokes": [
        {
            "points": [10, 10, 5, -5, 0, 3],
            "width": 4,
            "colour": "#123abc",
            "time": [0, 90],
            "pressure": [0, 5, 9],
        },
        {"points": [500, 320], "width": 48, "colour": "paper", "time": [90, 0], "text": "Tea", "author": 0},
    ],
    "authors": [{"fingerprint_sha256": "0" * 64, "username": "Bob"}],
}
_MOST_STATUS = 500
_WAITS = "/v1/comparison"
"""For a person, unless whoever asks has hung up."""


class Raw(str):
    """Already JSON, or meant not to be."""


class JsonBodies(Target):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._connections: dict[int, http.client.HTTPConnection] = {}

    def once(self, chance: random.Random) -> None:
        room, person = self.aim.room, self.aim.other_uuid
        port, method, path, wanted = chance.choice(self._routes(chance, room, person))
        body = _write(_change(wanted, chance, 0.15), chance)
        if chance.random() < 0.15:
            body = mutate(body, chance)
        kind = chance.random()
        if kind < 0.05:
            body = body.decode("utf-8", "replace").encode(
                chance.choice(("utf-16", "utf-8-sig", "utf-32", "cp500")), "ignore"
            )
        self.said = f"{method} {path}\n".encode() + body
        if path == _WAITS:
            check_replies(exchange(self.dial_as_friend(), request(method, path, ["Host: peer"], body)))
        else:
            self._check(path, body, *self._ask(port, method, path, body))

    def _routes(
        self, chance: random.Random, room: str, person: str
    ) -> list[tuple[int, str, str, dict[str, Any]]]:
        ui, sha = self.aim.ui_port, "0" * 64
        seed = {"username": text(chance), "content": text(chance)}
        message = {
            "id": uuid.UUID(int=chance.getrandbits(128)).hex,
            "room": room,
            **seed,
            "sent": 0,
            "kind": chance.choice(("text", "drawing")),
            "drawing": _DRAWING,
        }
        batch = {
            "messages": [
                {**message, "id": f"{message['id']}{i}"}
                for i in range(chance.choice((1, 1, 1, 1, 3, 3, 3, 100)))
            ]
        }
        return [
            (PEER_PORT, "POST", "/v1/messages", batch),
            (PEER_PORT, "POST", "/v1/messages", batch),
            (PEER_PORT, "POST", f"/rooms/{room}/message", seed),
            (ui, "POST", f"/api/rooms/{room}/message", seed),
            (ui, "POST", f"/api/rooms/{room}/message", {"content": text(chance)}),
            (
                ui,
                "POST",
                f"/api/rooms/{room}/message",
                {"content": "", "kind": "drawing", "drawing": _DRAWING},
            ),
            (ui, "PUT", "/api/info", {"username": text(chance)}),
            (ui, "POST", "/api/session", {"code": text(chance)}),
            (ui, "POST", f"/api/users/{self.aim.friend_uuid}/comparison", {}),
            (ui, "DELETE", f"/api/users/{self.aim.friend_uuid}/comparison", {}),
            (PEER_PORT, "POST", _WAITS, {"commitment": chance.randbytes(32).hex()}),
            (PEER_PORT, "POST", f"{_WAITS}/reveal", {"value": chance.randbytes(32).hex()}),
            (ui, "POST", f"/api/users/{person}/verify", {"fingerprint_sha256": sha, "method": "click"}),
            (ui, "DELETE", f"/api/users/{person}/verify", {"fingerprint_sha256": sha}),
        ]

    def _ask(self, port: int, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """On a connection that is kept while the node keeps it; 0 if it ends without a reply."""
        connection = self._connections.get(port) or self._connect(port)
        fields = {"Content-Type": "application/json", "Authorization": f"Bearer {self.aim.token}"}
        try:
            connection.request(method, path, body, fields)
            reply = connection.getresponse()
            answer, closes = reply.read(), reply.will_close
        except TimeoutError:
            raise Wrong(f"no answer within {ENDS_WITHIN} s") from None
        except (OSError, http.client.HTTPException):
            self._hang_up(port)
            return 0, b""
        if closes:
            self._hang_up(port)
        return reply.status, answer

    def _connect(self, port: int) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ENDS_WITHIN)
        connection.sock = self.dial_as_friend() if port == PEER_PORT else self.dial(port)
        self._connections[port] = connection
        return connection

    def _hang_up(self, port: int) -> None:
        self._connections.pop(port).close()

    def _check(self, path: str, body: bytes, status: int, answer: bytes) -> None:
        if status >= _MOST_STATUS and status != http.HTTPStatus.INSUFFICIENT_STORAGE:
            raise Wrong(f"{status}: {answer[:2000]!r}")
        if status >= http.HTTPStatus.BAD_REQUEST:
            problem = json.loads(answer)
            if problem["status"] != status or not problem["code"] or not problem["message"]:
                raise Wrong(f"{status} is no problem: {answer!r}")
        elif status == http.HTTPStatus.OK and path == "/v1/messages":
            results = json.loads(answer)["results"]
            if len(results) != len(json.loads(body)["messages"]):
                raise Wrong(f"not one answer for each message: {answer[:2000]!r}")


def _change(value: Any, chance: random.Random, odds: float) -> Any:
    """`value` with some of its parts replaced, left out or added."""
    if chance.random() < odds / 3:
        return _other(chance)
    if isinstance(value, dict):
        changed = {
            name: _change(part, chance, odds) for name, part in value.items() if chance.random() > odds / 9
        }
        if chance.random() < odds / 2:
            changed[text(chance)] = _other(chance)
        return changed
    if isinstance(value, list):
        return [_change(part, chance, odds / max(1, len(value) / 4)) for part in value]
    return value


def _other(chance: random.Random) -> Any:
    depth = chance.choice((1, 31, 32, 33, 3000))
    return chance.choice(
        (
            None,
            True,
            [],
            {},
            [None],
            {"": ""},
            text(chance),
            Raw(chance.choice(_NUMBERS)),
            Raw("[" * depth + "]" * depth),
            Raw('{"a":' * depth + "1" + "}" * depth),
            Raw('{"a":1,"a":2}'),
            Raw('"\\ud800"'),
            Raw('"\\uD83D\\uDE00"'),
            Raw('"\x01"'),
            Raw("'a'"),
            Raw(""),
        )
    )


def _write(value: Any, chance: random.Random) -> bytes:
    return _json(value, chance).encode("utf-8", "surrogatepass")


def _json(value: Any, chance: random.Random) -> str:
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        pairs = [f"{_json(name, chance)}: {_json(part, chance)}" for name, part in value.items()]
        if pairs and chance.random() < 0.01:
            pairs.append(pairs[0])
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json(part, chance) for part in value) + "]"
    with contextlib.suppress(TypeError):
        return json.dumps(value, ensure_ascii=chance.random() < 0.5)
    return "null"
