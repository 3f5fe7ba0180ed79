"""Many peers that are announced and can be looked at, in one program without cryptochat_lib's help.

    python crowd.py INTERFACE-ADDRESS ROOM[,ROOM...] ADDRESS...     prints how many it announced

For each ADDRESS a peer with a random UUID: its records on the multicast group, raw
(`dns_packets`), and a TLS server with its certificate, which is all that a look sees.
Questions are answered as each peer alone would answer; what the question shows to be known
is not said again (RFC 6762, 7.1). As from our own nodes, every packet goes out by IPv4 and by IPv6.
"""

from __future__ import annotations

import queue
import selectors
import socket
import sys
import threading
import time
from collections.abc import Sequence

import dns_packets as dns
from announced import serve_look, server_context
from certificates import make_uuid
from seed_mdns import GROUP, PORT, SERVICE, understand_packet

_GROUP6 = "ff02::fb"
_PAUSE_SECONDS = 0.005


class Peer:
    """One announced peer: its records, and the server behind them."""

    def __init__(self, rooms: Sequence[str], address: str) -> None:
        self.uuid = make_uuid()
        self.instance, self.host = f"{self.uuid}.{SERVICE}", f"{self.uuid}.local."
        self.server = socket.create_server((address, 0), backlog=8)
        self.context = server_context(self.uuid)
        port = self.server.getsockname()[1]
        strings = [b"v=1", f"name=peer {address}".encode(), *(f"room={room}".encode() for room in rooms)]
        self.records = [
            dns.pointer(SERVICE, self.instance),
            dns.service(self.instance, port, self.host),
            dns.text(self.instance, strings),
            dns.address(self.host, address),
        ]

    def answer(self, questions: Sequence[dns.Question], known: set[bytes]) -> list[dns.Record]:
        """What it would say to these questions."""
        _, service, text, address = self.records
        for asked in questions:
            name = asked.name.lower()
            if name == SERVICE and self.instance.encode() not in known:
                return self.records
            if name == self.instance and asked.type in (dns.SRV, dns.TXT, dns.ANY):
                return [service, text, address]
            if name == self.host and asked.type in (dns.A, dns.ANY):
                return [address]
        return []

    def serve(self) -> None:
        serve_look(self.server, self.context)


def _multicast(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    ours = socket.inet_aton(interface)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, ours)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + ours)
    sock.bind(("", PORT))
    return sock


def _multicast6(interface: str) -> socket.socket:
    """Only to speak: whoever asks us asks by IPv4 too."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex(interface))
    sock.bind(("::", PORT))
    return sock


def _say(multicast: socket.socket, multicast6: socket.socket, said: queue.Queue[bytes]) -> None:
    """One packet after another, with a pause: as many machines would, who wait at random (RFC 6762, 6)."""
    while True:
        packet = said.get()
        multicast.sendto(packet, (GROUP, PORT))
        multicast6.sendto(packet, (_GROUP6, PORT))
        time.sleep(_PAUSE_SECONDS)


def main(interface: str, rooms: str, *addresses: str) -> None:
    peers = [Peer(rooms.split(","), address) for address in addresses]
    multicast = _multicast(interface)
    waiting = selectors.DefaultSelector()
    waiting.register(multicast, selectors.EVENT_READ, None)
    said: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_say, args=(multicast, _multicast6("eth0"), said), daemon=True).start()
    for peer in peers:
        waiting.register(peer.server, selectors.EVENT_READ, peer)
        said.put(dns.encode(records=peer.records))
    print(len(peers), flush=True)
    while True:
        for key, _ in waiting.select():
            if key.data is not None:
                threading.Thread(target=key.data.serve, daemon=True).start()
                continue
            packet = understand_packet(multicast.recv(9000))
            if packet is None or packet.is_response:
                continue
            known = {record.pointed.encode() for record in packet.records}
            for peer in peers:
                if records := peer.answer(packet.questions, known):
                    said.put(dns.encode(records=records))


if __name__ == "__main__":
    main(*sys.argv[1:])
