"""The live comparison: what two people who are both there read off their screens.

The safety number is long because whoever wants to stand in the middle can search for
keys at leisure. Here nothing can be searched for: each side commits to a random value
before it learns the other's (Vaudenay, "Secure Communications over Insecure Channels
Based on Short Authenticated Strings", CRYPTO 2005). So nine digits are enough: one
try in a thousand million for each comparison, and one that fails is seen.

    initiator                             responder
    commitment(INITIATOR, ..., a)   →
                                    ←     commitment(RESPONDER, ..., b)
    a                               →     checked against its commitment
                                    ←     b, checked likewise
    result(..., a, b)                     result(..., a, b)

Why no part of the input may be left out, and the test vectors: docs/PROTOCOL.md, section 4.8.

Pure. Comparisons change in `comparisons`, and are begun in `comparer`.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import NamedTuple

from .model import Certificate, KnownKey

VALUE_BYTES = 32
DIGITS = 9

SHAPES = (
    *("anchor", "apple", "bell", "boat", "book", "candle", "cat", "cloud"),
    *("crown", "cup", "fish", "flag", "flower", "hat", "house", "key"),
    *("kite", "leaf", "moon", "mushroom", "star", "sun", "tree", "umbrella"),
)
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "brown", "grey")
"""A part of the picture is one of 24 shapes in one of 8 colours: four of them say more than nine digits."""

_COMMITMENT = b"CryptoChat comparison 1 commitment"
_RESULT = b"CryptoChat comparison 1 result"


class Role(bytes, enum.Enum):
    """Who began: the client of the connection is the initiator."""

    INITIATOR = b"initiator"
    RESPONDER = b"responder"


class Part(NamedTuple):
    """One of the four parts of the picture."""

    shape: str
    colour: str


class Result(NamedTuple):
    """What both screens show. `digits`: three groups of three."""

    digits: str
    picture: tuple[Part, ...]


NOT_ANSWERED = "they have not pressed “compare now” within two minutes"
BROKEN_OFF = "it broke off in the middle: begin again, and if it happens again, somebody may be interfering"
NOT_KEPT = "what the other side revealed is not what it had promised: somebody is interfering"
"""Reasons in words, as the user reads them."""


class Phase(str, enum.Enum):
    """How far a comparison has got.

    ASKED    they have begun, and wait at our gate for our user
    WAITING  our user has pressed "compare now", until `comparison_seconds` are over
    SHOWN    both values are there: the screen shows the result
    FAILED   it is over without a result, and the screen says why
    """

    ASKED = "asked"
    WAITING = "waiting"
    SHOWN = "shown"
    FAILED = "failed"


@dataclass
class Comparison:
    """One press of the button, on our side or, while ASKED, on theirs only."""

    key: KnownKey
    phase: Phase
    ends: float  # when it is given up, or shown no longer (monotonic)
    value: bytes = field(default=b"", repr=False)
    role: Role | None = None
    promised: bytes | None = None  # their commitment
    answered: float = 0.0  # when it was answered, as the responder (monotonic)
    result: Result | None = None
    reason: str = NOT_ANSWERED  # why there is none, or would be if it ended now


def commitment(role: Role, initiator: Certificate, responder: Certificate, value: bytes) -> bytes:
    """What binds whoever is in `role` to its `value` of 32 random bytes without showing it; 32 bytes."""
    return _digest("sha256", _COMMITMENT, role.value, *_both(initiator, responder), value)


def keeps(promised: bytes, role: Role, initiator: Certificate, responder: Certificate, value: bytes) -> bool:
    """Whether `value` is what whoever is in `role` has `promised`."""
    return hmac.compare_digest(promised, commitment(role, initiator, responder, value))


def result(initiator: Certificate, responder: Certificate, first: bytes, second: bytes) -> Result:
    """What is shown, from the initiator's value and the responder's.

    >>> len(SHAPES) * len(COLOURS) == 192 and 192**4 > 10**9
    True
    """
    digest = _digest("sha512", _RESULT, *_both(initiator, responder), first, second)
    number = f"{int.from_bytes(digest[:8], 'big') % 10**DIGITS:0{DIGITS}d}"
    parts = [int.from_bytes(digest[i : i + 4], "big") for i in range(8, 24, 4)]
    return Result(
        f"{number[:3]} {number[3:6]} {number[6:]}",
        tuple(Part(SHAPES[n % 192 // len(COLOURS)], COLOURS[n % len(COLOURS)]) for n in parts),
    )


def _both(initiator: Certificate, responder: Certificate) -> tuple[bytes, bytes]:
    """The very certificates: each end puts in what it has seen, so a man in the middle has two results."""
    return hashlib.sha256(initiator.der).digest(), hashlib.sha256(responder.der).digest()


def _digest(algorithm: str, *parts: bytes) -> bytes:
    """The hash of `parts`, each with its length before it: no two lists of parts read the same."""
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.new(algorithm, framed).digest()
