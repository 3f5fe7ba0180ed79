"""Requests as both ports understand them, nearly."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from mutations import EDGES, mutate, noise

WORDS: tuple[bytes, ...] = (
    *EDGES,
    b"GET ",
    b"HEAD ",
    b"OPTIONS ",
    b"TRACE / HTTP/1.1\r\n",
    b" HTTP/1.0\r\n",
    b" HTTP/2.0",
    b"\r\n\r\n",
    b"\r\n ",
    b": ",
    b"Content-Length: 0\r\n",
    b"Content-Length: 18446744073709551616\r\n",
    b"Content-Length: +5\r\n",
    "Content-Length: ٣\r\n".encode(),
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: keep-alive\r\n",
    b"Expect: 100-continue\r\n",
    b"Host: evil.example\r\n",
    b"Last-Event-ID: 99999999999999999999\r\n",
    b"Range: bytes=0-\r\n",
    b"X: " + b"y" * 17000 + b"\r\n",
    b"A: b\r\n" * 101,
    b"%00",
    b"%ff",
    b"%2f",
    b"%2e%2e/",
    b"?limit=0&before=-1",
    b"&&==",
    b'"\\ud800"',
    b"[" * 2000,
    b"{" * 40,
    b"\xef\xbb\xbf",
)


def head(request_line: str, fields: Sequence[str]) -> bytes:
    return "\r\n".join((request_line, *fields, "", "")).encode("utf-8", "surrogatepass")


def request(method: str, target: str, fields: Sequence[str], body: bytes) -> bytes:
    lengths = [f"Content-Length: {len(body)}", "Content-Type: application/json"] if body else []
    return head(f"{method} {target} HTTP/1.1", [*fields, *lengths]) + body


def spoil(whole: bytes, chance: random.Random) -> bytes:
    """A request as it is, changed here and there, or followed by something."""
    kind = chance.random()
    if kind < 0.1:
        return whole
    if kind < 0.2:
        return whole + noise(chance, 2000)
    if kind < 0.25:
        return noise(chance, 20000)
    return mutate(whole, chance, WORDS)


def text(chance: random.Random) -> str:
    """A string that somebody might choose to see what happens."""
    kind = chance.random()
    if kind < 0.01:
        return "x" * chance.choice((2**16, 2**16 + 1))
    return chance.choice(_TEXTS) if kind < 0.8 else chance.randbytes(12).decode("latin-1")


def dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=bool(len(repr(value)) % 2)).encode("utf-8", "surrogatepass")


_TEXTS = (
    "",
    "tea",
    "..",
    ".",
    "a/b",
    "caf\u00e9",
    "cafe\u0301",
    "\u0000",
    "\ud800",
    "\u202e",
    "\ufeff",
    "x" * 100,
    "x" * 101,
    "\U0001f9ea" * 25,
    "\u0344" * 60,
    "NaN",
    "1",
    "-1",
    '" OR 1=1 --',
    "*",
    '"',
    "<script>alert(1)</script>",
    "\u0390" * 33,
)
