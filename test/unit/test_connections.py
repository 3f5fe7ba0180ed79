"""A flood from strangers leaves room for friends, and withdrawing trust ends what is open."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from cryptochat_lib.connections import Connection, Connections

Pair = tuple[Connection | None, socket.socket]


@pytest.fixture
def knock() -> Iterator[Callable[..., Pair]]:
    """Opens a connection with real sockets: ours, and the other end."""
    sockets: list[socket.socket] = []

    def knock(connections: Connections, address: str = "10.0.0.1", friend: bool = False) -> Pair:
        ours, theirs = socket.socketpair()
        sockets.extend((ours, theirs))
        return connections.open(ours, address, friend), theirs

    yield knock
    for sock in sockets:
        sock.close()


def opened(pair: Pair) -> Connection:
    assert pair[0] is not None
    return pair[0]


def ended(pair: Pair) -> bool:
    pair[1].setblocking(False)
    try:
        return pair[1].recv(1) == b""
    except BlockingIOError:
        return False


def test_past_the_places_the_newest_is_turned_away(knock: Callable[..., Pair]) -> None:
    connections = Connections(2, 2, 2)
    assert [knock(connections, friend=True)[0] is not None for _ in range(3)] == [True, True, False]
    assert len(connections) == 2


def test_one_address_cannot_take_every_place(knock: Callable[..., Pair]) -> None:
    connections = Connections(9, 2, 9)
    assert [knock(connections, "10.6.6.6")[0] is not None for _ in range(3)] == [True, True, False]
    assert knock(connections, "10.0.0.2")[0] is not None


def test_strangers_cannot_take_the_places_kept_for_friends(knock: Callable[..., Pair]) -> None:
    connections = Connections(4, 9, 2)
    assert [knock(connections, f"10.6.6.{n}")[0] is not None for n in range(3)] == [True, True, False]
    assert [knock(connections, f"10.0.0.{n}", friend=True)[0] is not None for n in range(3)] == [
        True,
        True,
        False,
    ]


def test_a_place_is_free_again_after_its_connection_is_closed_once(knock: Callable[..., Pair]) -> None:
    connections = Connections(1, 1, 1)
    first = opened(knock(connections))
    connections.close(first)
    connections.close(first)
    assert len(connections) == 0
    assert knock(connections)[0] is not None
    assert knock(connections)[0] is None


def test_nothing_is_left_of_an_address_that_has_gone(knock: Callable[..., Pair]) -> None:
    connections = Connections(9, 9, 9)
    for n in range(5):
        connections.close(opened(knock(connections, f"10.0.0.{n}")))
        knock(connections, "10.0.0.9", friend=True)
    assert set(connections._of_address) == {"10.0.0.9"}


def test_a_stranger_who_shows_a_friends_key_gives_the_strangers_place_back(
    knock: Callable[..., Pair],
) -> None:
    connections = Connections(9, 9, 1)
    friend = opened(knock(connections))
    assert knock(connections)[0] is None
    assert connections.identify(friend, "key", friend=True)
    assert knock(connections)[0] is not None


def test_a_strangers_key_from_a_friends_address_needs_a_strangers_place(knock: Callable[..., Pair]) -> None:
    """Or an attacker behind a friend's address (a NAT, a shared machine) would fill the places of friends."""
    connections = Connections(9, 9, 1)
    opened(knock(connections))
    impostor = opened(knock(connections, "10.0.0.2", friend=True))
    assert not connections.identify(impostor, "key", friend=False)
    connections.close(impostor)
    assert connections._strangers == 1


def test_ending_a_key_ends_its_connections_in_both_directions_and_no_other(
    knock: Callable[..., Pair],
) -> None:
    connections = Connections(9, 9, 9)
    his, hers = knock(connections), knock(connections)
    connections.identify(opened(his), "bob", friend=True)
    connections.identify(opened(hers), "carol", friend=True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outgoing = connections.outgoing(ours, "10.0.0.2", "bob")
        connections.end("bob")
        assert ended(his)
        assert not ended(hers)
        assert theirs.recv(1) == b""
        connections.close(outgoing)
    assert len(connections) == 2


def test_ending_a_connection_that_is_gone_already_is_no_error(knock: Callable[..., Pair]) -> None:
    connections = Connections(9, 9, 9)
    pair = knock(connections)
    connections.identify(opened(pair), "bob", friend=True)
    opened(pair).socket.close()
    connections.end("bob")


def test_after_the_end_nothing_opens_in_either_direction(knock: Callable[..., Pair]) -> None:
    connections = Connections(9, 9, 9)
    before = knock(connections)
    connections.end_all()
    assert ended(before)
    assert knock(connections, friend=True)[0] is None
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connections.outgoing(ours, "10.0.0.2", "bob")
        assert theirs.recv(1) == b""


def test_an_outgoing_connection_takes_no_place(knock: Callable[..., Pair]) -> None:
    connections = Connections(1, 1, 1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connections.outgoing(ours, "10.0.0.2", "bob")
        assert knock(connections)[0] is not None


def test_one_key_cannot_take_every_place_from_many_addresses(knock: Callable[..., Pair]) -> None:
    connections = Connections(9, 2, 9)
    his = [opened(knock(connections, f"10.6.6.{n}")) for n in range(3)]
    assert [connections.identify(one, "mallory", friend=True) for one in his] == [True, True, False]
    assert connections.identify(his[0], "mallory", friend=True), "said again, for another request"
    connections.close(his[2])
    assert not connections.identify(opened(knock(connections, "10.6.6.8")), "mallory", friend=True)
    connections.close(his[1])
    assert connections.identify(opened(knock(connections, "10.6.6.9")), "mallory", friend=True)


def test_where_the_oldest_makes_way_the_silent_keep_nobody_out(knock: Callable[..., Pair]) -> None:
    connections = Connections(3, 3, 3, oldest_makes_way=True)
    page, silent, other = (knock(connections) for _ in range(3))
    assert connections.identify(opened(page), "token", friend=True)
    assert knock(connections)[0] is not None
    assert ended(silent)
    assert not ended(page)
    assert not ended(other)
    assert len(connections) == 3
    connections.close(opened(silent))
    assert not connections.identify(opened(silent), "token", friend=True), "its place is another's by now"
    assert (len(connections), connections._strangers) == (3, 2)


def test_where_the_oldest_makes_way_who_has_shown_the_token_does_not(knock: Callable[..., Pair]) -> None:
    connections = Connections(1, 1, 1, oldest_makes_way=True)
    page = knock(connections)
    assert connections.identify(opened(page), "token", friend=True)
    assert knock(connections)[0] is None
    assert not ended(page)
