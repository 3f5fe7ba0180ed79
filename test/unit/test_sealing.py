"""Our key under a passphrase: what opens it, and what a changed byte does. The vectors have the real cost."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from certificates import make_certificate

from cryptochat_lib import sealing
from cryptochat_lib.errors import BadPassphrase, StartupError, UnreadableKey, WrongPassphrase
from cryptochat_lib.identity import Identity
from cryptochat_lib.sealing import Passphrase, SealedIdentity, seal
from cryptochat_lib.terminal import Terminal

TEA = Passphrase.parse("tea for two")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any function of all that scrypt gets."""

    def derive(header: sealing._Header, passphrase: Passphrase) -> bytes:
        parts = (header.log_n, header.r, header.p, header.salt, passphrase.utf8)
        return hashlib.sha256(repr(parts).encode()).digest()

    monkeypatch.setattr(sealing._Header, "derive", derive)


@pytest.fixture
def sealed(identity: Identity) -> SealedIdentity:
    return seal(identity, TEA)


def test_the_passphrase_opens_it(sealed: SealedIdentity, identity: Identity) -> None:
    assert sealed.open(TEA) == identity
    assert sealed.certificate == identity.certificate


@pytest.mark.parametrize("text", ["tea for twO", "tea for two ", " ", "x" * 1024])
def test_another_one_does_not(sealed: SealedIdentity, text: str) -> None:
    with pytest.raises(WrongPassphrase):
        sealed.open(Passphrase.parse(text))


def test_each_sealing_has_a_salt_and_a_nonce_of_its_own(identity: Identity) -> None:
    headers = [seal(identity, TEA).header for _ in range(20)]
    assert {len({header[a:b] for header in headers}) for a, b in ((4, 20), (20, 32))} == {20}


def test_the_cost_is_at_least_what_was_promised(sealed: SealedIdentity) -> None:
    assert sealed.header[:4] == bytes([1, 17, 8, 1])


def test_a_sealed_key_beside_another_certificate_does_not_open(sealed: SealedIdentity) -> None:
    with pytest.raises(WrongPassphrase):
        replace(sealed, certificate=make_certificate()).open(TEA)


def test_no_changed_byte_is_unnoticed(sealed: SealedIdentity) -> None:
    for place in range(32):
        header = bytearray(sealed.header)
        header[place] ^= random.randrange(1, 256)
        with pytest.raises((WrongPassphrase, UnreadableKey)):
            replace(sealed, header=bytes(header)).open(TEA)
    for place in (0, 100, len(sealed.ciphertext) - 1):
        ciphertext = bytearray(sealed.ciphertext)
        ciphertext[place] ^= 1
        with pytest.raises(WrongPassphrase):
            replace(sealed, ciphertext=bytes(ciphertext)).open(TEA)


def test_the_parameters_are_bound_even_if_they_led_to_the_same_key(
    sealed: SealedIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = sealing._Header.parse(sealed.header).derive(TEA)
    monkeypatch.setattr(sealing._Header, "derive", lambda *_: key)
    sealed.open(TEA)
    with pytest.raises(WrongPassphrase):
        replace(sealed, header=b"\x01\x12" + sealed.header[2:]).open(TEA)


@pytest.mark.parametrize(
    ("head", "within"),
    [
        ("01110801", True),
        ("01140804", True),
        ("01100801", False),
        ("01150801", False),
        ("01ff0801", False),
        ("01000801", False),
        ("01110701", False),
        ("01110901", False),
        ("01110800", False),
        ("01110805", False),
        ("00110801", False),
        ("02110801", False),
    ],
)
def test_parameters_out_of_bounds_are_not_tried(
    sealed: SealedIdentity, monkeypatch: pytest.MonkeyPatch, head: str, within: bool
) -> None:
    tried: list[sealing._Header] = []
    monkeypatch.setattr(sealing._Header, "derive", lambda header, _: tried.append(header) or bytes(32))
    with pytest.raises(WrongPassphrase if within else UnreadableKey):
        replace(sealed, header=bytes.fromhex(head) + sealed.header[4:]).open(TEA)
    assert bool(tried) == within


def test_neither_key_nor_passphrase_shows_in_a_log(sealed: SealedIdentity) -> None:
    assert "tea" not in repr(TEA)
    assert "private_key" not in repr(sealed)


@pytest.mark.parametrize(
    "text", ["", "a\nb", "a\0b", "a\x7f", "zero\u200bwidth", "\ud800", "\ue000", "\u0378", "é" * 513]
)
def test_what_cannot_be_typed_twice_alike_is_no_passphrase(text: str) -> None:
    with pytest.raises(BadPassphrase) as refused:
        Passphrase.parse(text)
    assert not text or text not in str(refused.value)


# From a descriptor


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    os.set_inheritable(ends[0], True)
    yield ends
    for end in ends:
        os.close(end)


def test_a_descriptor_gives_a_line_and_keeps_the_next(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"first\r\nsecond\n")
    terminal = Terminal()
    assert terminal.choose(pipe[0]) == Passphrase.parse("first")
    assert terminal.choose(pipe[0]) == Passphrase.parse("second")


@pytest.mark.parametrize("line", [b"\n", b"caf\xe9\n", b"a\tb\n", b"x" * 2000])
def test_a_line_that_is_no_passphrase_is_refused_and_not_quoted(pipe: tuple[int, int], line: bytes) -> None:
    os.write(pipe[1], line)
    with pytest.raises(BadPassphrase) as refused:
        Terminal().choose(pipe[0])
    assert "caf" not in f"{refused.value!r} {refused.value.__cause__!r}"


@pytest.mark.skipif(os.name == "nt", reason="this platform hands on no other descriptors")
def test_a_descriptor_of_our_own_is_not_waited_on(pipe: tuple[int, int]) -> None:
    os.set_inheritable(pipe[0], False)
    os.write(pipe[1], b"something\n")
    with pytest.raises(StartupError, match="not handed over"):
        Terminal().choose(pipe[0])
