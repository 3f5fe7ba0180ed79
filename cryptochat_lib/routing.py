"""Requests, replies and routes: what both servers share, without a socket.

Routes are data. A miss says which kind of miss it is: no such path, or a path
that does not do that. Errors become replies here, and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from .connections import Connection
from .errors import CryptoChatError, MethodNotAllowed, NotFound
from .http_head import Head
from .model import KnownKey

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

JSON = "application/json"
PROBLEM = "application/problem+json"  # RFC 9457


class Request(NamedTuple):
    """A request with its whole body. At the peer API `key` is the verified key that sent it, and
    `connection` the one on which it came.
    """

    head: Head
    params: Mapping[str, str]
    body: bytes = b""
    key: KnownKey | None = None
    connection: Connection | None = None


class Reply(NamedTuple):
    """A reply. With `stream`, its chunks are the body, and its end ends the connection.

    `then` is done after it was written, whether or not that went well.
    `whole`: the stream has an end, and whoever reads it must be able to tell one that
    was cut: it is sent in chunks (RFC 9112, section 7.1), of which the last one is empty.
    """

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    stream: Iterator[bytes] | None = None
    then: Callable[[], None] | None = None
    whole: bool = False


@dataclass(frozen=True)
class Route:
    """`pattern`: a path whose segments in braces are parameters."""

    method: str
    pattern: str
    handle: Callable[[Request], Reply]

    @cached_property
    def segments(self) -> list[str]:
        """What the pattern asks of each segment of a path."""
        return self.pattern[1:].split("/")

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """The parameters if `segments`, which are as many as ours, are of this pattern."""
        params = {}
        for name, segment in zip(self.segments, segments, strict=True):
            if name.startswith("{"):
                params[name[1:-1]] = segment
            elif name != segment:
                return None
        return params


class Routes:
    """A table of routes, looked up by how many segments a path has."""

    def __init__(self, *routes: Route) -> None:
        self._by_count: dict[int, list[Route]] = {}
        for route in routes:
            self._by_count.setdefault(len(route.segments), []).append(route)

    def __iter__(self) -> Iterator[Route]:
        return chain.from_iterable(self._by_count.values())

    def find(self, head: Head) -> tuple[Route, dict[str, str]]:
        """The route of a request and its parameters; NotFound, MethodNotAllowed."""
        routes = self._by_count.get(len(head.segments), ())
        for route in routes:
            if route.method == head.method and (params := route.match(head.segments)) is not None:
                return route, params
        allowed = [route.method for route in routes if route.match(head.segments) is not None]
        if allowed:
            raise MethodNotAllowed(headers={"Allow": ", ".join(sorted(allowed))})
        raise NotFound()


def json_reply(status: int, value: object) -> Reply:
    """`value` as JSON."""
    return Reply(status, dump(value), JSON)


def problem(error: CryptoChatError) -> Reply:
    """The one translation of an error into a reply."""
    body: dict[str, Any] = {"status": error.status, "code": error.code, "message": str(error)}
    return Reply(error.status, dump(body), PROBLEM, error.headers)


def dump(value: object) -> bytes:
    return _ENCODER.encode(value).encode()
