"""Raw HTTP at the peers' port, behind mutual TLS, said by a friend whose program is taken over."""

from __future__ import annotations

import random
from urllib.parse import quote

from http_requests import dump, request, spoil, text
from target import Target, check_replies, exchange

_METHODS = ("POST", "POST", "POST", "POST", "GET", "HEAD", "PUT", "OPTIONS")


class PeerHttp(Target):
    def once(self, chance: random.Random) -> None:
        self.said = b"".join(self._request(chance) for _ in range(chance.choice((1, 2, 5, 9))))
        check_replies(exchange(self.dial_as_friend(), self.said))

    def _request(self, chance: random.Random) -> bytes:
        room = chance.choice((self.aim.room, text(chance)))
        if chance.random() < 0.5:
            target = f"/rooms/{quote(room, safe='', errors='surrogatepass')}/message"
            body = dump({"username": text(chance), "content": text(chance)})
        else:
            target = chance.choice(
                ("/v1/messages", "/v1/messages", "/v1/comparison", "/v1/comparison/reveal", "/")
            )
            message = {"id": text(chance), "room": room, "username": text(chance), "content": text(chance)}
            body = dump({"messages": [message] * chance.choice((0, 1, 1, 1, 1, 2, 2, 2, 2, 101))})[
                : 2**20 + 1
            ]
        return spoil(request(chance.choice(_METHODS), target, ["Host: peer"], body), chance)
