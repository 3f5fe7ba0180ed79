"""The rules about this computer's own network: interfaces, what is announced on each, firewalls.

    network        no interface or no cable at all, only loopback, no address from a router, only IPv6
    links          not open, no cable, nothing gets out or back; else what is announced
    others_heard   multicast comes from elsewhere

Pure.
"""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Iterator
from typing import Any

from .finding import GOOD, NOTICE, PROBLEM, Call, Examined, Finding, ago
from .interfaces import is_inside
from .mdns_health import LinkHealth

_RETURNS_WITHIN_SECONDS = 2.0


def network(examined: Examined, _call: Call) -> Iterator[Finding]:
    """Whether there is a network at all, and one that others can be in: of these the first that holds."""
    hosts = [ipaddress.ip_address(host) for link in examined.links for host in link.addresses]
    if not examined.has_interface:
        yield Finding(
            "no-network",
            PROBLEM,
            "This computer has no network: no interface has an address.",
            "Plug in a cable or join a Wi-Fi: CryptoChat notices by itself, within 10 seconds.",
        )
    elif not examined.links and "discovery" not in examined.unknown:
        yield Finding(
            "discovery-ended",
            PROBLEM,
            "The part that finds people on this network does not answer.",
            "Start CryptoChat again; until then, exchange contact codes.",
        )
    elif examined.cut_off:
        yield Finding(
            "no-network",
            PROBLEM,
            "This computer has no network: nothing is connected to any interface that leads out of it.",
            "Plug in a cable or join a Wi-Fi: CryptoChat notices by itself, within 10 seconds.",
        )
    elif not hosts:
        return
    elif all(host.is_loopback for host in hosts):
        yield Finding(
            "loopback-only",
            NOTICE,
            "CryptoChat uses nothing but the inside of this computer: no other computer can see it.",
            "If that is not what you want, start it without --interface lo.",
        )
    elif all(host.is_link_local for host in hosts):
        yield Finding(
            "no-router",
            NOTICE,
            "No router has given this computer an address: it reaches only what is on its cable or Wi-Fi.",
            "If there should be a router, check the cable, or join the Wi-Fi again.",
        )
    elif all(host.version == 6 for host in hosts):
        yield Finding(
            "ipv6-only",
            NOTICE,
            "This computer has only IPv6 addresses: computers that have only IPv4 cannot reach it.",
            "If somebody is missing who has only IPv4, let your router hand out IPv4 addresses, too.",
        )


def links(examined: Examined, _call: Call) -> Iterator[Finding]:
    """Of each interface in use: what keeps it from being heard, or that we are announced there."""
    for link in examined.links:
        values = {"interface": link.name, "addresses": list(link.addresses)}
        if not link.connected:
            if not is_inside(link.name):  # docker0 without a container has none either
                yield Finding(
                    "no-cable",
                    NOTICE,
                    f"Nothing is connected to {link.name}.",
                    "Plug in its cable, or join its Wi-Fi, if it should be in use.",
                    values,
                )
        elif not link.open:
            yield Finding(
                "not-open",
                PROBLEM,
                f"On {link.name} people can be neither found nor told that you are here: {link.trouble}.",
                "CryptoChat tries again every 5 seconds; if it lasts, exchange contact codes.",
                values | {"error": link.trouble},
            )
        else:
            yield from _sending(examined, link, values)


def _sending(examined: Examined, link: LinkHealth, values: dict[str, Any]) -> Iterator[Finding]:
    """Of a link that is open: one thing that is wrong with sending, or what is announced."""
    if link.error_number in (errno.EPERM, errno.EACCES):
        yield Finding(
            "sending-blocked",
            PROBLEM,
            f"A firewall on this computer lets nothing out on {link.name}.",
            "Let it allow UDP port 5353, in and out.",
            values | {"port": 5353, "error": link.error},
        )
    elif link.error is not None:
        yield Finding(
            "sending-fails",
            PROBLEM,
            f"On {link.name} nothing can be sent: {link.error}.",
            "Check this interface and its routes; until it works, exchange contact codes.",
            values | {"error": link.error},
        )
    elif _is_swallowed(link, examined.now):
        yield Finding(
            "nothing-returns",
            PROBLEM,
            f"What this computer says to all on {link.name} does not even come back to itself.",
            "Let this computer's firewall allow UDP port 5353, in and out.",
            values | {"port": 5353},
        )
    elif link.announced:
        where = f"On {link.name} ({', '.join(link.addresses)})"
        rooms = "1 room" if examined.rooms == 1 else f"{examined.rooms} rooms"
        yield Finding(
            "announced",
            GOOD,
            f"{where} you are announced, with {rooms}.",
            values=values | {"rooms": examined.rooms},
        )


def _is_swallowed(link: LinkHealth, now: float) -> bool:
    if link.sent is None or now - link.sent < _RETURNS_WITHIN_SECONDS:
        return False
    return link.returned is None or link.returned < link.sent - _RETURNS_WITHIN_SECONDS


def others_heard(examined: Examined, _call: Call) -> Iterator[Finding]:
    """Whether multicast comes from elsewhere at all."""
    for link in examined.links:
        if link.open and link.heard_at is not None:
            text = f"Other computers are heard on {link.name}: the last {ago(examined.now - link.heard_at)}."
            yield Finding("others-heard", GOOD, text, values={"interface": link.name, "packets": link.heard})
