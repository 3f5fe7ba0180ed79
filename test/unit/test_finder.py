"""Finding whoever is at an address that was typed: what a name may mean, and a system without threads."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from certificates import make_certificate

from cryptochat_lib import finder as finder_module
from cryptochat_lib.attempts import Attempts
from cryptochat_lib.errors import Unreachable
from cryptochat_lib.finder import Finder
from cryptochat_lib.limits import Limits
from cryptochat_lib.looker import Looker
from cryptochat_lib.model import Contact, Endpoint
from cryptochat_lib.neighbourhood import Neighbourhood
from cryptochat_lib.presence import Presence
from cryptochat_lib.store import Store

NAMED = Contact(1, None, None, False, ("ada.example:4242",), 0)


@pytest.fixture
def finder(store: Store) -> Finder:
    limits = Limits(contacts_at_once=1)
    looker = cast(Looker, SimpleNamespace())
    near = Neighbourhood(())
    return Finder(make_certificate(), store, Presence(limits), looker, near, Attempts(), limits)


def answer(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Whatever name is looked up is at `hosts`."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in hosts]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def places_of(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> tuple[Endpoint, ...]:
    """Where it is looked for whoever has the name."""
    tried: list[tuple[Endpoint, ...]] = []

    def look(endpoints: tuple[Endpoint, ...], *_: Any) -> None:
        tried.append(endpoints)
        raise Unreachable("nobody is there")

    monkeypatch.setattr(finder_module.peer_client, "look_at_any", look)
    finder.find(NAMED)
    for thread in threading.enumerate():
        if thread.name == "find":
            thread.join()
    return tried[0] if tried else ()


def test_a_name_server_cannot_make_us_connect_to_what_is_no_machine(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = (
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "ff02::1",
        "::ffff:0.0.0.0",
    )
    answer(monkeypatch, *none, "10.0.0.3", "::ffff:10.0.0.4", "2001:db8::1")
    assert [e.host for e in places_of(finder, monkeypatch)] == ["10.0.0.3", "10.0.0.4", "2001:db8::1"]


def test_of_the_thousands_of_addresses_of_a_name_eight_are_tried(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, *(f"10.0.{n // 250}.{n % 250 + 1}" for n in range(2000)))
    assert len(places_of(finder, monkeypatch)) == 8


def test_a_system_without_a_thread_to_spare_is_asked_again(
    finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", refuse)
        finder.find(NAMED)
    answer(monkeypatch, "10.0.0.3")
    assert places_of(finder, monkeypatch) == (Endpoint("10.0.0.3", 4242),)
