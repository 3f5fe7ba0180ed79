"""The head of a request: one form, no forgiving. Each refusal is a way to smuggle a request."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cryptochat_lib.errors import BadRequest, CryptoChatError, HeadTooLarge, LengthRequired, TooLarge
from cryptochat_lib.http_head import Head, parse_head
from cryptochat_lib.limits import Limits

LIMITS = Limits()
MOST = 1024


def parse(*lines: str | bytes) -> Head:
    return parse_head(b"\r\n".join(x if isinstance(x, bytes) else x.encode("latin-1") for x in lines), LIMITS)


def length(*fields: str | bytes) -> int:
    return parse("POST / HTTP/1.1", *fields).content_length(MOST)


# What is understood


def test_a_plain_head_is_understood() -> None:
    head = parse(
        "GET /api/rooms?limit=5&q=a+b%20c HTTP/1.1", "Host: localhost", "X-Empty:", "x-spaces: \t a b \t"
    )
    assert (head.method, head.segments, head.query) == ("GET", ("api", "rooms"), {"limit": "5", "q": "a b c"})
    assert head.keep_alive
    fields = [head.one(name) for name in ("host", "x-empty", "x-spaces", "x-none")]
    assert fields == ["localhost", "", "a b", None]


def test_an_encoded_slash_is_part_of_a_segment() -> None:
    assert parse("POST /rooms/a%2Fb%20%C3%A9/message HTTP/1.1").segments == ("rooms", "a/b \u00e9", "message")


def test_a_plus_in_a_path_is_a_plus() -> None:
    assert parse("POST /rooms/a+b HTTP/1.1").segments == ("rooms", "a+b")


def test_dots_in_a_path_mean_nothing() -> None:
    assert parse("GET /../%2e%2e/etc HTTP/1.1").segments == ("..", "..", "etc")


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "close", False),
        ("1.1", "Foo, Close", False),
        ("1.0", "", False),
        ("1.0", "keep-alive", True),
        ("1.0", "keep-alive, close", False),
    ],
)
def test_a_connection_is_kept_as_the_version_and_the_field_say(
    version: str, connection: str, kept: bool
) -> None:
    assert parse(f"GET / HTTP/{version}", f"Connection: {connection}").keep_alive is kept


# The request line

REQUEST_LINES = {
    "nothing": "",
    "no version": "GET /",
    "HTTP/0.9": "GET / HTTP/0.9",
    "HTTP/2": "GET / HTTP/2.0",
    "an unknown minor version": "GET / HTTP/1.2",
    "two spaces": "GET  / HTTP/1.1",
    "a space in front": " GET / HTTP/1.1",
    "a space behind": "GET / HTTP/1.1 ",
    "a tab": "GET\t/ HTTP/1.1",
    "a method in lower case": "get / HTTP/1.1",
    "a method that never ends": "G" * 17 + " / HTTP/1.1",
    "a space in the target": "GET /a b HTTP/1.1",
    "a bare line feed": "GET / HTTP/1.1\nHost: evil",
    "a bare carriage return": "GET / HTTP/1.1\rHost: evil",
    "the absolute form, which names a host of its own": "GET http://evil/ HTTP/1.1",
    "the authority form": "CONNECT evil:443 HTTP/1.1",
    "the asterisk form": "OPTIONS * HTTP/1.1",
    "a relative path": "GET api/info HTTP/1.1",
    "raw UTF-8 in the target": "GET /\xc3\xa9 HTTP/1.1",
    "NUL in the target": "GET /\0 HTTP/1.1",
    "TLS": "\x16\x03\x01",
    "percent-encoding that is not UTF-8": "GET /%ff HTTP/1.1",
    "percent-encoding of a surrogate": "GET /%ed%a0%80 HTTP/1.1",
    "an overlong slash": "GET /%c0%af HTTP/1.1",
    "a percent that encodes nothing": "GET /100% HTTP/1.1",
    "a percent with one digit": "GET /%4 HTTP/1.1",
    "a percent with no hex digits": "GET /%zz HTTP/1.1",
    "not UTF-8 in the query": "GET /?a=%ff HTTP/1.1",
    "a name twice in the query": "GET /?a=1&a=2 HTTP/1.1",
    "a name twice in the query, spelled in two ways": "GET /?a=1&%61=2 HTTP/1.1",
}


@pytest.mark.parametrize("what", REQUEST_LINES)
def test_a_request_line_is_refused_with(what: str) -> None:
    with pytest.raises(BadRequest):
        parse(REQUEST_LINES[what], "Host: localhost")


# Fields

FIELDS = {
    "a folded line": " folded",
    "a folded line with a tab": "\tfolded",
    "no colon": "Host",
    "no name": ": localhost",
    "a space before the colon": "Host : localhost",
    "a space in the name": "Ho st: localhost",
    "a name that is not ASCII": "H\xf6st: localhost",
    "a bare line feed": "X: a\nHost: evil",
    "a bare carriage return": "X: a\rHost: evil",
    "NUL": "X: a\0b",
    "DEL": "X: a\x7fb",
}


@pytest.mark.parametrize("what", FIELDS)
def test_a_field_is_refused_with(what: str) -> None:
    with pytest.raises(BadRequest):
        parse("GET / HTTP/1.1", "Host: localhost", FIELDS[what])


def test_a_second_host_is_refused_when_it_is_asked_for() -> None:
    head = parse("GET / HTTP/1.1", "Host: localhost", "hOST: evil")
    with pytest.raises(BadRequest):
        head.one("host")


# The length of the body

LENGTHS: dict[str, tuple[list[str | bytes], type[CryptoChatError]]] = {
    "a plus sign": (["Content-Length: +5"], BadRequest),
    "an underscore": (["Content-Length: 1_0"], BadRequest),
    "Arabic digits": (["Content-Length: \u0665".encode()], BadRequest),
    "superscript digits": (["Content-Length: \xb2"], BadRequest),
    "minus one": (["Content-Length: -1"], BadRequest),
    "a leading zero": (["Content-Length: 05"], BadRequest),
    "hex": (["Content-Length: 0x5"], BadRequest),
    "a fraction": (["Content-Length: 5.0"], BadRequest),
    "nothing": (["Content-Length:"], BadRequest),
    "a list of one length twice": (["Content-Length: 5, 5"], BadRequest),
    "one length twice": (["Content-Length: 5", "Content-Length: 5"], BadRequest),
    "two lengths": (["Content-Length: 5", "content-length: 6"], BadRequest),
    "a million digits": (["Content-Length: " + "9" * 10_000], BadRequest),
    "chunks": (["Transfer-Encoding: chunked"], LengthRequired),
    "chunks by another name": (["Transfer-Encoding: xchunked"], LengthRequired),
    "chunks that are empty": (["Transfer-Encoding:"], LengthRequired),
    "chunks and a length": (["Transfer-Encoding: chunked", "Content-Length: 5"], BadRequest),
    "chunks twice": (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], BadRequest),
    "more than the limit": ([f"Content-Length: {MOST + 1}"], TooLarge),
}


@pytest.mark.parametrize("what", LENGTHS)
def test_a_length_is_refused_with(what: str) -> None:
    fields, error = LENGTHS[what]
    with pytest.raises(error):
        length(*fields)


def test_a_plain_length_up_to_the_limit_is_a_length() -> None:
    assert [
        length("Content-Length: 0"),
        length("Content-Length:  5 "),
        length(f"Content-Length: {MOST}"),
    ] == [0, 5, MOST]


def test_no_length_is_no_body() -> None:
    assert length() == 0


# Limits and the one property


def test_100_fields_are_read_and_one_more_is_not() -> None:
    assert len(parse("GET / HTTP/1.1", *["X: y"] * 100).fields.all("x")) == 100
    with pytest.raises(HeadTooLarge):
        parse("GET / HTTP/1.1", *["X: y"] * 101)


pieces = st.sampled_from(
    [
        b"GET",
        b"POST",
        b" ",
        b"/",
        b" HTTP/1.1",
        b"\r\n",
        b"\n",
        b"\r",
        b":",
        b"Host",
        b"%",
        b"?",
        b"&",
        b"=",
        b"Content-Length",
        b"5",
        b"\xff",
        b"\0",
        b"\t",
        b"chunked",
    ]
)


@given(st.binary(max_size=100) | st.lists(pieces, max_size=30).map(b"".join))
@example(b"GET / HTTP/1.1\r\nContent-Length: 5")
def test_any_bytes_are_a_head_or_refused(data: bytes) -> None:
    try:
        head = parse_head(data, LIMITS)
        head.content_length(MOST)
        head.one("host")
    except CryptoChatError as error:
        assert 400 <= error.status < 500  # noqa: PT017
        return
    assert head.segments
    "".join((*head.segments, *head.query, *head.query.values())).encode()
