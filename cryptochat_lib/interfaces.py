"""This machine's network interfaces: which ones we use, and what is on their links.

`--interface` names an interface or one of its addresses. Three things obey it: the
peer API listens on `listen_hosts`, discovery speaks and listens on those interfaces
alone, and no announced address is connected to that is not `on_link` with one of them.
That last one is a security check: an announcement comes from anybody on the LAN, and
must not make us connect to loopback or through a router. The other way round it is one
too (`neighbourhood`): who comes through a router raises no question.

Without `--interface` every interface counts but loopback: what is announced there
could be reached by nobody else. `select` is for the command line and complains
about a name that is nowhere; one that has no address yet is none of those. `present` is
for a program that runs on while cables come and go, and never complains.

Which come first matters, since only so many links are kept. Machines with containers have
dozens of interfaces at which nobody outside can reach them, so whatever looks like the
inside of this machine, or like a VPN, is last.

`ifaddr` has its only home here. No threads; every call asks the system anew.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import re
import socket
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import ifaddr

from .errors import UsageError
from .model import is_of_a_machine

if sys.platform == "linux":
    import fcntl

# Bridges and cables to containers and virtual machines, tunnels and VPNs, by the names that
# the programs give them which make them.
_INSIDE = re.compile(
    r"docker|br-|veth|virbr|vnet|vmnet|vboxnet|lxc|lxd|incus|cni|flannel|cali|podman|kube"
    r"|tun|tap|wg|ppp|utun|ipsec|tailscale|zt|nebula|awdl|llw|vEthernet",
    re.IGNORECASE,
)
_NO_SOCKET = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_SIOCGIFFLAGS, _IFF_RUNNING = 0x8913, 0x40

InterfaceAddress = ipaddress.IPv4Interface | ipaddress.IPv6Interface


@dataclass(frozen=True)
class Interface:
    """One interface and those of its addresses that we may use. Never without an address.

    A link-local IPv6 address stands here without its scope, which is `index`.
    """

    name: str
    index: int
    addresses: tuple[InterfaceAddress, ...]
    # Whether its cable is in. Not part of what it is: a cable comes and goes, and the addresses stay.
    is_connected: bool = field(default=True, compare=False)

    @property
    def is_loopback(self) -> bool:
        return any(address.ip.is_loopback for address in self.addresses)

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(str(address.ip) for address in self.addresses)})"


def present(names: Sequence[str] = ()) -> list[Interface]:
    """The interfaces that `names` choose and that are there now; without names all but loopback.

    In the order of their use: those that lead out of this machine first.
    """
    found = list(_all())
    if not names:
        return [interface for interface in found if not interface.is_loopback]
    chosen = (_chosen(interface, names) for interface in found)
    return [interface for interface in chosen if interface.addresses]


def select(names: Sequence[str]) -> list[Interface]:
    """`present`, but a name that is nowhere on this machine raises UsageError.

    An interface that has no address yet is on this machine: its cable may be out.
    """
    found = list(_all())
    bare = {_name_of(adapter) for adapter in ifaddr.get_adapters(include_unconfigured=True)}
    for name in names:
        if name not in bare and not any(_chosen(interface, [name]).addresses for interface in found):
            there = ", ".join(map(str, found)) or "none at all"
            raise UsageError(f"--interface {name}: no such interface or address here; there are: {there}")
    return present(names)


def on_link(host: str, interfaces: Iterable[Interface]) -> bool:
    """Whether `host` is a single machine's address on a link of one of these interfaces.

    Loopback addresses count only where a loopback interface was chosen. A link-local
    IPv6 address counts only with its scope: without it, it could be on any link.

    >>> eth = Interface("eth0", 2, (ipaddress.ip_interface("10.0.0.5/24"),))
    >>> [on_link(host, [eth]) for host in ("10.0.0.9", "10.0.0.255", "127.0.0.1", "::ffff:10.0.0.9")]
    [True, False, False, False]
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if not is_of_a_machine(address):
        return False
    return any(_is_neighbour(address, interface) for interface in interfaces)


def claimant(host: str | None) -> str | None:
    """Who counts as one where too many claim something: an IPv4 address; of IPv6 all of a /64.

    One machine can take any number of addresses in the /64 of its link, but of IPv4 only
    those that the network has.

    >>> claimant("10.0.0.9"), claimant("fe80::1%2") == claimant("fe80::2%2")
    ('10.0.0.9', True)
    """
    if host is None or ":" not in host:
        return host
    address, _, scope = host.partition("%")
    return f"{ipaddress.ip_network((int(ipaddress.IPv6Address(address)) >> 64 << 64, 64))}%{scope}"


def listen_hosts(interfaces: Iterable[Interface]) -> list[str]:
    """The addresses on which to listen, so as to be reached through these interfaces only."""
    return [scoped(address.ip, interface) for interface in interfaces for address in interface.addresses]


def is_address(name: str) -> bool:
    """Whether `--interface` names an address with this, and not an interface."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_here(host: str) -> bool:
    """Whether `host` is an address of this machine, now."""
    return _is_usable(host)


def announced_addresses(interface: Interface) -> list[str]:
    """What we announce on this interface's link, the most useful first, without scopes.

    On loopback that is IPv4 alone: IPv6 has no multicast there.
    """
    return [
        str(address.ip)
        for address in interface.addresses
        if address.version == 4 or not interface.is_loopback
    ]


def scoped(address: ipaddress.IPv4Address | ipaddress.IPv6Address, interface: Interface) -> str:
    """`address` as a host to connect to or listen on, heard or held on this interface.

    The scope is a number, the one form that every system takes.
    """
    if isinstance(address, ipaddress.IPv6Address) and address.is_link_local:
        return f"{address}%{interface.index}"
    return str(address)


def _is_neighbour(address: ipaddress.IPv4Address | ipaddress.IPv6Address, interface: Interface) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        scopes = (interface.name, str(interface.index))
        if address.scope_id not in scopes and (address.is_link_local or address.scope_id):
            return False
        address = ipaddress.IPv6Address(int(address))
    return any(_is_machine_on(address, own) for own in interface.addresses if own.version == address.version)


def _is_machine_on(address: ipaddress.IPv4Address | ipaddress.IPv6Address, own: InterfaceAddress) -> bool:
    network = own.network
    if address not in network:
        return False
    whole = (network.network_address, network.broadcast_address)
    return not (network.version == 4 and network.prefixlen < 31 and address in whole)


def _chosen(interface: Interface, names: Sequence[str]) -> Interface:
    """The interface with the addresses that `names` choose: all of them, some, or none."""
    if interface.name in names:
        return interface
    wanted = tuple(name.partition("%")[0].lower() for name in names)
    return replace(interface, addresses=tuple(a for a in interface.addresses if str(a.ip) in wanted))


def _all() -> Iterator[Interface]:
    """Every interface that has a usable address. Aliases (`eth0:1`) belong to their interface."""
    grouped: dict[str, list[ifaddr.IP]] = {}
    indexes: dict[str, int] = {}
    for adapter in ifaddr.get_adapters():
        name = _name_of(adapter)
        grouped.setdefault(name, []).extend(adapter.ips)
        indexes[name] = indexes.get(name) or adapter.index or 0
    for name, ips in sorted(grouped.items(), key=lambda item: is_inside(item[0])):
        addresses = tuple(sorted(_addresses(ips), key=_usefulness))
        interface = Interface(name, indexes[name], addresses, _is_connected(name))
        usable = tuple(a for a in interface.addresses if _is_usable(scoped(a.ip, interface)))
        if usable:
            yield replace(interface, addresses=usable)


def _name_of(adapter: ifaddr.Adapter) -> str:
    return adapter.nice_name.partition(":")[0] or adapter.name


def is_inside(name: str) -> bool:
    """Whether this looks like the inside of this machine, or like a VPN: others may not get there."""
    return _INSIDE.match(name) is not None


def _is_connected(name: str) -> bool:
    """Whether the cable is in, or the Wi-Fi connected. Other systems take the addresses away instead."""
    if sys.platform == "linux":
        request = struct.pack("16sh22x", name.encode()[:15], 0)
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            _, flags = struct.unpack_from("16sh", fcntl.ioctl(sock, _SIOCGIFFLAGS, request))
            return bool(flags & _IFF_RUNNING)
    return True


def _addresses(ips: Iterable[ifaddr.IP]) -> Iterator[InterfaceAddress]:
    for ip in ips:
        address = ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip
        yield ipaddress.ip_interface(f"{address.partition('%')[0]}/{ip.network_prefix}")


def _usefulness(address: InterfaceAddress) -> tuple[bool, bool, InterfaceAddress]:
    return (address.version == 6, address.is_link_local, address)


def _is_usable(host: str) -> bool:
    """Whether a socket can be bound there: not so while IPv6 still looks for duplicates of it.

    Raises OSError if there can be no socket: that says nothing of the address, and whoever
    fills our table of descriptors is not to make us leave the network.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(socket.getaddrinfo(host, 0, family, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)[0][4])
    except OSError as error:
        if error.errno in _NO_SOCKET:
            raise
        return False
    return True
