"""Somebody who says by multicast DNS whatever they like about whomever they like."""

from __future__ import annotations

import socket
from types import TracebackType

import dns_packets as dns
from lab import Host
from listening import GROUP, PORT, multicast_socket

SERVICE = "_cryptochat._tcp.local."


class Forger:
    """Speaks on the first cable of its machine. `close` it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._socket = multicast_socket(host, "eth0", socket.AF_INET)

    def __enter__(self) -> Forger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def say(self, *records: dns.Record) -> None:
        self._socket.sendto(dns.encode(records=records), (GROUP, PORT))

    def announce(
        self, uuid: str, strings: list[bytes], *, address: str = "", port: int = 4, ttl: int = 120
    ) -> None:
        """One peer in one packet, at the forger's own address unless another is named."""
        instance, host = f"{uuid}.{SERVICE}", f"{uuid}.local."
        self.say(
            dns.pointer(SERVICE, instance, ttl),
            dns.service(instance, port, host, ttl),
            dns.text(instance, strings, ttl),
            dns.address(host, address or self._host.address, ttl),
        )
