"""Dialing on a cable: link-local addresses, and addresses at which no machine is any more."""

from __future__ import annotations

import socket
import time

import pytest
from handshakes import NoHandshake
from lab import Host, Lan

from cryptochat_lib.attempts import Attempts
from cryptochat_lib.dialing import dial
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Endpoint

LIMITS = Limits()
GONE = "10.77.0.200", "fd00:77:0::200", "10.77.0.201"
SLACK = 1.0


def first_to_answer(host: Host, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, float]:
    """Where a connection of `host` comes to be, and the seconds that it takes."""

    def connect() -> tuple[Endpoint, float]:
        began = time.monotonic()
        endpoint, sock = dial(lambda: endpoints, NoHandshake(), LIMITS, Attempts())
        sock.close()
        return endpoint, time.monotonic() - began

    return host.inside(connect)


@pytest.mark.parametrize("scope", ["name", "number"])
def test_a_link_local_address_is_dialed_on_its_link(lan: Lan, scope: str) -> None:
    ada, bob, _ = lan.hosts
    link = "eth0" if scope == "name" else str(ada.inside(lambda: socket.if_nametoindex("eth0")))
    with bob.inside(lambda: socket.create_server(("::", 0), family=socket.AF_INET6)) as listener:
        there = Endpoint(f"{bob.link_local}%{link}", listener.getsockname()[1])
        assert first_to_answer(ada, (there,))[0] == there


def test_addresses_at_which_no_machine_is_any_more_cost_the_stagger_each(lan: Lan) -> None:
    """One after the other they cost three seconds each: so long nobody answers who has this address."""
    ada, bob, _ = lan.hosts
    with bob.inside(lambda: socket.create_server((bob.address, 0))) as listener:
        port = listener.getsockname()[1]
        there = Endpoint(bob.address, port)
        endpoint, seconds = first_to_answer(ada, (*(Endpoint(host, port) for host in GONE), there))
        assert endpoint == there
        assert seconds < len(GONE) * LIMITS.connect_stagger_seconds + SLACK
