"""The guard of the UI server, over raw sockets: what a hostile page or program would send.

Each way in is tried as the attacker would, and each refusal must close the
connection: what follows in the same bytes would be a request of the attacker's choice.
"""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from loopback_http import ask, check_headers, check_problem, exchange, read_to_end, split_replies
from loopback_node import LoopbackNode


def start_of_a_get(node: LoopbackNode) -> str:
    """The first lines of a good request."""
    host = f"127.0.0.1:{node.ui_port}"
    return f"GET /api/info HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {node.token}\r\n"


@pytest.mark.parametrize(
    "target", ["/", "/index.html", "/style.css", "/main.js", "/vendor/vue.js", "/icon.svg"]
)
def test_a_static_file_needs_no_token_and_has_every_header(shared: LoopbackNode, target: str) -> None:
    reply = ask(shared, "GET", target, token=False)
    assert reply.status == 200
    assert reply.body
    check_headers(reply)


def test_the_types_of_the_page_are_what_nosniff_needs(shared: LoopbackNode) -> None:
    def type_of(target: str) -> str:
        return ask(shared, "GET", target, token=False).fields["content-type"]

    assert type_of("/") == "text/html; charset=utf-8"
    assert type_of("/main.js") == "text/javascript; charset=utf-8"
    assert type_of("/style.css") == "text/css; charset=utf-8"
    assert type_of("/icon.svg") == "image/svg+xml"


@pytest.mark.parametrize(
    "target",
    [
        "/../setup.cfg",
        "/..%2fsetup.cfg",
        "/%2e%2e/setup.cfg",
        "/vendor/../../setup.cfg",
        "//etc/passwd",
        "/vendor",
        "/vendor/",
        "/package.json",
        "/node_modules/vue/package.json",
        "/.npmrc",
        "/index.html/",
    ],
)
def test_no_path_leads_out_of_the_page(shared: LoopbackNode, target: str) -> None:
    check_problem(ask(shared, "GET", target), 404, "not-found")


def test_a_good_reply_keeps_the_connection_and_has_every_header(shared: LoopbackNode) -> None:
    once = start_of_a_get(shared)
    replies = exchange(shared, f"{once}\r\n{once}Connection: close\r\n\r\n".encode())
    assert [reply.status for reply in replies] == [200, 200]
    for reply in replies:
        check_headers(reply)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:{other}",
        "localhost:{other}",
        "127.0.0.1.evil.example:{port}",
        "127.0.0.2:{port}",
        "0.0.0.0:{port}",
        "[::]:{port}",
        "user@127.0.0.1:{port}",
        "localhost.:{port}",
        "127.1:{port}",
        "2130706433:{port}",
    ],
)
@pytest.mark.parametrize("target", ["/", "/api/info"])
def test_dns_rebinding_meets_a_host_that_is_not_ours(shared: LoopbackNode, host: str, target: str) -> None:
    host = host.format(port=shared.ui_port, other=shared.ui_port % 65535 + 1)
    check_problem(ask(shared, "GET", target, host=host), 421, "misdirected")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_each_loopback_name_with_our_port_is_ours(shared: LoopbackNode, host: str) -> None:
    assert ask(shared, "GET", "/api/info", host=f"{host}:{shared.ui_port}").status == 200


def test_two_hosts_are_not_exactly_one(shared: LoopbackNode) -> None:
    ours = f"Host: 127.0.0.1:{shared.ui_port}"
    for second in (ours, "Host: evil.example"):
        data = f"GET / HTTP/1.1\r\n{ours}\r\n{second}\r\n\r\n".encode()
        [reply] = exchange(shared, data)
        check_problem(reply, 421, "misdirected")


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "http://evil.example/", "*", "127.0.0.1:80"])
def test_a_target_that_is_no_path_is_refused(shared: LoopbackNode, target: str) -> None:
    check_problem(ask(shared, "GET", target.format(port=shared.ui_port)), 400, "malformed")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "whatever"])
@pytest.mark.parametrize("target", ["/api/info", "/main.js", "/"])
def test_another_site_or_another_port_of_this_machine_gets_nothing(
    shared: LoopbackNode, site: str, target: str
) -> None:
    fields = [f"Sec-Fetch-Site: {site}", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: empty"]
    check_problem(ask(shared, "GET", target, fields), 403, "forbidden")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "same-origin"])
def test_opening_the_page_as_a_document_passes_from_anywhere(shared: LoopbackNode, site: str) -> None:
    fields = [f"Sec-Fetch-Site: {site}", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]
    assert ask(shared, "GET", "/", fields, token=False).status == 200
    if site != "same-origin":
        check_problem(ask(shared, "GET", "/main.js", fields, token=False), 403, "forbidden")
        check_problem(ask(shared, "POST", "/", fields), 403, "forbidden")


@pytest.mark.parametrize("dest", ["iframe", "frame", "embed", "object"])
def test_the_page_is_not_framed_by_another_site(shared: LoopbackNode, dest: str) -> None:
    fields = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", f"Sec-Fetch-Dest: {dest}"]
    check_problem(ask(shared, "GET", "/", fields, token=False), 403, "forbidden")


@pytest.mark.parametrize(
    "fields",
    [
        ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
        ["Sec-Fetch-Mode: navigate"],
        ["Sec-Fetch-Dest: document"],
        ["Sec-Fetch-Dest: iframe"],
        ["Sec-Fetch-Dest: script"],
        ["Sec-Fetch-Dest: image"],
        ["Sec-Fetch-Dest: style"],
    ],
)
@pytest.mark.parametrize("target", ["/api/info", "/api/events", "/rooms"])
def test_the_api_is_only_ever_fetched(shared: LoopbackNode, fields: list[str], target: str) -> None:
    check_problem(ask(shared, "GET", target, ["Sec-Fetch-Site: same-origin", *fields]), 403, "forbidden")


def test_the_page_s_own_fetch_passes(shared: LoopbackNode) -> None:
    fields = [
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Mode: cors",
        "Sec-Fetch-Dest: empty",
        f"Origin: http://127.0.0.1:{shared.ui_port}",
    ]
    assert ask(shared, "PUT", "/api/info", fields, json_body={"username": "Ada L."}).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "https://127.0.0.1:{port}",
        "http://localhost:{port}",
        "",
    ],
)
def test_another_origin_is_refused(shared: LoopbackNode, origin: str) -> None:
    fields = [f"Origin: {origin.format(port=shared.ui_port)}"]
    check_problem(ask(shared, "POST", "/api/rooms/tea", fields), 403, "forbidden")
    assert shared.room("tea") is None


@pytest.mark.parametrize("target", ["/", "/main.js", "/api/info", "/api/rooms/tea", "/nothing", "*"])
def test_options_is_refused_so_no_preflight_passes(shared: LoopbackNode, target: str) -> None:
    fields = ["Origin: https://evil.example", "Access-Control-Request-Method: PUT"]
    reply = ask(shared, "OPTIONS", target, fields)
    check_problem(reply, *((405, "method-not-allowed") if target != "*" else (400, "malformed")))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_on_get_is_refused(shared: LoopbackNode, method: str) -> None:
    with socket.create_connection(("127.0.0.1", shared.ui_port), 10) as sock:
        sock.sendall(
            f"{method} /api/info HTTP/1.1\r\nHost: 127.0.0.1:{shared.ui_port}\r\n"
            f"Authorization: Bearer {shared.token}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        reply = read_to_end(sock)
    if method == "HEAD":  # its reply has no body
        assert reply.startswith(b"HTTP/1.1 400 ")
        assert reply.endswith(b"\r\n\r\n")
    else:
        check_problem(split_replies(reply)[0], 400, "malformed")


def test_chunks_are_refused(shared: LoopbackNode) -> None:
    chunked = b"2\r\n{}\r\n0\r\n\r\n"
    length_required = ask(
        shared, "PUT", "/api/info", ["Transfer-Encoding: chunked", "Content-Type: application/json"]
    )
    check_problem(length_required, 411, "length-required")
    fields = ["Transfer-Encoding: chunked", f"Content-Length: {len(chunked)}"]
    check_problem(ask(shared, "PUT", "/api/info", fields, chunked), 400, "malformed")


@pytest.mark.parametrize(
    "length", ["+2", "-2", "-1", "2.0", "0x2", "1_0", "02", "٢", "", " ", "2, 2", "2;", "1e1", "9" * 20]
)
def test_a_length_that_is_no_plain_decimal_is_refused(shared: LoopbackNode, length: str) -> None:
    fields = [f"Content-Length: {length}", "Content-Type: application/json"]
    check_problem(ask(shared, "PUT", "/api/info", fields, b"{}"), 400, "malformed")


@pytest.mark.parametrize("second", ["2", "3"])
def test_two_lengths_are_refused(shared: LoopbackNode, second: str) -> None:
    fields = ["Content-Length: 2", f"Content-Length: {second}", "Content-Type: application/json"]
    check_problem(ask(shared, "PUT", "/api/info", fields, b"{}"), 400, "malformed")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/jsonp",
        "",
    ],
)
def test_what_a_form_can_send_is_refused(shared: LoopbackNode, content_type: str) -> None:
    reply = ask(shared, "PUT", "/api/info", [f"Content-Type: {content_type}"], b'{"username": "Eve"}')
    check_problem(reply, 415, "unsupported-media-type")
    assert shared.get("/api/info")["username"] != "Eve"


def test_a_json_body_may_name_its_charset(shared: LoopbackNode) -> None:
    fields = ["Content-Type: application/json; charset=utf-8"]
    assert ask(shared, "PUT", "/api/info", fields, b'{"username": "Ada B."}').status == 200


def test_a_head_is_measured_from_both_sides(shared: LoopbackNode) -> None:
    start = start_of_a_get(shared)
    end = "Connection: close\r\n\r\n"
    room = shared.limits.head_bytes - len(start) - len(end) - len("X: \r\n")
    [fits] = exchange(shared, f"{start}X: {'a' * room}\r\n{end}".encode())
    assert fits.status == 200
    [too_large] = exchange(shared, f"{start}X: {'a' * (room + 1)}\r\n{end}".encode())
    check_problem(too_large, 431, "head-too-large")


def test_the_fields_of_a_head_are_counted_from_both_sides(shared: LoopbackNode) -> None:
    ours = 3  # Host, Authorization, Connection
    most = [f"X-{number}: a" for number in range(shared.limits.head_fields - ours)]
    assert ask(shared, "GET", "/api/info", most).status == 200
    check_problem(ask(shared, "GET", "/api/info", [*most, "Y: a"]), 431, "head-too-large")


def test_a_head_without_end_is_answered_before_it_ends(shared: LoopbackNode) -> None:
    with socket.create_connection(("127.0.0.1", shared.ui_port), 10) as sock:
        sock.sendall(b"GET /" + b"a" * (shared.limits.head_bytes + 1))
        check_problem(split_replies(read_to_end(sock))[0], 431, "head-too-large")


def test_a_body_is_measured_from_both_sides(shared: LoopbackNode) -> None:
    most = shared.limits.body_bytes
    body = json.dumps({"username": "Ada C."}).encode().ljust(most)
    assert ask(shared, "PUT", "/api/info", body=body).status == 200
    check_problem(ask(shared, "PUT", "/api/info", [f"Content-Length: {most + 1}"], b"{}"), 413, "too-large")


@pytest.mark.parametrize(
    "line",
    [
        "GET /api/info",
        "GET  /api/info HTTP/1.1",
        "GET /api/info HTTP/2.0",
        "get /api/info HTTP/1.1",
        "GET /api/info HTTP/1.1 ",
        "G@T /api/info HTTP/1.1",
        "",
        "\x16\x03\x01\x02",
        "GET /%ff HTTP/1.1",
        "GET /api/in fo HTTP/1.1",
    ],
)
def test_a_malformed_request_line_is_refused(shared: LoopbackNode, line: str) -> None:
    [reply] = exchange(shared, f"{line}\r\nHost: 127.0.0.1:{shared.ui_port}\r\n\r\n".encode())
    check_problem(reply, 400, "malformed")


@pytest.mark.parametrize(
    "field",
    ["No colon", "Space : a", " folded", "Nul: a\0b", ": no name", "Bell: \a", "Bare: a\nInjected: b"],
)
def test_a_malformed_field_is_refused(shared: LoopbackNode, field: str) -> None:
    check_problem(ask(shared, "GET", "/api/info", [field]), 400, "malformed")


REFUSED: list[tuple[int, str, list[str], dict[str, Any]]] = [
    (401, "POST /api/rooms/tea/message", ["Content-Type: application/json"], {"token": False}),
    (
        403,
        "POST /api/rooms/tea/message",
        ["Content-Type: application/json", "Sec-Fetch-Site: cross-site"],
        {},
    ),
    (404, "POST /api/nothing", ["Content-Type: application/json"], {}),
    (405, "PATCH /api/info", ["Content-Type: application/json"], {}),
    (405, "OPTIONS /api/info", [], {}),
    (415, "POST /api/rooms/tea/message", ["Content-Type: text/plain"], {}),
    (421, "POST /api/rooms/tea/message", ["Host: evil.example"], {}),
]


@pytest.mark.parametrize(("status", "line", "fields", "options"), REFUSED, ids=[str(r[:2]) for r in REFUSED])
def test_a_request_smuggled_in_an_unread_body_is_not_answered(
    shared: LoopbackNode, status: int, line: str, fields: list[str], options: dict[str, Any]
) -> None:
    smuggled = (
        f"POST /api/rooms/smuggled HTTP/1.1\r\nHost: 127.0.0.1:{shared.ui_port}\r\n"
        f"Authorization: Bearer {shared.token}\r\n\r\n"
    )
    token = f"Authorization: Bearer {shared.token}\r\n" if options.get("token", True) else ""
    host = "" if any(f.startswith("Host") for f in fields) else f"Host: 127.0.0.1:{shared.ui_port}\r\n"
    head = f"{line} HTTP/1.1\r\n{host}{token}Content-Length: {len(smuggled)}\r\n" + "".join(
        f"{f}\r\n" for f in fields
    )
    replies = exchange(shared, f"{head}\r\n{smuggled}".encode())
    assert [reply.status for reply in replies] == [status]
    assert replies[0].fields["connection"] == "close"
    assert shared.room("smuggled") is None
