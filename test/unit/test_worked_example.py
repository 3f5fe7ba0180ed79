"""The worked example of docs/PROTOCOL.md, section 9: what it shows is, byte for byte, what we send."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.request
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cryptochat_lib import chat, peer_client, txt, wire
from cryptochat_lib.attempts import Attempts
from cryptochat_lib.dialing import Where
from cryptochat_lib.errors import NotAMember, PeerRejected
from cryptochat_lib.http_head import parse_reply_head
from cryptochat_lib.http_read import WholeReply
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Endpoint, Message, PeerId, RoomName
from cryptochat_lib.routing import JSON, Reply, problem
from cryptochat_lib.serving import Handler
from cryptochat_lib.wire import Answer

LIMITS = Limits()
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "PROTOCOL.md"
SECTION = DOCUMENT.read_text(encoding="utf-8").partition("\n## 9. ")[2].partition("\n## 10. ")[0]
BLOCKS = re.findall(r"```\n(.*?)\n```", SECTION, re.DOTALL)
ANNOUNCEMENT, BATCH, STORED, NOT_THERE, REJECTED, SEED, SEED_STORED = BLOCKS


def on_the_wire(block: str) -> bytes:
    """What a block of the document stands for: lines of the head end in CR LF, the body in nothing."""
    head, _, body = f"{block}\n".partition("\n\n")
    return f"{head}\n\n".replace("\n", "\r\n").encode() + body.removesuffix("\n").encode()


def host_of(block: str) -> Endpoint:
    host, _, port = re.findall(r"^Host: (.*)$", block, re.MULTILINE)[0].rpartition(":")
    return Endpoint(host, int(port))


MESSAGE = json.loads(BATCH.partition("\n\n")[2])["messages"][0]


def message() -> Message:
    """Ada's message, as she has it."""
    return Message(
        number=1,
        room=RoomName(MESSAGE["room"]),
        content=MESSAGE["content"],
        sender=PeerId("00000000-0000-4000-8000-00000000000a"),
        username=MESSAGE["username"],
        time=MESSAGE["sent"],
        sent=None,
        kind=MESSAGE["kind"],
        own=True,
        wire_id=MESSAGE["id"],
    )


def posted(monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, path: str, body: bytes) -> bytes:
    """What `PeerClient.post` puts on its connection."""
    sent: list[bytes] = []

    class Channel(urllib.request.BaseHandler):
        def __init__(self, *_: object) -> None:
            """Nothing is connected."""

        def open(self, where: Where) -> Endpoint:
            return where()[0]

        def https_open(self, request: urllib.request.Request) -> WholeReply:
            sent.append(peer_client._to_bytes(request))
            return WholeReply(parse_reply_head(b"HTTP/1.1 200 OK", LIMITS), b"", True)

    monkeypatch.setattr(peer_client, "_Channel", Channel)
    key = cast(Any, SimpleNamespace(certificate=None))
    peer_client.PeerClient(cast(Any, None), key, cast(Any, None), cast(Any, None), LIMITS, Attempts()).post(
        lambda: (endpoint,), path, body
    )
    return sent[0]


def written(monkeypatch: pytest.MonkeyPatch, block: str, reply: Reply) -> bytes:
    """What the peer server writes, at the time that `block` shows."""
    date = re.findall(r"^Date: (.*)$", block, re.MULTILINE)[0]
    monkeypatch.setattr(time, "time", parsedate_to_datetime(date).timestamp)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        handler = Handler.__new__(Handler)
        handler.connection = ours
        handler.server = cast(Any, SimpleNamespace(limits=LIMITS, fixed_head=[]))
        handler._write(reply, keep_alive=reply.status < 400, bodiless=False)
        ours.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: theirs.recv(65536), b""))


def test_the_announcement() -> None:
    shown = [line.partition("  ")[0] for line in ANNOUNCEMENT.splitlines()]
    assert bytes.fromhex(" ".join(shown)) == txt.encode(["café", "tea"], "Ada")


def test_a_request_in_our_form(monkeypatch: pytest.MonkeyPatch) -> None:
    body, _ = wire.batch([(message(), MESSAGE["room"])], LIMITS)
    assert posted(monkeypatch, host_of(BATCH), "/v1/messages", body) == on_the_wire(BATCH)


def test_a_request_in_the_seed_s_form(monkeypatch: pytest.MonkeyPatch) -> None:
    body = wire.seed_message(message())
    assert posted(monkeypatch, host_of(SEED), "/rooms/tea/message", body) == on_the_wire(SEED)


def test_their_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Reply(200, wire.answers([Answer(MESSAGE["id"], 200)]), JSON)
    assert written(monkeypatch, STORED, stored) == on_the_wire(STORED)
    assert written(monkeypatch, SEED_STORED, Reply(200)) == on_the_wire(SEED_STORED)
    assert written(monkeypatch, REJECTED, problem(PeerRejected())) == on_the_wire(REJECTED)
    of_next = json.loads(NOT_THERE)["results"][0]["id"]
    assert wire.answers([Answer(of_next, NotAMember.status, NotAMember.code)]) == NOT_THERE.encode()
    assert of_next > MESSAGE["id"], "ids grow"


def test_the_id_is_one_that_we_might_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: MESSAGE["sent"] * 1_000_000)
    given = chat._Ids().next()
    assert given[:12] == MESSAGE["id"][:12]
    assert all(re.fullmatch("[0-9a-f]{32}", id_) for id_ in (given, MESSAGE["id"]))


def test_no_two_ids_of_one_moment_are_alike_nor_those_of_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody can tell from one how many there were before it."""
    monkeypatch.setattr(time, "time_ns", lambda: MESSAGE["sent"] * 1_000_000)
    one, other = chat._Ids(), chat._Ids()
    assert len({ids.next() for ids in (one, other) for _ in range(1000)}) == 2000
