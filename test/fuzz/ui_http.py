"""Raw HTTP at the UI's port, with the token or without it."""

from __future__ import annotations

import random
from urllib.parse import quote

from http_requests import dump, request, spoil, text
from target import Target, check_replies, exchange

_METHODS = ("GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE")
_IN_EACH = (b"Content-Security-Policy: default-src 'none'", b"X-Content-Type-Options: nosniff")
_STREAMS = 0.004  # each keeps one of the server's places for some seconds


class UiHttp(Target):
    def once(self, chance: random.Random) -> None:
        self.said = b"".join(self._request(chance) for _ in range(chance.choice((1, 1, 1, 2, 5))))
        check_replies(exchange(self.dial(self.aim.ui_port), self.said), *_IN_EACH)

    def _request(self, chance: random.Random) -> bytes:
        method = chance.choice(_METHODS)
        fields = [f"Host: 127.0.0.1:{self.aim.ui_port}"]
        if chance.random() < 0.8:
            fields.append(f"Authorization: Bearer {self.aim.token}")
        if chance.random() < 0.2:
            fields.append(chance.choice(_FIELDS) + chance.choice(("", "x", "same-origin", "empty", "null")))
        body = b""
        if method in ("POST", "PUT", "DELETE") and chance.random() < 0.8:
            names = chance.sample(("content", "username", "code", "fingerprint_sha256", "method"), 2)
            body = dump({name: text(chance) for name in names[: chance.randint(0, 2)]})
        return spoil(request(method, self._path(chance), fields, body), chance)

    def _path(self, chance: random.Random) -> str:
        if chance.random() < _STREAMS:
            return f"/api/events?stream={chance.choice(('messages', 'verification', text(chance)[:9]))}"
        room = quote(text(chance), safe="", errors="surrogatepass")
        room = chance.choice((self.aim.room, room))
        query = "&".join(
            f"{chance.choice(_QUERY)}={quote(text(chance), safe='', errors='surrogatepass')[:9000]}"
            for _ in range(chance.choice((0, 0, 1, 2, 3)))
        )
        uuid = chance.choice((self.aim.other_uuid, self.aim.uuid, room))
        return chance.choice(_PATHS).format(room=room, uuid=uuid) + ("?" + query if query else "")


_FIELDS = ("Origin: ", "Sec-Fetch-Site: ", "Sec-Fetch-Mode: ", "Sec-Fetch-Dest: ", "Expect: ", "Connection: ")
_QUERY = ("q", "room", "sender", "before", "after", "limit", "stream", "x")
_PATHS = (
    "/",
    "/index.html",
    "/main.js",
    "/api/session",
    "/api/info",
    "/api/users",
    "/api/users/{uuid}",
    "/api/users/{uuid}/look",
    "/api/users/{uuid}/verify",
    "/api/users/{uuid}/comparison",
    "/rooms",
    "/api/rooms",
    "/api/rooms/{room}",
    "/api/rooms/{room}/message",
    "/api/rooms/{room}/messages",
    "/api/rooms/{room}/messages.jsonl",
    "/api/search",
    "/api/{room}/{uuid}",
    "//",
    "/../{room}",
)
