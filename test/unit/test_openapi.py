"""The description of the UI API (`docs/openapi.json`) against the code, both ways: routes, codes, limits.

What the replies look like is held against it in `test/loopback/test_openapi.py`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

from cryptochat_lib import errors, ui_api
from cryptochat_lib.attempts import REASONS
from cryptochat_lib.comparisons import Phase
from cryptochat_lib.events import STREAMS
from cryptochat_lib.limits import KIB, MIB, Limits
from cryptochat_lib.model import ROOM_NAME_BYTES, DeliveryState, Trust
from cryptochat_lib.store import CODE
from cryptochat_lib.ui_api import UiApi
from cryptochat_lib.whereabouts import Reach

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENT: dict[str, Any] = json.loads((DOCS / "openapi.json").read_text())
COMPONENTS = DOCUMENT["components"]
SCHEMAS = COMPONENTS["schemas"]
METHODS = ("get", "put", "post", "delete")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item


def problems() -> set[tuple[int, str]]:
    """(status, code) of every error that is described."""
    found = set()
    for status, response in COMPONENTS["responses"].items():
        shape = response["content"]["application/problem+json"]["schema"]["properties"]
        assert shape["status"] == {"const": int(status)}
        found |= {(int(status), code) for code in shape["code"]["enum"]}
    return found


def everything(value: object) -> Iterator[dict[str, Any]]:
    """Every object in the description."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from everything(part)
    elif isinstance(value, list):
        for part in value:
            yield from everything(part)


def test_each_route_is_described_and_no_other() -> None:
    parts = [Mock() for _ in inspect.signature(UiApi).parameters]
    routes = {(route.method, route.pattern) for route in UiApi(*parts).routes}
    assert {(method, path) for method, path, _ in operations()} == routes


def test_each_parameter_of_a_path_is_described_and_no_other() -> None:
    for _, path, item in operations():
        named = re.findall(r"\{(\w+)\}", path)
        assert item.get("parameters", []) == [{"$ref": f"#/components/parameters/{name}"} for name in named]
    for name, parameter in COMPONENTS["parameters"].items():
        assert parameter["name"] == name


def test_each_code_that_the_ui_answers_is_described_with_its_status_and_no_other() -> None:
    """By API.md, which `test_docs` holds to the code: it knows which of them only peers are answered."""
    table = re.findall(r"^\| (\d{3}) \| `([\w-]+)` \| (?:UI|both) \|", (DOCS / "API.md").read_text(), re.M)
    assert problems() == {(int(status), code) for status, code in table}


def test_each_code_that_is_described_is_one_of_ours() -> None:
    def tree(kind: type[errors.CryptoChatError]) -> Iterator[tuple[int, str]]:
        yield kind.status, kind.code
        for child in kind.__subclasses__():
            yield from tree(child)

    assert problems() <= set(tree(errors.CryptoChatError))


def test_each_error_of_an_operation_is_one_that_is_described_and_each_of_these_is_used() -> None:
    used = set()
    for method, path, item in operations():
        for status, response in item[method.lower()]["responses"].items():
            if int(status) >= 400:
                assert response == {"$ref": f"#/components/responses/{status}"}, (method, path)
                used.add(status)
    anywhere_else = {"405"}  # what is not described here
    assert used | anywhere_else == COMPONENTS["responses"].keys()


def test_whatever_needs_the_token_can_be_401_and_only_one_does_not() -> None:
    assert DOCUMENT["security"] == [{"token": []}]
    open_to_all = {
        (method, path) for method, path, item in operations() if item[method.lower()].get("security") == []
    }
    assert open_to_all == {("POST", "/api/session")}
    for method, path, item in operations():
        needs = (method, path) not in open_to_all
        assert ("401" in item[method.lower()]["responses"]) == needs, (method, path)


def test_the_limits_that_are_described_are_in_force() -> None:
    limits = Limits()
    limit = COMPONENTS["parameters"]["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"]) == (1, limits.history_most)
    assert limit["default"] == limits.history_default
    assert SCHEMAS["USERNAME"]["maxLength"] == limits.username_characters
    assert SCHEMAS["ROOMNAME"]["maxLength"] == ROOM_NAME_BYTES
    sent = DOCUMENT["paths"]["/api/rooms/{room}/message"]["post"]["requestBody"]["content"]
    content = sent["application/json"]["schema"]["properties"]["content"]
    assert content["maxLength"] == limits.content_bytes  # a character is one byte at least
    query = DOCUMENT["paths"]["/api/search"]["get"]["parameters"][0]
    assert f"at most {limits.search_words} words" in query["description"]
    too_large, head = COMPONENTS["responses"]["413"], COMPONENTS["responses"]["431"]
    assert f"{limits.body_bytes // MIB} MiB" in too_large["description"]
    assert f"{limits.content_bytes // KIB} KiB" in too_large["description"]
    assert f"{limits.head_bytes // KIB} KiB" in head["description"]
    assert f"{limits.head_fields} fields" in head["description"]


def test_the_states_and_the_events_are_those_of_the_code() -> None:
    assert SCHEMAS["STATE"]["enum"] == [state.value for state in DeliveryState]
    assert SCHEMAS["REACHABILITY"]["enum"] == [reach.value for reach in Reach]
    assert SCHEMAS["REASON"]["enum"] == list(REASONS)
    assert SCHEMAS["STATUS"]["enum"] == [*(trust.value for trust in Trust), "changed"]
    assert SCHEMAS["METHOD"]["enum"] == [*ui_api._METHODS, CODE]
    assert SCHEMAS["COMPARISON"]["properties"]["state"]["enum"] == [phase.value for phase in Phase]
    events = DOCUMENT["paths"]["/api/events"]["get"]["responses"]["200"]["x-events"]
    assert tuple(events) == STREAMS


def test_each_reference_leads_somewhere_and_each_component_is_referred_to() -> None:
    used = {found["$ref"] for found in everything(DOCUMENT) if "$ref" in found}
    there = {
        f"#/components/{kind}/{name}"
        for kind, components in COMPONENTS.items()
        for name in components
        if kind != "securitySchemes"
    }
    assert used <= there
    assert there - used == {"#/components/responses/405"}


def test_every_object_is_closed_so_that_a_field_nobody_described_is_noticed() -> None:
    """Of requests (unknown fields are 400) as of replies."""
    for found in everything(DOCUMENT):
        if found.get("type") == "object" and found is not SCHEMAS["MESSAGE_FIELDS"]:
            assert found["additionalProperties"] is False, found
    for name in ("MESSAGE", "FOUND"):
        assert SCHEMAS[name]["unevaluatedProperties"] is False
