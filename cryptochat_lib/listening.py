"""Where the peer API listens: one server for each address, all on one port.

Without `--interface` and without a HOST that is one server for everything, IPv6
with IPv4 where the system has both. With `--interface` it is one for each
address of these interfaces, so that no other network can reach us.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from typing import TypeVar

from .errors import StartupError, UsageError
from .interfaces import listen_hosts, select
from .model import Endpoint
from .serving import Server

S = TypeVar("S", bound=Server)

_TRIES = 8  # a port that is free on one address may be taken on the next


def listen(addr: Endpoint, interface_names: Sequence[str], make: Callable[[Endpoint], S]) -> list[S]:
    """The bound servers. UsageError for a HOST that is on none of the interfaces, StartupError."""
    hosts = _hosts(addr, interface_names)
    for _ in range(_TRIES):
        servers: list[S] = []
        try:
            for host in hosts:
                port = addr.port or (servers[0].port if servers else 0)
                servers.append(bind(Endpoint(host, port), make, "--addr"))
        except StartupError:
            for server in servers:
                server.server_close()
            if addr.port or not servers:
                raise
        else:
            return servers
    raise StartupError("no port is free on all of these interfaces: name one with --addr")


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


def _hosts(addr: Endpoint, interface_names: Sequence[str]) -> list[str]:
    if not interface_names:
        return [addr.host or _everywhere()]
    hosts = listen_hosts(select(interface_names))
    if not addr.host:
        return hosts
    chosen = [host for host in hosts if host.partition("%")[0] == addr.host.partition("%")[0]]
    if not chosen:
        raise UsageError(f"--addr {addr.host} is on none of the interfaces that --interface names")
    return chosen


def _everywhere() -> str:
    """The address that means all: of IPv6, which takes IPv4 too, unless this system has none."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::", 0))
        return "::"
    except OSError:
        return "0.0.0.0"  # noqa: S104 (the peer API is for the network)
