"""Somebody else's UUID, and all else of a certificate that is not the key.

Mallory copies what can be copied: the subject, the serial number, the key identifier. She is there
first, or she is a friend who wants to be another one. Nobody can copy a key.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from loopback_node import LoopbackNode
from loopback_peer import HandmadePeer, OwnCertificate, PeerConnection, accepts_all, know, message, trust
from waiting import wait_until

from cryptochat_lib.identity import safety_number
from cryptochat_lib.model import Certificate, PeerId

StartNode = Callable[..., LoopbackNode]
MakePeer = Callable[..., HandmadePeer]

OURS = "/v1/messages"


def refused(node: LoopbackNode, peer: HandmadePeer, **options: object) -> bool:
    """Whether the node ends this connection without an answer."""
    try:
        with peer.connect(node, **options) as connection:  # type: ignore[arg-type]
            connection.post(OURS, {"messages": [message("it is me")]})
    except OSError:
        return True
    return False


def let_in(connection: PeerConnection) -> bool:
    return connection.post(OURS, {"messages": [message("it is me")]}).status == 200


def test_a_friends_real_key_on_one_side_alone_gives_two_numbers_that_differ_in_every_group() -> None:
    """Bob holds Ada's real key; Ada holds Mallory's, under Bob's name. What Bob reads is not on her screen.

    Fixed keys: of two random ones a group of five digits may be the same.
    """
    chance = random.Random(1)
    ada, bob, mallory = (
        Certificate(
            PeerId(f"{chance.getrandbits(32):08x}-0000-8000-8000-000000000000"), b"", chance.randbytes(91)
        )
        for _ in range(3)
    )
    hers, his = safety_number(ada, mallory).split(), safety_number(bob, ada).split()
    assert len(hers) == len(his) == 12
    assert all(one != other for one, other in zip(hers, his, strict=True))


def test_a_squatter_of_a_random_uuid_who_was_first_does_not_keep_its_owner_out(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    """Her certificate, with the owner's subject, serial and key identifier, is a trust anchor already."""
    owner = make_peer()
    squatter = make_peer(owner.uuid, certificate=OwnCertificate(owner.uuid, like=owner.certificate))
    know(ada, squatter)
    owner.announce("tea")
    ada.post(f"/api/users/{owner.uuid}/look")
    wait_until(lambda: ada.status(owner.uuid) == "changed")
    ada.verify(owner.uuid, owner.fingerprint_sha256)
    with owner.connect(ada) as connection:
        assert let_in(connection)
    with squatter.connect(ada) as connection:
        assert not let_in(connection)
    assert [m["content"] for m in ada.history("tea")] == ["it is me"]
    assert (ada.user(owner.uuid) or {})["fingerprint_sha256"] == owner.fingerprint_sha256


def test_a_copy_of_a_friends_subject_serial_and_key_identifier_is_not_the_friend(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    """Neither in TLS, nor, once a look has made it an anchor, behind it; and the friend gets in as before."""
    friend = make_peer()
    trust(ada, friend)
    friend.respond = accepts_all
    forged = OwnCertificate(friend.uuid, like=friend.certificate)
    impostor = make_peer(friend.uuid, certificate=forged)
    impostor.respond = accepts_all
    assert refused(ada, impostor)
    impostor.announce("tea")
    wait_until(lambda: (ada.user(friend.uuid) or {})["conflict"])
    with impostor.connect(ada) as connection:
        assert not let_in(connection)
    with friend.connect(ada) as connection:
        assert let_in(connection)
    ada.send("tea", "for the friend")
    wait_until(lambda: friend.requests.items, 10)
    assert impostor.requests.items == []
    assert len(ada.history("tea")) == 2


def test_an_authority_is_never_learned_and_nobody_it_has_signed_gets_in(
    ada: LoopbackNode, make_peer: MakePeer
) -> None:
    friend = make_peer()
    trust(ada, friend)
    uuid = PeerId("0704411d-699b-4cc0-9a55-6d9b2f1c0a11")
    authority = make_peer(uuid, certificate=OwnCertificate(uuid, ca=True))
    authority.announce("tea")
    wait_until(lambda: authority.handshakes, 10, "nobody looked at it")
    forged = OwnCertificate(friend.uuid, signer=authority.certificate, like=friend.certificate)
    assert refused(ada, authority)
    assert refused(ada, authority, certificate=forged, chain=[authority.certificate])
    assert (ada.user(uuid) or {})["fingerprint"] is None
    assert ada.history("tea") == []
