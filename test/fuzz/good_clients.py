"""Those who use a node as it is meant while somebody fuzzes it: each asks once, and checks the answer.

Who they are depends on the way in that is fuzzed: the user's page always, beside it the friend
who sends a message over a new connection, and somebody new who is announced and looked at.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import socket
import ssl
import uuid

import dns_packets as dns
from lab import Namespace
from nodes import Node
from people import People
from seed_mdns import GROUP, PORT, SERVICE
from target import PEER_PORT
from waiting import wait_until

PATIENCE = 30.0


class GoodClient:
    """The user's page."""

    def __init__(self, node: Node, people: People) -> None:
        self.node, self.people = node, people

    def ask(self) -> None:
        """Raises whatever stands in the way of the right answer."""
        assert self.node.get("/api/info")["uuid"] == self.node.uuid
        assert self.node.get("/api/rooms")["rooms"] is not None


class Friend(GoodClient):
    """The page, and the friend's program, which sends a message over a connection of its own."""

    def __init__(self, node: Node, people: People) -> None:
        super().__init__(node, people)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._context.load_cert_chain(people.pem)

    def ask(self) -> None:
        super().ask()
        message = {"id": uuid.uuid4().hex, "room": self.people.room, "username": "a friend"}
        body = json.dumps({"messages": [{**message, "content": "hello", "sent": 0, "kind": "text"}]})
        connection = http.client.HTTPConnection("127.0.0.1", PEER_PORT, timeout=PATIENCE)
        assert self.node.host
        plain = self.node.host.connect(PEER_PORT, timeout=PATIENCE)
        with contextlib.closing(self._context.wrap_socket(plain)) as connection.sock:
            connection.request("POST", "/v1/messages", body)
            results = json.loads(connection.getresponse().read())["results"]
        assert [result["status"] for result in results] == [200], results


class Newcomer(GoodClient):
    """The page, and somebody new: announced in the room, and listed there."""

    _addresses = itertools.cycle(range(2, 250))

    def ask(self) -> None:
        super().ask()
        assert self.node.host
        self._meet(self.node.host)

    def _meet(self, host: Namespace) -> None:
        self._announce(host, str(uuid.uuid4()), 1)

    def _announce(self, host: Namespace, who: str, port: int) -> None:
        """Say who is there, more than once, since a packet may be lost; until the page shows it."""
        address = f"127.7.7.{next(self._addresses)}"
        instance, name = f"{who}.{SERVICE}", f"{who}.local."
        records = [
            dns.pointer(SERVICE, instance),
            dns.service(instance, port, name),
            dns.text(instance, [b"v=1", f"room={self.people.room}".encode()]),
            dns.address(name, address),
        ]
        with host.inside(_speaker) as speaker:

            def shown() -> bool:
                speaker.sendto(dns.encode(records=records), (GROUP, PORT))
                return who in self.node.members(self.people.room)

            wait_until(shown, PATIENCE, f"{who} is not listed")
            speaker.sendto(dns.encode(records=[dns.pointer(SERVICE, instance, 0)]), (GROUP, PORT))


def _speaker() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    sock.bind(("127.0.0.1", PORT))
    return sock


GOOD_CLIENTS: dict[str, type[GoodClient]] = {
    "raw HTTP at the UI's port": GoodClient,
    "raw HTTP at the peers' port": Friend,
    "TLS records": Friend,
    "mDNS packets": Newcomer,
    "JSON bodies": Friend,
    "certificates at the look": Newcomer,
}
