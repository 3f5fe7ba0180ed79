"""Each check of the guard, by the way in that it stops; and what a page and a script must be let do."""

from __future__ import annotations

import pytest

from cryptochat_lib import guard
from cryptochat_lib.errors import (
    BadRequest,
    CryptoChatError,
    Forbidden,
    LengthRequired,
    MethodNotAllowed,
    MisdirectedRequest,
    TooLarge,
    UnsupportedMediaType,
)
from cryptochat_lib.http_head import parse_head
from cryptochat_lib.limits import Limits

OWN = guard.own_hosts("127.0.0.1", 9080)
HOST = "Host: 127.0.0.1:9080"
JSON = "Content-Type: application/json"
FETCH = ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty")
MOST = 1024


def check(line: str, *fields: str) -> int:
    lines = [f"{line} HTTP/1.1", *fields]
    return guard.check(parse_head("\r\n".join(lines).encode("latin-1"), Limits()), OWN, MOST)


def fetch(site: str, mode: str, dest: str) -> tuple[str, ...]:
    return f"Sec-Fetch-Site: {site}", f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Dest: {dest}"


# What passes

PASSES: dict[str, tuple[str, ...]] = {
    "a script, which sends no fetch metadata": ("GET /api/info", HOST),
    "the page's own request": ("GET /api/info", HOST, *FETCH),
    "the page's own request with its origin": (
        "POST /api/rooms/tea",
        HOST,
        "Origin: http://127.0.0.1:9080",
        "Content-Length: 0",
        *FETCH,
    ),
    "by the name localhost": ("GET /api/info", "Host: localhost:9080", "Origin: http://localhost:9080"),
    "by the name localhost in capitals": (
        "GET /api/info",
        "Host: LOCALHOST:9080",
        "Origin: http://localhost:9080",
    ),
    "by the IPv6 loopback": ("GET /api/info", "Host: [::1]:9080"),
    "the page, from the address bar": ("GET /", HOST, *fetch("none", "navigate", "document")),
    "the page, by a link on another site": ("GET /", HOST, *fetch("cross-site", "navigate", "document")),
    "the page's script": ("GET /main.js", HOST, *fetch("same-origin", "cors", "script")),
    "the page's style": ("GET /style.css", HOST, *fetch("same-origin", "no-cors", "style")),
    "a join without a body": ("POST /api/rooms/tea", HOST),
}


@pytest.mark.parametrize("what", PASSES)
def test_passes(what: str) -> None:
    assert check(*PASSES[what]) == 0


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json ;a=b"]
)
def test_a_json_body_passes_with_its_length(content_type: str) -> None:
    assert check("PUT /api/info", HOST, f"Content-Type: {content_type}", "Content-Length: 1024") == 1024


# What is stopped

STOPPED: dict[str, tuple[type[CryptoChatError], tuple[str, ...]]] = {
    # 1. DNS rebinding
    "a name that was pointed at 127.0.0.1": (
        MisdirectedRequest,
        ("GET /api/info", "Host: evil.example:9080"),
    ),
    "a name that was pointed at us, for the page": (MisdirectedRequest, ("GET /", "Host: evil.example:9080")),
    "no Host": (MisdirectedRequest, ("GET /api/info",)),
    "an empty Host": (MisdirectedRequest, ("GET /api/info", "Host:")),
    "two Hosts": (MisdirectedRequest, ("GET /api/info", HOST, "Host: evil.example")),
    "our Host twice": (MisdirectedRequest, ("GET /api/info", HOST, HOST)),
    "another port": (MisdirectedRequest, ("GET /api/info", "Host: 127.0.0.1:9081")),
    "no port": (MisdirectedRequest, ("GET /api/info", "Host: 127.0.0.1")),
    "a name that ends like ours": (
        MisdirectedRequest,
        ("GET /api/info", "Host: localhost:9080.evil.example"),
    ),
    "a name that begins like ours": (
        MisdirectedRequest,
        ("GET /api/info", "Host: localhost.evil.example:9080"),
    ),
    "a dot behind our name": (MisdirectedRequest, ("GET /api/info", "Host: localhost.:9080")),
    "another spelling of 127.0.0.1": (MisdirectedRequest, ("GET /api/info", "Host: 2130706433:9080")),
    # 2. preflights
    "a preflight": (
        MethodNotAllowed,
        ("OPTIONS /api/info", HOST, "Origin: http://evil", "Access-Control-Request-Method: PUT"),
    ),
    # 3. other sites, and other ports of this machine
    "another site's fetch": (Forbidden, ("GET /api/info", HOST, *fetch("cross-site", "no-cors", "empty"))),
    "another port's page": (Forbidden, ("POST /api/rooms/tea", HOST, *fetch("same-site", "cors", "empty"))),
    "another site's script tag": (
        Forbidden,
        ("GET /main.js", HOST, *fetch("cross-site", "no-cors", "script")),
    ),
    "another site's frame": (Forbidden, ("GET /", HOST, *fetch("cross-site", "navigate", "iframe"))),
    "another site's form to the page": (
        Forbidden,
        ("POST /", HOST, *fetch("cross-site", "navigate", "document")),
    ),
    "another site's link to a part of the page": (
        Forbidden,
        ("GET /main.js", HOST, *fetch("cross-site", "navigate", "document")),
    ),
    "a site of an unknown kind": (Forbidden, ("GET /api/info", HOST, "Sec-Fetch-Site: whatever")),
    "the metadata twice": (
        BadRequest,
        ("GET /api/info", HOST, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"),
    ),
    # 4. the API is only fetched
    "the API as a document, even from the address bar": (
        Forbidden,
        ("GET /api/rooms", HOST, *fetch("none", "navigate", "document")),
    ),
    "the API as a document of our own page": (
        Forbidden,
        ("GET /api/rooms/tea/messages", HOST, *fetch("same-origin", "navigate", "document")),
    ),
    "the API's other address as a document": (
        Forbidden,
        ("GET /rooms", HOST, *fetch("same-origin", "navigate", "document")),
    ),
    "the API navigated to with a destination of fetch": (
        Forbidden,
        ("GET /api/info", HOST, *fetch("same-origin", "navigate", "empty")),
    ),
    "the API as a script": (Forbidden, ("GET /api/info", HOST, *fetch("same-origin", "no-cors", "script"))),
    "the API as an image": (Forbidden, ("GET /api/info", HOST, *fetch("same-origin", "no-cors", "image"))),
    "the API as a worker": (
        Forbidden,
        ("GET /api/info", HOST, *fetch("same-origin", "same-origin", "worker")),
    ),
    # 5. Origin
    "another origin": (Forbidden, ("GET /api/info", HOST, "Origin: http://evil.example")),
    "an opaque origin": (Forbidden, ("POST /api/rooms/tea", HOST, "Origin: null")),
    "our origin with TLS": (Forbidden, ("GET /api/info", HOST, "Origin: https://127.0.0.1:9080")),
    "our origin on another port": (Forbidden, ("GET /api/info", HOST, "Origin: http://127.0.0.1:80")),
    "another name of ours as origin": (Forbidden, ("GET /api/info", HOST, "Origin: http://localhost:9080")),
    "two origins": (
        BadRequest,
        ("GET /api/info", HOST, "Origin: http://127.0.0.1:9080", "Origin: http://evil"),
    ),
    # 6. the body
    "a form": (
        UnsupportedMediaType,
        ("POST /api/rooms/tea", HOST, "Content-Length: 5", "Content-Type: application/x-www-form-urlencoded"),
    ),
    "a beacon of text": (
        UnsupportedMediaType,
        ("POST /api/rooms/tea", HOST, "Content-Length: 5", "Content-Type: text/plain"),
    ),
    "JSON that only says so as a parameter": (
        UnsupportedMediaType,
        ("POST /api/rooms/tea", HOST, "Content-Length: 5", "Content-Type: text/plain; application/json"),
    ),
    "a body of no type": (UnsupportedMediaType, ("POST /api/rooms/tea", HOST, "Content-Length: 5")),
    "a body of two types": (
        BadRequest,
        ("POST /api/rooms/tea", HOST, "Content-Length: 5", JSON, "Content-Type: text/plain"),
    ),
    "a body on GET": (BadRequest, ("GET /api/info", HOST, JSON, "Content-Length: 2")),
    "a body on HEAD": (BadRequest, ("HEAD /", HOST, JSON, "Content-Length: 2")),
    "a body over the limit": (TooLarge, ("PUT /api/info", HOST, JSON, "Content-Length: 1025")),
    "chunks": (LengthRequired, ("PUT /api/info", HOST, JSON, "Transfer-Encoding: chunked")),
    "chunks on GET": (LengthRequired, ("GET /api/info", HOST, "Transfer-Encoding: chunked")),
    "chunks and a length": (
        BadRequest,
        ("PUT /api/info", HOST, JSON, "Transfer-Encoding: chunked", "Content-Length: 5"),
    ),
    "two lengths": (BadRequest, ("PUT /api/info", HOST, JSON, "Content-Length: 5", "Content-Length: 6")),
    "a length with a sign": (BadRequest, ("PUT /api/info", HOST, JSON, "Content-Length: +5")),
}


@pytest.mark.parametrize("what", STOPPED)
def test_is_stopped(what: str) -> None:
    error, request = STOPPED[what]
    with pytest.raises(CryptoChatError) as stopped:
        check(*request)
    assert type(stopped.value) is error


def test_our_hosts_are_the_loopback_names_and_the_address_that_we_listen_on() -> None:
    assert guard.own_hosts("127.0.0.2", 80) == {"127.0.0.2:80", "127.0.0.1:80", "localhost:80", "[::1]:80"}
    assert "[::1]:80" in guard.own_hosts("::1", 80)
