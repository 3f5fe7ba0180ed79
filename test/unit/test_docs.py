"""The documents against the code, both ways: routes, codes, events, options, limits.

What a document names must exist, and what exists must be in a document. API.md is the
reference of the program and its UI server, PROTOCOL.md of what travels between peers.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

import cryptochat_lib
from cryptochat_lib import errors, options
from cryptochat_lib.attempts import REASONS
from cryptochat_lib.events import STREAMS
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import DeliveryState, Trust
from cryptochat_lib.peer_server import PeerApi
from cryptochat_lib.ui_api import UiApi

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROUTE = re.compile(r"`(GET|POST|PUT|DELETE) (/[^ `?]*)")
INSIDE = {"unreachable", "unacceptable-certificate"}
"""Codes that no reply carries; API.md says so."""


@cache
def text_of(name: str) -> str:
    return (DOCS / name).read_text()


def rows(name: str, first_column: str) -> Iterator[list[str]]:
    """The cells of each row of the tables whose head begins with `first_column`."""
    inside = False
    for line in text_of(name).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if not line.startswith("|"):
            inside = False
        elif inside and not cells[0].startswith("---"):
            yield cells
        elif cells[0] == first_column:
            inside = True


def code_of(cell: str) -> list[str]:
    """What stands in backticks, on one line."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", cell)


def ui_routes() -> set[str]:
    return _written(UiApi)


def peer_routes() -> set[str]:
    return _written(PeerApi)


def _written(api: Callable[..., UiApi | PeerApi]) -> set[str]:
    """The routes of an API whose parts do nothing."""
    parts = [Mock() for _ in inspect.signature(api).parameters]
    made = api(*parts)
    routes = [*made.routes, *(made.comparison if isinstance(made, PeerApi) else ())]
    return {f"{route.method} {route.pattern}" for route in routes}


Kind = type[errors.CryptoChatError]


def all_errors(kind: Kind = errors.CryptoChatError) -> Iterator[Kind]:
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


def answered() -> set[tuple[str, str]]:
    """(status, code) of every error that a reply can carry."""
    return {
        (str(e.status), e.code)
        for e in all_errors()
        if e.code not in INSIDE and not issubclass(e, errors.StartupError)
    }


def test_each_route_of_the_ui_is_in_its_table_and_no_other() -> None:
    requests = [request for cells in rows("API.md", "request") for request in ROUTE.findall(cells[0])]
    assert {f"{method} {path}" for method, path in requests} == ui_routes()


def test_each_route_of_the_peer_api_is_in_the_protocol_and_no_other() -> None:
    blocks = re.findall(r"```\n(GET|POST|PUT|DELETE) (/\S+)\n", text_of("PROTOCOL.md"))
    assert {f"{method} {path}" for method, path in blocks} == peer_routes()


def test_a_route_that_any_document_names_exists() -> None:
    known = [re.sub(r"\{\w+\}", "{}", route) for route in ui_routes() | peer_routes()]
    for path in DOCS.glob("*.md"):
        for method, target in ROUTE.findall(path.read_text()):
            if target == "/":  # the page itself
                continue
            named = f"{method} {target}"
            assert any(_fits(named, route) for route in known), f"{path.name}: {named}"


def _fits(named: str, route: str) -> bool:
    """Whether `named`, which may have real names for parameters, is of a route."""
    pattern = re.escape(route).replace(r"\{\}", "[^/]+")
    return re.fullmatch(pattern, named) is not None


def test_each_error_code_is_in_its_table_with_its_status_and_no_other() -> None:
    documented = {(cells[0], code) for cells in rows("API.md", "status") for code in code_of(cells[1])}
    assert documented == answered()


def test_the_codes_that_no_reply_carries_are_named_as_such() -> None:
    codes = {e.code for e in all_errors()}
    assert codes >= INSIDE
    assert set(code_of(text_of("API.md"))) >= INSIDE


def test_each_code_of_the_protocol_is_one_of_ours_with_its_status() -> None:
    known = {code: status for status, code in answered()}
    named = [(cells[0], code) for cells in rows("PROTOCOL.md", "status") for code in code_of(cells[1])]
    assert named
    for statuses, code in named:
        assert known[code] in re.findall(r"\d+", statuses), (statuses, code)


def test_each_kind_of_event_is_in_its_table_and_no_other() -> None:
    assert [code_of(cells[0])[0] for cells in rows("API.md", "`event:`")] == list(STREAMS)


def test_each_reason_for_a_failed_try_is_explained_and_no_other() -> None:
    paragraph = text_of("API.md").partition("**REASON**")[2].partition("\n\n")[0]
    assert code_of(paragraph.replace("\n", " ")) == list(REASONS)


def test_each_option_is_in_its_table_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    option = re.compile(r"--[a-z-]+")
    defaults = {
        name: code_of(cells[1]) for cells in rows("API.md", "option") for name in option.findall(cells[0])
    }
    with pytest.raises(SystemExit):
        options.parse(["--help"])
    assert defaults.keys() == set(option.findall(capsys.readouterr().out.partition("Example:")[0]))
    parsed = options.parse([])
    assert [str(parsed.uiaddr)] == defaults["--uiaddr"]
    assert [str(parsed.addr)] == defaults["--addr"]
    assert [parsed.log] == defaults["--log"]


@pytest.mark.parametrize("command", sorted(options._COMMANDS.keys() - {"run"}))
def test_each_option_of_a_sub_command_is_in_its_table_and_no_other(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    option = re.compile(r"--[a-z-]+")
    documented = {
        name for cells in rows("API.md", f"option of `{command}`") for name in option.findall(cells[0])
    }
    with pytest.raises(SystemExit):
        options.parse([command, "--help"])
    helped, _, example = capsys.readouterr().out.partition("Example:")
    assert documented == set(option.findall(helped))
    assert f"cryptochat {command}" in example


def test_each_sub_command_is_named_in_the_reference_and_in_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        options.parse(["--help"])
    others = capsys.readouterr().out.partition("Other commands:")[2]
    for command in options._COMMANDS.keys() - {"run"}:
        assert re.search(rf"\b{command}\b", others)
        assert f"**`cryptochat {command}" in " ".join(text_of("API.md").split())


def test_each_limit_is_in_its_table_with_its_value_and_no_other() -> None:
    documented = {code_of(cells[0])[0]: float(cells[1]) for cells in rows("PROTOCOL.md", "name")}
    values: dict[str, Any] = dataclasses.asdict(Limits())
    assert documented == {name: float(value) for name, value in values.items()}


def test_the_states_that_a_script_sees_are_documented() -> None:
    api = set(code_of(text_of("API.md")))
    assert api >= {state.value for state in DeliveryState} | {trust.value for trust in Trust} | {"changed"}


def test_no_document_names_a_file_or_a_module_that_is_not_there() -> None:
    top = DOCS.parent
    for path in [*DOCS.glob("*.md"), *top.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
            if not target.startswith(("http:", "https:")):
                assert (path.parent / target).exists(), f"{path.name} links to {target}"
        text = path.read_text()
        for target in re.findall(r"`((?:test|docs|cryptochat_lib|tools|web)/[\w./-]+\.\w+)`", text):
            assert (top / target).exists(), f"{path.name} names {target}"


def test_the_bands_are_the_same_in_the_package_and_in_its_architecture() -> None:
    """`test_bands` holds the code to the package's table; this, the document to the same table."""
    table = inspect.cleandoc(cryptochat_lib.__doc__ or "").partition("\n    values")[2].splitlines()
    written = text_of("ARCHITECTURE.md").partition("\nvalues")[2].partition("```")[0].splitlines()
    assert [line.strip() for line in table] == [line.strip() for line in written]


def test_each_test_that_a_claim_about_security_names_exists() -> None:
    root = DOCS.parent
    named = re.findall(r"`(test/[\w/]+\.py)(?:::(\w+))?`", (root / "SECURITY.md").read_text())
    assert len(named) > 40
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (root / file).is_file() or f"def {name or 'test_'}" not in (root / file).read_text()
    ]
    assert missing == []


def test_each_claim_about_security_names_a_test() -> None:
    text = (DOCS.parent / "SECURITY.md").read_text()
    claims = text.partition("## Somebody who listens")[2].partition("## What is not protected")[0]
    paragraphs = [p for p in claims.split("\n\n") if p.startswith("**")]
    assert len(paragraphs) > 30
    assert [p.splitlines()[0] for p in paragraphs if "Shown by:" not in p] == []
    others = [p for p in claims.strip().split("\n\n") if not p.startswith(("**", "## "))]
    assert others == [""] * len(others), "neither an attacker's heading nor a claim"
