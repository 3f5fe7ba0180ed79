"""Where we can be reached from elsewhere: what a person may hand on, in a contact code say.

No announcement over mDNS is made of this. There each link is told the addresses on that
link, and nobody has to choose; who gets a code may be anywhere, has room for a few
addresses, and tries them in the order in which they stand.

Pure, but for `endpoints_now` and `default_sources`, which ask the system and send nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Sequence

from .interfaces import Interface, InterfaceAddress, is_inside, present
from .model import Endpoint

# Addresses of nobody (RFC 5737, RFC 3849): the way there is the way to the whole world.
_FAR_AWAY = ((socket.AF_INET, "203.0.113.1"), (socket.AF_INET6, "2001:db8::1"))


def own_endpoints(
    interfaces: Iterable[Interface], port: int, preferred: Sequence[str] = ()
) -> list[Endpoint]:
    """Our endpoints on these interfaces, the likeliest first.

        1. addresses that a router knows, the `preferred` (`default_sources`) at the head
        2. of interfaces whose cable is out
        3. of what may be only this machine's inside, or a VPN: docker0 and the like
        4. loopback, where it is among `interfaces`
        5. link-local IPv6, without its scope, which means something on this machine alone

    >>> import ipaddress
    >>> docker = Interface("docker0", 3, (ipaddress.ip_interface("172.17.0.1/16"),))
    >>> eth = Interface("eth0", 2, tuple(map(ipaddress.ip_interface, ("10.0.0.5/24", "fe80::5/64"))))
    >>> [str(endpoint) for endpoint in own_endpoints([docker, eth], 80)]
    ['10.0.0.5:80', '172.17.0.1:80', '[fe80::5]:80']
    """
    ranked = sorted(
        ((interface, address) for interface in interfaces for address in interface.addresses),
        key=lambda pair: _unlikeliness(pair[0], pair[1], preferred),
    )
    hosts = dict.fromkeys(str(address.ip) for _, address in ranked)
    return [Endpoint(host, port) for host in hosts]


def endpoints_now(host: str, interface_names: Sequence[str], port: int) -> list[Endpoint]:
    """Our endpoints as they are now: at the address that `--addr` names, or at all that we have."""
    if host and not ipaddress.ip_address(host).is_unspecified:
        return [Endpoint(host.partition("%")[0], port)]
    return own_endpoints(present(interface_names), port, default_sources())


def default_sources() -> list[str]:
    """Our addresses on the way to the rest of the world, if there is one."""
    sources = []
    for family, far_away in _FAR_AWAY:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((far_away, 9))
            sources.append(str(sock.getsockname()[0]))
    return sources


def _unlikeliness(
    interface: Interface, address: InterfaceAddress, preferred: Sequence[str]
) -> tuple[bool, ...]:
    """What speaks against an address, the heaviest first. What is equal keeps its order."""
    return (
        address.version == 6 and address.is_link_local,
        interface.is_loopback,
        is_inside(interface.name),
        not interface.is_connected,
        str(address.ip) not in preferred,
        address.is_link_local,  # of IPv4: there was no DHCP server
    )
