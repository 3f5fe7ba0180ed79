"""How the seed-only peer finds others: DNS-SD, as deaf as the original is.

It owns a plain multicast socket and does this, and no more:

- Every 3 s it asks for `_cryptochat._tcp.local.` twice in a row, and then
  listens for 500 ms. What is said at any other time it never hears.
- It understands a packet only if PTR, SRV, TXT and A of one peer are all in it.
- Whoever asks is answered with all four at once. At its start, and when its
  rooms change, it says so unasked. Its PTR lives for 3,200 s, and it never says
  goodbye, so it seems to be there long after it has gone.
- Without a room its TXT record has length 0, as its DNS library writes it.

Knows nothing of cryptochat_lib, nor of the library that it reads packets with.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns_packets as dns

SERVICE = "_cryptochat._tcp.local."
GROUP, PORT = "224.0.0.251", 5353
ROUND_SECONDS, LISTENS_SECONDS = 3.0, 0.5
_IP_MULTICAST_ALL = 49  # Linux: hear only the groups that this very socket joined


@dataclass(frozen=True)
class Listing:
    """One peer, as the last packet that could be understood described it."""

    uuid: str
    address: str
    port: int
    rooms: tuple[str, ...]


class SeedMdns:
    """Announces one peer and lists the others. `heard` gets every listing that is new or changed."""

    def __init__(self, uuid: str, port: int, interface_ip: str, heard: Callable[[Listing], None]) -> None:
        self._uuid, self._port, self._ip, self._heard = uuid, port, interface_ip, heard
        self._instance, self._host = f"{uuid}.{SERVICE}", f"{uuid}.local."
        self.rooms: list[str] = []
        self.listed: dict[str, Listing] = {}
        self._answering = self._open()

    def start(self) -> None:
        threading.Thread(target=self._answer_forever, name="mdns answers", daemon=True).start()
        threading.Thread(target=self._ask_forever, name="mdns questions", daemon=True).start()
        self._say(self._answering, self._everything())

    def rooms_changed(self) -> None:
        """Announce the TXT record anew, alone."""
        self._say(self._answering, dns.encode(records=[self._txt()]))

    def _open(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        interface = socket.inet_aton(self._ip)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + interface)
        sock.bind(("", PORT))
        return sock

    @staticmethod
    def _say(sock: socket.socket, packet: bytes) -> None:
        try:
            sock.sendto(packet, (GROUP, PORT))
        except OSError:
            return  # no network at the moment; nobody is told, and nothing is tried again

    # Answers

    def _txt(self) -> dns.Record:
        return dns.text(self._instance, [f"room={room}".encode() for room in self.rooms], ttl=3200)

    def _everything(self) -> bytes:
        return dns.encode(
            records=[
                dns.pointer(SERVICE, self._instance, ttl=3200),
                dns.service(self._instance, self._port, self._host, ttl=3200),
                self._txt(),
                dns.address(self._host, self._ip),
            ]
        )

    def _answer_forever(self) -> None:
        while True:
            packet = understand_packet(self._answering.recv(9000))
            if packet and not packet.is_response and any(map(self._is_for_us, packet.questions)):
                self._say(self._answering, self._everything())

    def _is_for_us(self, question: dns.Question) -> bool:
        if question.name.lower() == SERVICE:
            return question.type in (dns.PTR, dns.ANY)
        return question.name == self._instance and question.type in (dns.SRV, dns.TXT, dns.ANY)

    # Questions

    def _ask_forever(self) -> None:
        while True:
            started = time.monotonic()
            with self._open() as sock:
                question = dns.encode([dns.Question(SERVICE, dns.PTR)])
                self._say(sock, question)
                self._say(sock, question)
                self._listen(sock, until=started + LISTENS_SECONDS)
            time.sleep(max(0.0, started + ROUND_SECONDS - time.monotonic()))

    def _listen(self, sock: socket.socket, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                packet = understand_packet(sock.recv(9000))
            except TimeoutError:
                return
            listing = understand(packet.records) if packet and packet.is_response else None
            if listing and listing.uuid != self._uuid and self.listed.get(listing.uuid) != listing:
                self.listed[listing.uuid] = listing
                self._heard(listing)


def understand_packet(data: bytes) -> dns.Packet | None:
    try:
        return dns.decode(data)
    except ValueError:
        return None


def understand(records: Sequence[dns.Record]) -> Listing | None:
    """The one peer that a packet describes completely, else None."""
    by_name = {(record.name, record.type): record for record in records}
    for record in records:
        if record.type == dns.PTR and record.name == SERVICE and record.ttl > 0:
            service = by_name.get((record.pointed, dns.SRV))
            text = by_name.get((record.pointed, dns.TXT))
            address = by_name.get((service.server[0], dns.A)) if service else None
            if service and text and address:
                return Listing(
                    record.pointed.removesuffix("." + SERVICE),
                    address.address,
                    service.server[1],
                    tuple(_rooms(text.strings)),
                )
    return None


def _rooms(strings: Sequence[bytes]) -> list[str]:
    matches = [re.match(r"^room=(.+)$", string.decode(errors="replace")) for string in strings]
    return [match[1] for match in matches if match]
