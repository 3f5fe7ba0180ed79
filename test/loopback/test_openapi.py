"""The UI API against its description (`docs/openapi.json`): what a client made from that will meet.

`schemathesis` makes up requests, right ones and wrong ones, and holds every reply to the description:
a status and a type that are described, the shape that goes with it, no fault of ours. The time is
part of `--fuzz-seconds`; `--fuzz-seed` repeats an earlier run. The events, which never end, are read here.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, trust
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
ENDLESS = "/api/events"
PART_OF_FUZZING = 1 / 3
EXAMPLES = 5
_OF = "/api/users/{uuid}"
NEEDS_LUCK = {
    "POST /api/session",
    f"POST {_OF}/verify",
    f"DELETE {_OF}/verify",
    f"POST {_OF}/comparison",
    "POST /api/contacts",
}
"""They take a code, an address or a fingerprint that nobody guesses."""
METHODS = ("get", "put", "post", "delete")

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    found: Document = json.loads(DESCRIPTION.read_text())
    return found


@pytest.fixture
def lively(ada: LoopbackNode, make_peer: Callable[..., HandmadePeer]) -> LoopbackNode:
    """A node that has a friend, a stranger of whom it was asked, a room, and messages in it."""
    friend, stranger = make_peer(), make_peer()
    trust(ada, friend, "tea")
    stranger.announce("tea", name="Mallory")
    ada.wait_knows(stranger.uuid, stranger.fingerprint_sha256)
    ada.post(f"/api/users/{stranger.uuid}/look")
    ada.send("tea", "hello")
    ada.post("/api/contacts", {"address": "127.0.0.1:9"})
    return ada


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seconds" in metafunc.fixturenames:
        seconds = PART_OF_FUZZING * metafunc.config.getoption("fuzz_seconds")
        patience = pytest.mark.timeout(2 * seconds + 120)
        metafunc.parametrize("seconds", [pytest.param(seconds, marks=patience)])


def test_every_reply_is_as_it_is_described(
    lively: LoopbackNode, seconds: float, request: pytest.FixtureRequest
) -> None:
    given_seed = request.config.getoption("fuzz_seed")
    first = random.SystemRandom().randrange(10**6) if given_seed is None else given_seed
    print(f"--fuzz-seed {first}")
    schema = schemathesis.openapi.from_path(DESCRIPTION)
    schema.config.update(base_url=f"http://127.0.0.1:{lively.ui_port}")
    operations = [found.ok() for found in schema.get_all_operations()]
    statuses: dict[str, set[int]] = {}
    people = [user["uuid"] for user in lively.get("/api/users")["users"]]
    ends = time.monotonic() + seconds
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {lively.token}"
        for number in itertools.count(first):
            for operation in operations:
                if operation.path != ENDLESS:
                    _be_in_tea(lively)
                    name = f"{operation.method.upper()} {operation.path}"
                    statuses.setdefault(name, set()).update(_try(operation, session, number, people))
                if time.monotonic() > ends and len(statuses) == len(operations) - 1:
                    never = {name for name, found in statuses.items() if min(found) >= 300}
                    assert never <= NEEDS_LUCK, f"no request went well: {never} of {statuses}"
                    return


def _be_in_tea(node: LoopbackNode) -> None:
    """Join it again if it was left; the others are left first, so that there is room for it."""
    joined = [room["name"] for room in node.get("/api/rooms")["rooms"] if room["joined"]]
    if "tea" not in joined:
        for room in joined:
            node.leave(room)
        node.join("tea")


def _try(operation: Any, session: requests.Session, number: int, people: list[str]) -> set[int]:
    """Some requests of one kind, right and wrong; returns the statuses of the replies.

    Half of them are about a room and people that there are, of whom the description knows nothing.
    """
    statuses = set()
    known = {"room": "tea", "uuid": people[number % len(people)], "id": "1"}
    turns = itertools.cycle((True, False))
    for mode in GenerationMode:

        @seed(number)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            if next(turns):
                case.path_parameters.update({k: v for k, v in known.items() if k in case.path_parameters})
            reply = case.call(session=session, timeout=30)
            case.validate_response(reply, checks=CHECKS)
            statuses.add(reply.status_code)

        ask()
    return statuses


def operations_of(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def test_without_a_token_everything_but_the_exchange_of_the_code_is_401(
    shared: LoopbackNode, document: Document
) -> None:
    for method, path, operation in operations_of(document):
        target = path.format(room="tea", uuid="0704411d-699b-4cc0-9a55-6d9b2f1c0a11", id="1")
        for token in ("", "Bearer ", f"Bearer {shared.token}x", f"Basic {shared.token}"):
            connection = http.client.HTTPConnection("127.0.0.1", shared.ui_port, timeout=10)
            connection.request(method.upper(), target, headers={"Authorization": token} if token else {})
            reply = connection.getresponse()
            expected = 400 if operation.get("security") == [] else 401
            assert reply.status == expected, f"{method} {path} with {token!r}: {reply.read()!r}"
            connection.close()


def test_every_event_is_as_it_is_described(lively: LoopbackNode, document: Document) -> None:
    described = document["paths"][ENDLESS]["get"]["responses"]["200"]["x-events"]
    wanted = {"verification", "messages", "delivery", "rooms", "users", "contacts", "read", "reset"}
    lively.wait_for("delivery")
    lively.put("/api/rooms/tea/read", {"id": lively.send("tea", "read at once")["id"]})
    lively.wait_for("read")
    lively.delete("/api/rooms/tea/messages")
    for kind in wanted:
        lively.wait_for(kind)
    found = {}
    for event in lively.events.items:
        found[event.kind] = event
        schema = {**described[event.kind], "components": document["components"]}
        jsonschema_rs.validator_for(schema).validate(event.data)
    assert found.keys() == wanted == described.keys()
