"""The live comparisons of one node: which are under way, and how far each has got.

    ASKED    they have begun, and wait at our gate for our user
    WAITING  our user has pressed "compare now", until `comparison_seconds` are over
    SHOWN    both values are there: the screen shows the result
    FAILED   it is over without a result, and the screen says why

What makes nine digits enough (`ceremony`) is that nobody gets a second try unseen:

1. A press of the button is one value of ours, and it is revealed once: to whoever has
   committed before, in one role. From then on nothing is tried again; what goes wrong
   is FAILED, and the user sees it.
2. The press is also the consent to present our certificate to that one key, and to
   answer it, while it is not verified (`peer_client`, `peer_server`): this comparison,
   nothing else. Who comes before the press waits at the gate like anybody unverified.
3. Where both have pressed and each calls the other, the smaller UUID stays the initiator.
   If an answer is lost just then, both may think that they answer: so the smaller one,
   if what it has answered is not followed by a value, calls again.

A result moves no trust: only the user does, who then says yes (`verification.say_yes`).

Threads: peer-server workers `open` and `reveal`; the thread of `comparer` does the same
from the other end; UI workers `begin` and `end`. `_changed` guards all fields, and is
not held while anybody waits at the gate.
"""

from __future__ import annotations

import enum
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import ceremony, shapes
from .ceremony import Result, Role
from .errors import BadRequest, Conflict, PeerUndecided, TooManyRequests
from .gates import Gates
from .limits import Limits
from .model import Certificate, KnownKey, PeerId, Trust
from .presence import Presence
from .questions import KNOCKED
from .verification import Verification

NOT_ANSWERED = "they have not pressed “compare now” within two minutes"
BROKEN_OFF = "it broke off in the middle: begin again, and if it happens again, somebody may be interfering"
NOT_KEPT = "what the other side revealed is not what it had promised: somebody is interfering"
"""Reasons in words, as the user reads them."""


class Phase(str, enum.Enum):
    """How far a comparison has got."""

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
    value: bytes = field(default_factory=lambda: secrets.token_bytes(ceremony.VALUE_BYTES), repr=False)
    role: Role | None = None
    promised: bytes | None = None  # their commitment
    answered: float = 0.0  # when it was answered, as the responder (monotonic)
    result: Result | None = None
    reason: str | None = None

    def shape(self) -> dict[str, Any]:
        """As the page sees it."""
        return shapes.comparison(self.key, self.phase.value, self.result, self.reason)


class Comparisons:
    """All comparisons, one for each key at a time."""

    def __init__(
        self, own: Certificate, verification: Verification, gates: Gates, presence: Presence, limits: Limits
    ) -> None:
        self._own = own
        self._verification = verification
        self._gates = gates
        self._presence = presence
        self._limits = limits
        self._changed = threading.Condition()
        self._of: dict[str, Comparison] = {}  # by the fingerprint of the other key
        self._closed = False

    # The user's side.

    def begin(self, key: KnownKey) -> Comparison | None:
        """The user has pressed "compare now"; None if this goes on already. TooManyRequests."""
        fingerprint = key.certificate.fingerprint_sha256
        with self._changed:
            known = self._of.get(fingerprint)
            if self._closed or (known is not None and known.phase is Phase.WAITING):
                return None
            others = [c for c in self._of.values() if c.phase is not Phase.ASKED and c is not known]
            if len(others) >= self._limits.comparisons_at_once:
                raise TooManyRequests("end another comparison first")
            begun = Comparison(key, Phase.WAITING, time.monotonic() + self._limits.comparison_seconds)
            self._of[fingerprint] = begun
            self._changed.notify_all()
        self._gates.open(fingerprint)
        self._presence.touch(key.uuid)
        return begun

    def end(self, uuid: PeerId) -> None:
        """It is answered, or not wanted any more. Who asks us goes on asking."""
        with self._changed:
            self._of = {f: c for f, c in self._of.items() if c.key.uuid != uuid or c.phase is Phase.ASKED}
            self._changed.notify_all()
        self._presence.touch(uuid)

    def of(self, uuid: PeerId) -> Comparison | None:
        """The comparison with `uuid`, what the user has begun before what others have."""
        with self._changed:
            found = [c for c in self._of.values() if c.key.uuid == uuid]
        return min(found, key=lambda c: c.phase is Phase.ASKED, default=None)

    def require_shown(self, uuid: PeerId, fingerprint: str | None) -> None:
        """Conflict unless the user has the result for this very key on the screen."""
        with self._changed:
            shown = self._of.get(fingerprint or "")
            if shown is None or shown.key.uuid != uuid or shown.phase is not Phase.SHOWN:
                raise Conflict("there is no result to compare: press “compare now”, both of you")

    # The responder's side, for `peer_server`.

    def open(
        self,
        shown: Certificate,
        promised: bytes,
        patience: float = 0.0,
        gone: Callable[[], bool] = lambda: False,
        address: str | None = None,
    ) -> bytes:
        """Our commitment for theirs, from `address`, once our user has pressed too, for which it waits
        up to `patience` seconds unless they are `gone`.

        Raises PeerUndecided, PeerRejected, CertificateChanged; Conflict if the other role is theirs.
        """
        key = self._verification.comparable(shown)
        if patience > 0 and not self._is_begun(key) and not key.declined:
            asked = self._verification.questions.ask(key, KNOCKED, address=address)
            if asked or key.trust is Trust.VERIFIED:
                self._wait_for_press(key, patience, gone)
        with self._changed:
            comparison = self._begun(key)
            if comparison.role is Role.INITIATOR and (comparison.promised or self._own.uuid < key.uuid):
                raise Conflict("the other side answers in this comparison")
            comparison.role, comparison.promised = Role.RESPONDER, promised
            comparison.answered = time.monotonic()
            comparison.ends = min(comparison.ends, comparison.answered + self._limits.request_seconds)
            self._changed.notify_all()
            return ceremony.commitment(Role.RESPONDER, shown, self._own, comparison.value)

    def reveal(self, shown: Certificate, value: bytes) -> bytes:
        """Our value for theirs, if that is what they had promised; BadRequest, Conflict, PeerUndecided."""
        key = self._verification.comparable(shown)
        with self._changed:
            comparison = self._begun(key)
            promised = comparison.promised
            if comparison.role is not Role.RESPONDER or promised is None:
                raise Conflict("first both sides promise, then they reveal")
            if not ceremony.keeps(promised, Role.INITIATOR, shown, self._own, value):
                self._finish(comparison, None, NOT_KEPT)
                raise BadRequest("this is not the value that was promised")
            self._finish(comparison, ceremony.result(shown, self._own, value, comparison.value), None)
            return comparison.value

    # The initiator's side, for `comparer`.

    def promise(self, comparison: Comparison) -> bytes | None:
        """Our commitment for an opening that is about to be sent; None if there is nothing to open."""
        with self._changed:
            if not self._is_waiting(comparison) or not self._may_call(comparison):
                return None
            comparison.role, comparison.promised = Role.INITIATOR, None
            return ceremony.commitment(
                Role.INITIATOR, self._own, comparison.key.certificate, comparison.value
            )

    def not_opened(self, comparison: Comparison) -> None:
        """The opening was not answered: nothing is revealed, and either side may try again."""
        with self._changed:
            if comparison.role is Role.INITIATOR:
                comparison.role = None

    def promised(self, comparison: Comparison, theirs: bytes) -> bytes | None:
        """They have answered with their commitment: our value, to be sent now; None if it is too late."""
        with self._changed:
            if not self._is_waiting(comparison) or comparison.role is not Role.INITIATOR:
                return None
            comparison.promised = theirs
            return comparison.value

    def revealed(self, comparison: Comparison, value: bytes) -> None:
        """Their value has come: shown, if it is what they had promised."""
        other, promised = comparison.key.certificate, comparison.promised
        with self._changed:
            if not self._is_waiting(comparison) or promised is None:
                return
            if ceremony.keeps(promised, Role.RESPONDER, self._own, other, value):
                self._finish(comparison, ceremony.result(self._own, other, comparison.value, value), None)
            else:
                self._finish(comparison, None, NOT_KEPT)

    def fail(self, comparison: Comparison, reason: str) -> None:
        """It is over without a result, if there is none yet."""
        with self._changed:
            if comparison.phase is Phase.WAITING and self._is_current(comparison):
                self._finish(comparison, None, reason)

    def wait(self, comparison: Comparison, seconds: float) -> bool:
        """Wait up to `seconds` for another role or the end; whether it is WAITING still."""
        with self._changed:
            role = comparison.role
            self._changed.wait_for(
                lambda: not self._is_waiting(comparison) or comparison.role is not role, seconds
            )
            return self._is_waiting(comparison)

    def outlive(self, comparison: Comparison) -> None:
        """Wait until it is not to be shown any more, and take it away."""
        with self._changed:
            while self._is_current(comparison) and (left := comparison.ends - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._is_current(comparison):
                del self._of[comparison.key.certificate.fingerprint_sha256]
        self._presence.touch(comparison.key.uuid)

    def close(self) -> None:
        """Release everyone who waits."""
        with self._changed:
            self._closed = True
            self._of.clear()
            self._changed.notify_all()

    # Parts of the above.

    def _wait_for_press(self, key: KnownKey, patience: float, gone: Callable[[], bool]) -> None:
        """At the gate of `key`; the page shows that they wait."""
        fingerprint = key.certificate.fingerprint_sha256
        asked = Comparison(key, Phase.ASKED, time.monotonic() + patience)
        with self._changed:
            if self._closed or fingerprint in self._of:
                return
            self._of[fingerprint] = asked
        self._presence.touch(key.uuid)
        try:
            self._gates.wait(fingerprint, patience, lambda: self._is_current(asked), gone)
        finally:
            with self._changed:
                if self._is_current(asked):
                    del self._of[fingerprint]
            self._presence.touch(key.uuid)

    def _is_begun(self, key: KnownKey) -> bool:
        with self._changed:
            comparison = self._of.get(key.certificate.fingerprint_sha256)
            return comparison is not None and comparison.phase is Phase.WAITING

    def _begun(self, key: KnownKey) -> Comparison:
        """The comparison with `key` that our user has begun; PeerUndecided."""
        comparison = self._of.get(key.certificate.fingerprint_sha256)
        if comparison is None or not self._is_waiting(comparison):
            raise PeerUndecided("they have not pressed “compare now”", headers={"Retry-After": "1"})
        return comparison

    def _may_call(self, comparison: Comparison) -> bool:
        """Whether to be the initiator: unless we are the responder, and are not left waiting (rule 3)."""
        left_waiting = time.monotonic() - comparison.answered > self._limits.connect_seconds
        return comparison.role is not Role.RESPONDER or (
            left_waiting and self._own.uuid < comparison.key.uuid
        )

    def _is_current(self, comparison: Comparison) -> bool:
        return self._of.get(comparison.key.certificate.fingerprint_sha256) is comparison

    def _is_waiting(self, comparison: Comparison) -> bool:
        """Under way: not answered, not replaced, and within its time."""
        in_time = time.monotonic() < comparison.ends
        return comparison.phase is Phase.WAITING and in_time and self._is_current(comparison)

    def _finish(self, comparison: Comparison, result: Result | None, reason: str | None) -> None:
        comparison.phase = Phase.FAILED if result is None else Phase.SHOWN
        comparison.result, comparison.reason = result, reason
        comparison.ends = time.monotonic() + self._limits.comparison_shown_seconds
        self._changed.notify_all()
        self._presence.touch(comparison.key.uuid)
