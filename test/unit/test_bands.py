"""The shape of the library: what may import what, and what every module has.

The order is the table in the docstring of `cryptochat_lib`: a module imports
only from the rows above its own, and in its own row from what stands further to
the left in its chain, past a `>`.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cryptochat_lib

LIBRARY = Path(cryptochat_lib.__file__).parent
FILES = sorted(LIBRARY.rglob("*.py"))
NAMES = [file.relative_to(LIBRARY).with_suffix("").as_posix() for file in FILES]

# Where each package that is not ours, and each part of the standard library that matters, is at home.
DISCOVERY = {
    "discovery",
    "mdns_asking",
    "mdns_health",
    "mdns_link",
    "mdns_links",
    "mdns_prompt",
    "mdns_records",
}
HOMES = {
    "zeroconf": DISCOVERY,
    "asyncio": DISCOVERY,
    "ifaddr": {"interfaces"},
    "cryptography": {"identity", "sealing"},
    "sqlite3": {"store/database"},
    "ssl": {"tls"},
    "urllib.request": {"peer_client"},
    "selectors": {"dialing"},
    "http.server": {"serving"},
    "http.client": {"ui_client"},
    "argparse": {"arguments"},
}
INSTALLED = {"zeroconf", "ifaddr", "cryptography"}
MOST_LINES = 300


def table() -> list[list[list[set[str]]]]:
    """The rows of the docstring: each has chains, each chain has steps, each step a set of modules."""
    text = re.sub(r"\n {8,}>", " >", cryptochat_lib.__doc__ or "")  # a chain may go on below itself
    text = re.sub(r"\n {8,}", "   ", text)  # and so may a row
    rows = re.findall(r"^    (?:[a-z]+(?: cases)?) {2,}(\S.*)$", text, re.MULTILINE)
    return [
        [
            [set(re.split(r", *", step.strip())) for step in chain.split(">")]
            for chain in re.split(r" {3,}", row)
        ]
        for row in rows
    ]


def allowed() -> dict[str, set[str]]:
    """For each module of the table, what it may import."""
    above: set[str] = set()
    may: dict[str, set[str]] = {}
    for row in table():
        for chain in row:
            left: set[str] = set()
            for step in chain:
                may.update(dict.fromkeys(step, above | left))
                left |= step
        above = set(may)
    return may


def part(name: str) -> str:
    """The module of the table that a file belongs to: `store` is one."""
    return name.split("/")[0]


@functools.cache
def tree(name: str) -> ast.Module:
    return ast.parse((LIBRARY / f"{name}.py").read_text("utf-8"))


def our_imports(name: str) -> Iterator[str]:
    """Our own modules that a file imports, wherever in it."""
    package = ["cryptochat_lib", *name.split("/")[:-1]]
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
            path = [word for word in base if word][1:]
            yield from [path[0]] if path else [alias.name for alias in node.names]


def foreign_imports(name: str) -> Iterator[str]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_of(library: str, imported: str) -> bool:
    return imported == library or imported.startswith(library + ".")


def test_every_module_stands_in_the_table_once() -> None:
    listed = [name for row in table() for chain in row for step in chain for name in step]
    assert sorted(listed) == sorted({part(name) for name in NAMES} - {"__init__"})


@pytest.mark.parametrize("name", NAMES)
def test_a_module_imports_only_from_the_rows_above_its_own(name: str) -> None:
    may = allowed().get(part(name), set()) | {"__version__"}
    if "/" in name:  # the parts of a package may use each other
        may.add(part(name))
    assert set(our_imports(name)) <= may


def test_the_parts_of_the_store_are_in_order_too() -> None:
    order = ["commits", "copies", "wal", "schema", "database", "search", "wiping", "opening"]
    order += [
        "settings",
        "contacts",
        "keys",
        "records",
        "recipients",
        "rows",
        "strokes",
        "reads",
        "messages",
        "queue",
        "__init__",
    ]
    for place, name in enumerate(order):
        used = {
            module
            for node in ast.walk(tree(f"store/{name}"))
            if isinstance(node, ast.ImportFrom) and node.level == 1
            for module in ([node.module] if node.module else [alias.name for alias in node.names])
        }
        assert used <= set(order[:place]), name


@pytest.mark.parametrize("library", HOMES)
def test_an_outside_library_has_one_home(library: str) -> None:
    users = {name for name in NAMES if any(is_of(library, imported) for imported in foreign_imports(name))}
    assert users
    assert users <= HOMES[library]


def test_nothing_else_needs_to_be_installed() -> None:
    known = sys.stdlib_module_names | INSTALLED
    for name in NAMES:
        assert {imported.split(".")[0] for imported in foreign_imports(name)} <= known, name


@pytest.mark.parametrize("name", NAMES)
def test_a_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(tree(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_module_fits_one_sitting(name: str) -> None:
    assert len((LIBRARY / f"{name}.py").read_text("utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", NAMES)
def test_a_broad_except_hides_nothing(name: str) -> None:
    """At the top of a thread, a request or a callback, where it logs; or it raises again."""
    lines = (LIBRARY / f"{name}.py").read_text("utf-8").splitlines()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ExceptHandler) and is_broad(node):
            line = lines[node.lineno - 1]
            assert raises_again(node) or logs(node) or "#" in line, f"{name}.py:{node.lineno}: {line.strip()}"


def raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def logs(handler: ast.ExceptHandler) -> bool:
    """With the traceback."""
    return any(isinstance(node, ast.Attribute) and node.attr == "exception" for node in ast.walk(handler))


def is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")
    )
