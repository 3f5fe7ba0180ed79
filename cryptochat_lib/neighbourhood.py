"""Who counts as next to us: the one place that says whose coming may raise a question.

That is whoever is on a link of our interfaces, or at an address that the user has added. Nothing
that comes over the network widens it.

Threads: any asks. What is kept is replaced as one.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Sequence

from .interfaces import Interface, on_link, present, scoped

_ASK_AGAIN_SECONDS = 5.0


class Neighbourhood:
    """Whether somebody is next to us: on a link of the interfaces that `names` choose.

    Asked for each knock, so the system is asked once in 5 s at most: as soon as discovery
    notices a new cable.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._known: tuple[float, list[Interface]] = (float("-inf"), [])  # when, and what; set as one
        self._expected: frozenset[str] = frozenset()

    def has(self, host: str) -> bool:
        return host in self._expected or self.is_next_to(host)

    def is_next_to(self, host: str) -> bool:
        """Whether `host` is on one of our links, whoever was added."""
        return on_link(host, self.interfaces())

    def expect(self, hosts: Iterable[str]) -> None:
        """The user has added these addresses: from now on these, and no others, count as next to us, too."""
        self._expected = frozenset(hosts)

    def places(self, host: str) -> list[str]:
        """The IP address `host` as we can connect to it: link-local IPv6 has a scope, a number.

        Without one it may be on any of our links; with that of a link that we do not have it is nowhere.
        """
        bare, _, scope = host.partition("%")
        address = ipaddress.ip_address(bare)
        if not (isinstance(address, ipaddress.IPv6Address) and address.is_link_local):
            return [host]
        return [
            scoped(address, interface)
            for interface in self.interfaces()
            if scope in ("", interface.name, str(interface.index))
        ]

    def interfaces(self) -> list[Interface]:
        """Those that `names` choose and that are there, as of 5 s ago at the latest."""
        asked_at, interfaces = self._known
        if time.monotonic() - asked_at > _ASK_AGAIN_SECONDS:
            interfaces = present(self._names)
            self._known = (time.monotonic(), interfaces)
        return interfaces
