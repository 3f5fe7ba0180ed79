"""The laboratory: network namespaces as machines, joined by bridges as cables.

`Lan(hosts=3)` gives three machines on one cable. Each has a loopback of its
own, IPv4 and IPv6 addresses and a link-local one, and nothing it sends can
reach the network of the machine that runs the tests: multicast DNS here
disturbs nobody. `solo()` gives one machine without any cable.

    with Lan(hosts=2) as lan:
        ada, bob = lan.hosts
        ada.run(["ping", "-c1", bob.address])
        lan.cut(bob)                      # the cable is out; `lan.mend(bob)` puts it in

Three ways into a machine: `run` and `popen` start programs there, `inside`
calls a function there, and `connect` makes a TCP connection there, as a
browser on that machine would.

A namespace is entered with setns(2) by a thread that ends afterwards, so no
thread of the tests can stay behind in one; a socket belongs to the namespace
it was made in for as long as it lives. Namespaces are named after our process
id. What a killed run left behind is swept away by the next one. Needs root.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

Result = TypeVar("Result")

_FOLDER = Path("/run/netns")
_NAME = re.compile(r"cclab(\d+)-\w+")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def _ip(*words: str | int) -> None:
    subprocess.run(["ip", *map(str, words)], check=True, timeout=30)


class Namespace:
    """One machine. Made and deleted by `Lan` or `solo`."""

    def __init__(self, label: str) -> None:
        self.name = f"cclab{os.getpid()}-{next(_numbers)}{label}"
        self._programs: list[subprocess.Popen[Any]] = []
        _ip("netns", "add", self.name)
        self._descriptor = os.open(_FOLDER / self.name, os.O_RDONLY | os.O_CLOEXEC)
        # An address is usable at once, without waiting for duplicate address detection.
        self.inside(lambda: Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0"))
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str | int) -> None:
        """The `ip` command on this machine."""
        _ip("-n", self.name, *words)

    def _command(self, words: Sequence[str | Path]) -> list[str]:
        return ["nsenter", f"--net={_FOLDER / self.name}", "--", *map(str, words)]

    def run(
        self,
        words: Sequence[str | Path],
        *,
        check: bool = True,
        timeout: float = 30,
        stdin: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program here to its end. Raises CalledProcessError, unless `check` is false."""
        return subprocess.run(
            self._command(words), check=check, timeout=timeout, text=True, input=stdin, capture_output=True
        )

    def popen(self, words: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
        """Start a program here. Its pid is the program's own: nsenter(1) becomes the program."""
        program = subprocess.Popen(self._command(words), start_new_session=True, **options)
        self._programs.append(program)
        return program

    def inside(self, call: Callable[[], Result]) -> Result:
        """The result of `call`, made by a thread that is on this machine."""
        results: list[Result] = []
        errors: list[BaseException] = []

        def enter_and_call() -> None:
            try:
                if _libc.setns(self._descriptor, _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"cannot enter namespace {self.name}")
                results.append(call())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=enter_and_call, name=f"in {self.name}")
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def connect(self, port: int, address: str = "127.0.0.1", timeout: float = 10) -> socket.socket:
        """A TCP connection made on this machine; it stays usable by any thread."""
        return self.inside(lambda: socket.create_connection((address, port), timeout))

    def delete(self) -> None:
        """End what still runs here, then take the machine away."""
        for program in self._programs:
            if program.poll() is None:
                program.kill()
            program.wait(10)
        _kill_everything_in(self.name)
        os.close(self._descriptor)
        _ip("netns", "delete", self.name)


class Host(Namespace):
    """A machine of a `Lan`, with its addresses on the first cable."""

    address = ""
    address6 = ""

    @property
    def link_local(self) -> str:
        """Its link-local IPv6 address on the first cable, without the scope."""
        listing = self.run(["ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link"]).stdout
        match = re.search(r"inet6 (fe80:[0-9a-f:]+)", listing)
        assert match, f"no link-local address:\n{listing}"
        return match[1]


class Lan:
    """Machines on one cable; `attach` puts a machine on a second one as well.

    On cable S the machine number N has 10.77.S.N/24 and fd00:77:S::N/64, and its
    interface is called `ethS`. With `ipv4=False` there is no IPv4 but on loopback.
    """

    def __init__(self, hosts: int = 2, *, cables: int = 1, ipv4: bool = True) -> None:
        self._ipv4 = ipv4
        self._made: list[Namespace] = []
        self.hosts: list[Host] = []
        sweep()
        try:
            self._switch = Namespace("switch")
            self._made.append(self._switch)
            for cable in range(cables):
                self._switch.ip("link", "add", f"br{cable}", "type", "bridge", "mcast_snooping", 0)
                self._switch.ip("link", "set", f"br{cable}", "up")
            for number in range(1, hosts + 1):
                host = Host(f"h{number}")
                self._made.append(host)
                self.hosts.append(host)
                self.attach(host, 0)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Lan:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        while self._made:
            self._made.pop().delete()

    def attach(self, host: Host, cable: int) -> str:
        """Put `host` on a cable; returns the name of its new interface."""
        number, name = self.hosts.index(host) + 1, f"eth{cable}"
        port = self._port(host, cable)
        _ip(
            "link",
            "add",
            name,
            "netns",
            host.name,
            "type",
            "veth",
            "peer",
            "name",
            port,
            "netns",
            self._switch.name,
        )
        self._switch.ip("link", "set", port, "master", f"br{cable}", "up")
        if cable == 0:
            host.address = f"10.77.{cable}.{number}" if self._ipv4 else ""
            host.address6 = f"fd00:77:{cable}::{number}"
        self._address(host, cable, f"10.77.{cable}.{number}", f"fd00:77:{cable}::{number}")
        return name

    def _address(self, host: Host, cable: int, address: str, address6: str) -> None:
        name = f"eth{cable}"
        host.ip("link", "set", name, "up")
        host.ip("-6", "address", "replace", f"{address6}/64", "dev", name, "nodad")
        if self._ipv4:
            host.ip("address", "replace", f"{address}/24", "dev", name)
            # A program that names no interface sends its multicast out on the first cable.
            host.ip("route", "replace", "224.0.0.0/4", "dev", name, "metric", cable + 1)

    def move(self, host: Host, number: int) -> None:
        """Give `host` other addresses on the first cable, as another network would."""
        host.ip("address", "flush", "dev", "eth0", "scope", "global")
        host.address, host.address6 = f"10.77.0.{number}", f"fd00:77:0::{number}"
        self._address(host, 0, host.address, host.address6)

    def cut(self, host: Host, cable: int = 0) -> None:
        """Pull the cable out: the machine sees that its link is gone."""
        self._switch.ip("link", "set", self._port(host, cable), "down")

    def mute(self, host: Host, cable: int = 0) -> None:
        """Lose every packet in both directions, without the machine being told."""
        self._switch.ip("link", "set", self._port(host, cable), "nomaster")

    def filter_multicast(self, cable: int = 0) -> None:
        """Let no multicast through the switch from now on, as many offices and guest networks do.

        That is IPv6's neighbour discovery, too: only IPv4 is left, which finds machines by broadcast.
        """
        for host in self.hosts:
            self._switch.run(["bridge", "link", "set", "dev", self._port(host, cable), "mcast_flood", "off"])

    def detach(self, host: Host, cable: int = 0) -> None:
        """Take the interface on a cable away, with its addresses."""
        host.ip("link", "delete", f"eth{cable}")

    def put_behind(self, router: Host, *hosts: Host, cable: int = 1) -> None:
        """Move `hosts` from the first cable to another one; `router` forwards between the two."""
        self.attach(router, cable)
        for host in hosts:
            self.detach(host)
            self.attach(host, cable)
            number = self.hosts.index(host) + 1
            host.address, host.address6 = f"10.77.{cable}.{number}", f"fd00:77:{cable}::{number}"
        for path in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            router.inside(partial(Path("/proc/sys/net", path).write_text, "1"))
        number = self.hosts.index(router) + 1
        for host in self.hosts:
            if host is not router and (host in hosts or host.address6.startswith("fd00:77:0:")):
                behind = cable if host in hosts else 0
                if self._ipv4:
                    host.ip("route", "replace", "default", "via", f"10.77.{behind}.{number}")
                host.ip("-6", "route", "replace", "default", "via", f"fd00:77:{behind}::{number}")

    def mend(self, host: Host, cable: int = 0) -> None:
        """Undo `cut` and `mute`."""
        self._switch.ip("link", "set", self._port(host, cable), "master", f"br{cable}", "up")

    def _port(self, host: Host, cable: int) -> str:
        return f"p{self.hosts.index(host) + 1}c{cable}"


@contextmanager
def solo() -> Iterator[Namespace]:
    """One machine with nothing but `lo`, on which loopback multicast works."""
    sweep()
    machine = Namespace("solo")
    try:
        machine.ip("route", "add", "224.0.0.0/4", "dev", "lo")
        yield machine
    finally:
        machine.delete()


def sweep() -> None:
    """Delete the namespaces of test runs that are dead."""
    for path in _FOLDER.glob("cclab*"):
        match = _NAME.fullmatch(path.name)
        if match and not Path("/proc", match[1]).exists():
            _kill_everything_in(path.name)
            _ip("netns", "delete", path.name)


def _kill_everything_in(name: str) -> None:
    listing = subprocess.run(
        ["ip", "netns", "pids", name], check=True, timeout=30, stdout=subprocess.PIPE, text=True
    ).stdout
    for pid in map(int, listing.split()):
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
