"""Listening and announcing follow the machine: addresses, cables, sleep. And each link says how it is.

`Listeners` and `Discovery` alone, in this process, on machines of the laboratory.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from lab import Host, Lan
from waiting import Collected, wait_until

from cryptochat_lib import discovery as discovery_module
from cryptochat_lib import listening
from cryptochat_lib.connections import Connections
from cryptochat_lib.discovery import Discovery, LinkHealth, OwnAnnouncement
from cryptochat_lib.errors import UsageError
from cryptochat_lib.http_head import Head
from cryptochat_lib.limits import Limits
from cryptochat_lib.listening import Listeners
from cryptochat_lib.model import Announcement, Endpoint, PeerId
from cryptochat_lib.routing import Reply
from cryptochat_lib.serving import Handler, Server
from cryptochat_lib.store import Store

AT_ONCE = 6.0
LIMITS = Limits(silence_seconds=24)  # a tick of discovery each second
ADA, BOB = (PeerId(f"8d0c9f3e-25ba-4d8c-9a52-6d0b7f7a000{number}") for number in (1, 2))


class Door:
    """What stands for a server: it listens."""

    def __init__(self, endpoint: Endpoint) -> None:
        family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
        address = socket.getaddrinfo(endpoint.host, endpoint.port, family, socket.SOCK_STREAM)[0][4]
        everywhere = endpoint.host == "::"
        self.socket = socket.create_server(address, family=family, dualstack_ipv6=everywhere)
        self.port = int(self.socket.getsockname()[1])

    def start(self) -> None:
        """It does already."""

    def stop(self) -> None:
        self.socket.close()

    server_close = stop


StartListeners = Callable[..., "Listeners[Any]"]


@pytest.fixture
def told() -> Collected[Collection[str]]:
    """Where discovery is told that we listen."""
    return Collected()


@pytest.fixture
def listen(told: Collected[Collection[str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[StartListeners]:
    """Start listeners, which look a few times a second instead of every 2 s."""
    monkeypatch.setattr(listening, "_LOOK_SECONDS", 0.3)
    with ExitStack() as stack:

        def listen(host: Host, addr: str = "", *names: str, connections: Any = None) -> Listeners[Any]:
            end_stranded = connections.end_stranded if connections is not None else lambda: None
            listeners: Listeners[Any] = Listeners(Endpoint(addr, 0), names, Door, told.add, end_stranded)
            stack.callback(listeners.stop)
            host.inside(listeners.open)
            host.inside(listeners.start)
            return listeners

        yield listen


def answers(host: Host, address: str, port: int) -> bool:
    try:
        host.connect(port, address, timeout=1).close()
    except OSError:
        return False
    return True


def test_without_an_address_there_is_a_port_and_a_server_as_soon_as_one_comes(
    lan: Lan, listen: StartListeners, told: Collected[Collection[str]]
) -> None:
    host = lan.hosts[0]
    host.ip("link", "add", "late0", "type", "bridge")
    listeners = listen(host, "", "late0")
    assert listeners.port
    assert not listeners.servers
    host.ip("address", "add", "10.9.0.1/24", "dev", "late0")
    host.ip("link", "set", "late0", "up")
    told.wait_for(lambda hosts: "10.9.0.1" in hosts, AT_ONCE)
    assert answers(host, "10.9.0.1", listeners.port)
    host.ip("link", "delete", "late0")
    told.wait_for(lambda hosts: not hosts, AT_ONCE, after=told.mark() - 1)
    assert not listeners.servers


def test_a_port_that_is_taken_at_a_new_address_is_said_once_and_tried_again(
    lan: Lan, listen: StartListeners, told: Collected[Collection[str]], caplog: pytest.LogCaptureFixture
) -> None:
    host = lan.hosts[0]
    listeners = listen(host, "", "eth0")
    caplog.set_level(logging.DEBUG, "cryptochat_lib.listening")
    host.ip("address", "add", "10.77.9.60/24", "dev", "lo")
    with host.inside(lambda: socket.create_server(("10.77.9.60", listeners.port))):
        host.ip("address", "delete", "10.77.9.60/24", "dev", "lo")
        host.ip("address", "add", "10.77.9.60/24", "dev", "eth0")
        wait_until(lambda: len(caplog.records) >= 2, AT_ONCE)
        assert "10.77.9.60" not in told.items[-1], "and nobody is sent there"
    told.wait_for(lambda hosts: "10.77.9.60" in hosts, AT_ONCE)
    assert answers(host, "10.77.9.60", listeners.port)
    said = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
    assert ["10.77.9.60" in text for text in said] == [True]
    host.ip("address", "delete", "10.77.9.60/24", "dev", "eth0")


def test_a_named_address_may_go_and_come_back(lan: Lan, listen: StartListeners) -> None:
    host = lan.hosts[0]
    host.ip("address", "add", "10.77.8.8/24", "dev", "eth0")
    listeners = listen(host, "10.77.8.8")
    assert answers(host, "10.77.8.8", listeners.port)
    host.ip("address", "delete", "10.77.8.8/24", "dev", "eth0")
    wait_until(lambda: not listeners.servers, AT_ONCE)
    host.ip("address", "add", "10.77.8.8/24", "dev", "eth0")
    wait_until(lambda: answers(host, "10.77.8.8", listeners.port), AT_ONCE)
    host.ip("address", "delete", "10.77.8.8/24", "dev", "eth0")


def test_a_connection_from_an_address_that_has_gone_ends_at_once(lan: Lan, listen: StartListeners) -> None:
    one, two, _ = lan.hosts
    one.ip("address", "add", "10.77.0.61/24", "dev", "eth0")
    connections = Connections(9, 9, 9)
    listen(one, connections=connections)
    with two.inside(lambda: socket.create_server((two.address, 0))) as server:
        port = server.getsockname()[1]
        for own, is_to_stay in ((one.address, True), ("10.77.0.61", False)):
            there = (two.address, port)
            sock = one.inside(lambda own=own, there=there: socket.create_connection(there, 5, (own, 0)))
            connections.outgoing(sock, two.address, "key")
            if is_to_stay:
                stays = sock
        one.ip("address", "delete", "10.77.0.61/24", "dev", "eth0")
        sock.settimeout(AT_ONCE)
        assert sock.recv(1) == b""
        stays.settimeout(0.2)
        with pytest.raises(TimeoutError):
            stays.recv(1)
        stays.close()
        sock.close()


def test_ipv6_that_is_switched_off_may_come_later(lan: Lan, listen: StartListeners) -> None:
    host = lan.hosts[2]
    switch = Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")
    host.inside(lambda: switch.write_text("1"))
    listeners = listen(host)
    assert answers(host, "127.0.0.1", listeners.port)
    host.inside(lambda: switch.write_text("0"))
    wait_until(lambda: answers(host, "::1", listeners.port), AT_ONCE)
    host.ip("-6", "address", "replace", f"{host.address6}/64", "dev", "eth0", "nodad")


def test_a_name_without_an_address_is_chosen_and_an_unknown_one_is_not(lan: Lan) -> None:
    host = lan.hosts[0]
    host.ip("link", "add", "bare0", "type", "bridge")
    host.inside(lambda: _open("bare0"))
    for name in ("bare1", "10.9.9.9"):
        with pytest.raises(UsageError, match=name):
            host.inside(lambda name=name: _open(name))
    host.ip("link", "delete", "bare0")


def _open(name: str) -> None:
    listeners: Listeners[Any] = Listeners(Endpoint("", 0), [name], Door, lambda _: None, lambda: None)
    listeners.open()
    listeners.close()


class Ears:
    """A listener that keeps whom it has seen, and how often it was told that we have moved."""

    def __init__(self) -> None:
        self.seen_: Collected[Announcement] = Collected()
        self.gone_: Collected[PeerId] = Collected()
        self.moves: Collected[None] = Collected()

    def seen(self, announcement: Announcement) -> None:
        self.seen_.add(announcement)

    def gone(self, uuid: PeerId) -> None:
        self.gone_.add(uuid)

    def claimed(self, own: PeerId, endpoints: Sequence[Endpoint]) -> None:
        """Not what these tests are about."""

    def moved(self) -> None:
        self.moves.add(None)


StartDiscovery = Callable[..., tuple[Discovery, Ears]]


@pytest.fixture
def discover() -> Iterator[StartDiscovery]:
    with ExitStack() as stack:

        def discover(
            host: Host, uuid: PeerId, *names: str, listening: list[str] | None = None
        ) -> tuple[Discovery, Ears]:
            ears = Ears()
            discovery = Discovery(ears, names, LIMITS)
            discovery.listens_on(listening)
            stack.callback(discovery.stop)
            host.inside(discovery.start)
            discovery.announce(OwnAnnouncement(uuid, 4000))
            return discovery, ears

        yield discover


def health(discovery: Discovery, wanted: Callable[[LinkHealth], bool], name: str = "eth0") -> LinkHealth:
    """How that interface is, once it is so."""

    def look() -> LinkHealth | None:
        discovery.ask()
        return next((one for one in discovery.health() if one.name == name and wanted(one)), None)

    try:
        found = wait_until(look, AT_ONCE)
    except TimeoutError:
        raise TimeoutError(f"it is not so: {discovery.health()}") from None
    assert found
    return found


def test_each_link_says_how_it_is(lan: Lan, discover: StartDiscovery) -> None:
    one, two, _ = lan.hosts
    one.ip("link", "add", "bare0", "type", "bridge")
    ada, _ = discover(one, ADA, "eth0", "bare0")
    alone = health(ada, lambda link: link.returned is not None)
    assert (alone.open, alone.announced, alone.connected, alone.error) == (True, True, True, None)
    assert one.address in alone.addresses
    bare = health(ada, lambda link: True, "bare0")
    assert (bare.open, bare.trouble, bare.addresses) == (False, "it has no address", ())
    discover(two, BOB)
    assert health(ada, lambda link: link.heard > alone.heard).heard_at is not None
    one.ip("link", "delete", "bare0")
    ada.stop()
    assert ada.health() == []


def test_nobody_is_told_of_an_address_at_which_we_do_not_listen(lan: Lan, discover: StartDiscovery) -> None:
    one, two, _ = lan.hosts
    ada, _ = discover(one, ADA, listening=[one.address])
    _, ears = discover(two, BOB)
    said = ears.seen_.wait_for(lambda said: said.uuid == ADA, AT_ONCE)
    assert [endpoint.host for endpoint in said.endpoints] == [one.address]
    mark = ears.seen_.mark()
    ada.listens_on(None)
    ears.seen_.wait_for(lambda said: len(said.endpoints) > 1, AT_ONCE, mark)


def test_a_server_whose_address_has_gone_ends_and_leaves_no_thread(lan: Lan, tmp_path: Path) -> None:
    host = lan.hosts[0]
    host.ip("address", "add", "10.77.0.62/24", "dev", "eth0")
    there, unused = Endpoint("10.77.0.62", 0), Store(tmp_path / "unused.db", Limits()).database
    server = host.inside(lambda: Deaf(there, Connections(1, 1, 1), unused, Limits()))
    host.inside(server.start)
    host.ip("address", "delete", "10.77.0.62/24", "dev", "eth0")
    host.inside(server.stop)
    assert "deaf-accept" not in [thread.name for thread in threading.enumerate()]


class Deaf(Server):
    """A real server, to which nobody comes."""

    thread_name = "deaf"

    def answer(self, handler: Handler, head: Head) -> Reply:
        raise AssertionError("nobody asks")


def test_a_cable_that_is_in_again_is_a_new_beginning(
    lan: Lan, discover: StartDiscovery, caplog: pytest.LogCaptureFixture
) -> None:
    """Its addresses are as they were, and nothing but the cable itself shows it."""
    ada, ears = discover(lan.hosts[0], ADA)
    health(ada, lambda link: link.returned is not None)
    caplog.set_level(logging.INFO, "cryptochat_lib.mdns_links")
    mark = ears.moves.mark()
    lan.cut(lan.hosts[0])
    wait_until(lambda: "The cable of eth0 is out" in caplog.text, AT_ONCE)
    ears.moves.wait_for(lambda _: True, AT_ONCE, mark)  # who was there may be there no more
    assert not health(ada, lambda link: True).connected
    mark = ears.moves.mark()
    lan.mend(lan.hosts[0])
    ears.moves.wait_for(lambda _: True, AT_ONCE, mark)


def test_after_a_sleep_it_asks_and_says_everything_and_doubts_whoever_was_there(
    lan: Lan, discover: StartDiscovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A suspended machine's monotonic clock stands still. Bob has gone meanwhile, and said nothing."""
    one, two, _ = lan.hosts
    slept = [0.0]
    clock = discovery_module._time_slept_too
    ada, ears = discover(one, ADA)
    discover(two, BOB)
    ears.seen_.wait_for(lambda said: said.uuid == BOB)
    lan.mute(two)
    before, mark = health(ada, lambda link: link.sent is not None).sent, ears.moves.mark()
    assert before is not None
    monkeypatch.setattr(discovery_module, "_time_slept_too", lambda: clock() + slept[0])
    slept[0] = 600.0
    ears.moves.wait_for(lambda _: True, AT_ONCE, mark)
    ears.gone_.wait_for(lambda uuid: uuid == BOB, LIMITS.silence_seconds / 2)
    lan.mend(two)


def test_an_interface_made_again_with_everything_as_it_was_is_opened_anew(
    lan: Lan, discover: StartDiscovery
) -> None:
    """The same name, number and address: only that we no longer hear ourselves shows it."""
    host = lan.hosts[0]

    def make() -> None:
        host.ip("link", "add", "twin0", "index", 777, "type", "bridge")
        host.inside(lambda: Path("/proc/sys/net/ipv6/conf/twin0/disable_ipv6").write_text("1"))
        host.ip("address", "add", "10.9.1.1/24", "dev", "twin0")
        host.ip("link", "set", "twin0", "up")

    make()
    ada, _ = discover(host, ADA, "twin0")
    first = health(ada, lambda link: link.returned is not None, "twin0").returned
    host.ip("link", "delete", "twin0")
    make()
    assert first is not None
    health(ada, lambda link: link.returned is not None and link.returned > first + 2, "twin0")
    host.ip("link", "delete", "twin0")
