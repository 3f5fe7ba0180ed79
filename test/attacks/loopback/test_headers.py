"""The header fields of the contract, section 2, which keep the page to itself: on every reply there is."""

from __future__ import annotations

import pytest
from loopback_http import HEADERS, ask
from loopback_node import LoopbackNode

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
OTHERS = {
    "connection",
    "content-disposition",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "transfer-encoding",
    "allow",
    "www-authenticate",
}

REPLIES = {
    "200 page": ("GET", "/", [], {}),
    "200 script": ("GET", "/main.js", [], {}),
    "200 style": ("GET", "/style.css", [], {}),
    "200 icon": ("GET", "/icon.svg", [], {}),
    "200 json": ("GET", "/api/info", [], {}),
    "204": ("POST", "/api/rooms/tea", [], {}),
    "202": ("POST", "/api/rooms/tea/message", [], {"json_body": {"content": "hello"}}),
    "400": ("GET", "*", [], {}),
    "401": ("GET", "/api/info", [], {"token": False}),
    "403": ("GET", "/", ["Sec-Fetch-Site: cross-site"], {}),
    "404": ("GET", "/nothing", [], {}),
    "405": ("OPTIONS", "/", [], {}),
    "409": ("POST", "/api/rooms/elsewhere/message", [], {"json_body": {"content": "hello"}}),
    "411": ("PUT", "/api/info", ["Transfer-Encoding: chunked"], {}),
    "413": ("PUT", "/api/info", ["Content-Length: 99999999"], {"body": b"{}"}),
    "415": ("PUT", "/api/info", ["Content-Type: text/plain"], {"body": b"{}"}),
    "421": ("GET", "/", [], {"host": "evil.example"}),
    "431": ("GET", "/" + "a" * 20_000, [], {}),
}


@pytest.mark.parametrize("name", REPLIES)
def test_every_reply_carries_the_contract_s_fields_and_no_others(shared: LoopbackNode, name: str) -> None:
    method, target, fields, options = REPLIES[name]
    reply = ask(shared, method, target, fields, **options)
    assert reply.status == int(name[:3])
    check_exactly(reply.fields)


@pytest.mark.parametrize("target", ["/api/events", "/api/rooms/tea/messages.jsonl"])
def test_a_stream_carries_them_too(shared: LoopbackNode, target: str) -> None:
    with shared.connect() as sock:
        head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{shared.ui_port}\r\n"
        sock.sendall(f"{head}Authorization: Bearer {shared.token}\r\n\r\n".encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += sock.recv(4096)
    status, *lines = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    assert status.startswith("HTTP/1.1 200 ")
    check_exactly({name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)})


def check_exactly(fields: dict[str, str]) -> None:
    assert HEADERS.items() <= fields.items()
    assert fields.keys() - HEADERS.keys() <= OTHERS
    policy = [part.strip().partition(" ") for part in fields["content-security-policy"].split(";")]
    assert {name: value for name, _, value in policy} == POLICY
    assert len(policy) == len(POLICY)


@pytest.mark.parametrize(
    "field",
    [
        "Origin: http://127.0.0.1:{port}",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Mode: cors",
        "Sec-Fetch-Dest: empty",
        "Authorization: Bearer {token}",
        "Content-Type: application/json",
        "Content-Length: 0",
        "Host: 127.0.0.1:{port}",
    ],
)
def test_a_field_that_decides_and_stands_twice_decides_nothing(shared: LoopbackNode, field: str) -> None:
    """Even twice the same: the next version of one of two readers would take the other one."""
    filled = field.format(port=shared.ui_port, token=shared.token)
    name = "forged" if "Content" not in field else ""
    reply = ask(shared, "POST", f"/api/rooms/twice{name}", [filled, filled])
    assert reply.status == (421 if field.startswith("Host") else 400)
    assert shared.room(f"twice{name}") is None


def test_a_target_in_absolute_form_is_refused_even_with_our_name_and_token(shared: LoopbackNode) -> None:
    for host in (f"127.0.0.1:{shared.ui_port}", f"localhost:{shared.ui_port}", "evil.example"):
        assert ask(shared, "POST", f"http://{host}/api/rooms/absolute").status == 400
    assert shared.room("absolute") is None
