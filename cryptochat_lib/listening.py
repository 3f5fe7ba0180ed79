"""Where the peer API listens: one server for each address, all on one port.

Without `--interface` and without a HOST that is one server for everything, IPv6
with IPv4 where the system has both; it is there whatever comes or goes.
With `--interface` it is one for each address of these interfaces, so that no other
network can reach us, and with a HOST one there. Addresses change while we run, so

    1. every 2 s the addresses are looked at
    2. servers on those that have gone are closed; connections to them end by themselves
    3. on new ones servers are opened, on the same port. What fails, a port that is taken
       there say, is logged once and tried again
    4. discovery is told, and announces from now on where we listen
    5. connections from addresses that have gone are ended: nothing will ever come there

A port that nobody named is the one of the last run, if it is still free: who knows us by a
contact code, or was last reached by us, would else look for us where we are no more.

The network may be missing at the start: then there is a port, and no server yet.

Threads: one, "listening". From `start` to `stop` the servers are its own, so there is no
lock; other threads get a copy of the list.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Generic, TypeVar

from .errors import StartupError, UsageError
from .interfaces import is_here, listen_hosts, present, select
from .model import Endpoint
from .serving import Server

_log = logging.getLogger(__name__)

S = TypeVar("S", bound=Server)
Tell = Callable[[Collection[str]], None]

_TRIES = 8  # a port that is free on one address may be taken on the next
_LOOK_SECONDS = 2.0
_END_SECONDS = 1.0
_ALL_IPV6, _ALL_IPV4 = "::", "0.0.0.0"  # noqa: S104 (the peer API is for the network)


class Listeners(Generic[S]):
    """The servers of the peer API. `open`, `start`, `stop`; `tell` hears at which addresses they are."""

    def __init__(
        self,
        addr: Endpoint,
        interface_names: Sequence[str],
        make: Callable[[Endpoint], S],
        tell: Tell,
        end_stranded: Callable[[], None],
        last_port: int = 0,
    ) -> None:
        self._addr, self._names = addr, tuple(interface_names)
        self._make, self._tell, self._end_stranded = make, tell, end_stranded
        self._servers: dict[str, S] = {}
        self._complained: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow_forever, name="listening", daemon=True)
        self.port = addr.port or last_port

    @property
    def servers(self) -> list[S]:
        """Those that are there now."""
        return list(self._servers.values())

    def open(self) -> None:
        """Bind, without answering yet. StartupError; UsageError for a HOST on none of the interfaces."""
        hosts = self._hosts_at_start()
        for tries_left in reversed(range(_TRIES)):
            try:
                for host in hosts:
                    self._servers[host] = bind(Endpoint(host, self.port), self._make, "--addr")
                    self.port = self._servers[host].port
                break
            except StartupError as error:
                took_part, chosen = bool(self._servers), bool(self._addr.port)
                self.close()
                if chosen or not (took_part or self.port):
                    raise
                if not tries_left:
                    text = "no port is free on all of these interfaces: name one with --addr"
                    raise StartupError(text) from error
                self.port = 0
        self.port = self.port or _free_port()
        self._tell_discovery()

    def start(self) -> None:
        """Answer, and follow the addresses from now on."""
        for server in self.servers:
            server.start()
        self._thread.start()

    def stop(self) -> None:
        """Accept no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)
        for server in self.servers:
            server.stop()

    def close(self) -> None:
        """Give the addresses back, if they were never started."""
        for server in self.servers:
            server.server_close()
        self._servers.clear()

    def follow(self) -> None:
        """Steps 2 to 5."""
        hosts = self._hosts()
        gone = self._servers.keys() - set(hosts)
        for host in gone:
            self._servers.pop(host).stop()
            _log.info("Listening no more on %s", Endpoint(host, self.port))
        new = [host for host in hosts if host not in self._servers and self._open(host)]
        self._complained &= set(hosts)
        if gone or new:
            self._tell_discovery()
        self._end_stranded()

    def _open(self, host: str) -> bool:
        endpoint = Endpoint(host, self.port)
        try:
            server = self._make(endpoint)
        except OSError as error:
            level = logging.DEBUG if host in self._complained else logging.WARNING
            self._complained.add(host)
            _log.log(level, "Cannot listen on %s for now: %s", endpoint, error.strerror or error)
            return False
        self._complained.discard(host)
        self._servers[host] = server
        server.start()
        _log.info("Listening on %s", endpoint)
        return True

    def _follow_forever(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                self.follow()
            except Exception:
                _log.exception("The addresses to listen on could not be followed; it goes on")

    def _tell_discovery(self) -> None:
        if self._names:  # else every address is announced that there is
            self._tell(list(self._servers))

    def _hosts(self) -> list[str]:
        """Where to listen now."""
        if self._names:
            return self._of_interfaces(listen_hosts(present(self._names)))
        if not self._addr.host:
            return list(self._servers)
        return [self._addr.host] if is_here(self._addr.host) else []

    def _hosts_at_start(self) -> list[str]:
        """The same; what can never be is an error."""
        if not self._names:
            return [self._addr.host or _everywhere()]
        there = listen_hosts(select(self._names))
        hosts = self._of_interfaces(there)
        if there and not hosts:
            raise UsageError(f"--addr {self._addr.host} is on none of the interfaces that --interface names")
        return hosts

    def _of_interfaces(self, hosts: list[str]) -> list[str]:
        wanted = self._addr.host.partition("%")[0]
        return [host for host in hosts if not wanted or host.partition("%")[0] == wanted]


def bind(endpoint: Endpoint, make: Callable[[Endpoint], S], option: str) -> S:
    """`make` a server at `endpoint`; StartupError says what stands in the way."""
    try:
        return make(endpoint)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"the port {endpoint} is taken: end what uses it, or name another with {option}"
        else:
            text = f"cannot listen on {endpoint}: {error.strerror or error}; name another with {option}"
        raise StartupError(text) from error


def _everywhere() -> str:
    """The address that means all: of IPv6, which takes IPv4 too, unless this system has none.

    A system in which IPv6 is only switched off (`disable_ipv6`) has it: it may come later.
    """
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind((_ALL_IPV6, 0))
        return _ALL_IPV6
    except OSError:
        return _ALL_IPV4


def _free_port() -> int:
    """A port that nobody has now, for addresses that are still to come."""
    family = socket.AF_INET6 if _everywhere() == _ALL_IPV6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.bind((_everywhere(), 0))
        return int(sock.getsockname()[1])
