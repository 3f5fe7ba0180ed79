"""What a machine of the laboratory has sent and received on its cable, as its kernel counts it.

Every packet counts, the kernel's own too (ARP, neighbour discovery, group reports). Of the
multicast ones only those of IP that somebody there wants to hear, which on these cables are mDNS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import Namespace

_NET = Path("/proc/thread-self/net")


@dataclass(frozen=True)
class Traffic:
    """Packets, but for the bytes."""

    received: int = 0
    sent: int = 0
    bytes_both_ways: int = 0
    multicast: int = 0

    def __sub__(self, before: Traffic) -> Traffic:
        return Traffic(
            self.received - before.received,
            self.sent - before.sent,
            self.bytes_both_ways - before.bytes_both_ways,
            self.multicast - before.multicast,
        )


def traffic(machine: Namespace, interface: str = "eth0") -> Traffic:
    """Since the interface was made."""
    return machine.inside(lambda: _read(interface))


def sent_by(machines: Iterable[Namespace]) -> int:
    """Packets that all of them have sent: what the cable has carried."""
    return sum(traffic(machine).sent for machine in machines)


def lost_by(machines: Iterable[Namespace]) -> int:
    """Datagrams that came while a socket was full, since its program had no processor to read it."""
    return sum(machine.inside(_lost) for machine in machines)


def _lost() -> int:
    lines = [line.split() for line in (_NET / "snmp").read_text().splitlines()]
    names, values = (words[1:] for words in lines if words[0] == "Udp:")
    ipv6 = dict(line.split() for line in (_NET / "snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["RcvbufErrors"]) + int(ipv6["Udp6RcvbufErrors"])


def _read(interface: str) -> Traffic:
    fields = [int(word) for word in _line(_NET / "dev", f"{interface}:").split()]
    ipv4 = _ipv4()
    ipv6 = dict(line.split() for line in (_NET / "snmp6").read_text().splitlines())
    # What we send to a group comes in once more, by loopback: in and out again it is counted once.
    multicast = ipv4["InMcastPkts"] + int(ipv6["Ip6InMcastPkts"])
    return Traffic(
        received=fields[1], sent=fields[9], bytes_both_ways=fields[0] + fields[8], multicast=multicast
    )


def _ipv4() -> Mapping[str, int]:
    lines = [line.split() for line in (_NET / "netstat").read_text().splitlines()]
    names, values = (words[1:] for words in lines if words[0] == "IpExt:")
    return dict(zip(names, map(int, values), strict=True))


def _line(path: Path, head: str) -> str:
    """What follows `head`, which begins one line there."""
    for line in path.read_text().splitlines():
        if line.lstrip().startswith(head):
            return line.lstrip().removeprefix(head)
    raise LookupError(f"{path} has no {head}")
