"""Routes are data; a miss says which kind of miss it is; an error becomes a reply in one place."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cryptochat_lib import errors
from cryptochat_lib.errors import BadRequest, CryptoChatError, MethodNotAllowed, NotFound, UnknownUser
from cryptochat_lib.http_head import Head, parse_head
from cryptochat_lib.limits import Limits
from cryptochat_lib.routing import Reply, Request, Route, Routes, json_reply, problem


def handle(request: Request) -> Reply:
    return json_reply(200, dict(request.params))


ROUTES = Routes(
    Route("GET", "/rooms", handle),
    Route("POST", "/rooms/{room}", handle),
    Route("DELETE", "/rooms/{room}", handle),
    Route("POST", "/rooms/{room}/message", handle),
)


def head(line: str) -> Head:
    return parse_head(f"{line} HTTP/1.1".encode(), Limits())


def test_a_route_is_found_with_its_parameters() -> None:
    route, params = ROUTES.find(head("POST /rooms/tea%20time/message"))
    assert route.pattern == "/rooms/{room}/message"
    assert params == {"room": "tea time"}


def test_a_slash_in_a_rooms_name_does_not_end_its_segment() -> None:
    assert ROUTES.find(head("DELETE /rooms/a%2Fmessage"))[1] == {"room": "a/message"}


@pytest.mark.parametrize(
    "path", ["/", "/rooms/", "/rooms/tea/message/", "//rooms", "/Rooms", "/rooms/a/b", "/room"]
)
def test_a_path_that_is_no_route_is_not_found(path: str) -> None:
    if path == "/rooms/":  # an empty name is a name of the wrong form, not another path
        assert ROUTES.find(head(f"POST {path}"))[1] == {"room": ""}
        return
    with pytest.raises(NotFound):
        ROUTES.find(head(f"POST {path}"))


def test_a_path_that_does_not_do_that_says_what_it_does() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        ROUTES.find(head("PUT /rooms/tea"))
    assert refused.value.headers == {"Allow": "DELETE, POST"}


def test_a_method_nobody_knows_is_not_allowed_either() -> None:
    with pytest.raises(MethodNotAllowed):
        ROUTES.find(head("BREW /rooms"))


def test_an_error_is_a_problem_with_status_code_and_one_sentence() -> None:
    reply = problem(UnknownUser())
    assert (reply.status, reply.content_type) == (404, "application/problem+json")
    assert json.loads(reply.body) == {
        "status": 404,
        "code": "unknown-user",
        "message": "No such user has been seen.",
    }


def test_an_errors_header_fields_are_in_its_reply() -> None:
    assert problem(BadRequest("no", headers={"Allow": "GET"})).headers == {"Allow": "GET"}


def every_error(kind: type[CryptoChatError] = CryptoChatError) -> Iterator[type[CryptoChatError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


@pytest.mark.parametrize("kind", sorted(every_error(), key=str))
def test_every_error_can_be_shown_to_a_person(kind: type[CryptoChatError]) -> None:
    body = json.loads(problem(kind()).body)
    assert 400 <= body["status"] <= 599
    assert body["code"] == body["code"].lower()
    assert len(body["message"]) > 10
    assert "\n" not in body["message"]


def test_every_error_stands_in_one_module() -> None:
    assert {kind.__module__ for kind in every_error()} == {errors.__name__}
