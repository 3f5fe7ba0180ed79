"""The live comparisons of one node: which are under way, and how far each has got.

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

import secrets
import threading
import time
from collections.abc import Callable

from . import ceremony
from .ceremony import BROKEN_OFF, NOT_KEPT, Comparison, Phase, Result, Role
from .errors import BadRequest, Conflict, PeerUndecided, TooManyRequests
from .gates import Gates
from .limits import Limits
from .model import Certificate, KnownKey, PeerId, Trust
from .presence import Presence
from .questions import KNOCKED
from .verification import Verification


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
            ends = time.monotonic() + self._limits.comparison_seconds
            begun = Comparison(key, Phase.WAITING, ends, secrets.token_bytes(ceremony.VALUE_BYTES))
            self._of[fingerprint] = begun
            self._changed.notify_all()
        self._gates.open(fingerprint)
        self._presence.touch(key.uuid)
        return begun

    def end(self, uuid: PeerId) -> list[Comparison]:
        """It is answered, or not wanted any more; returns those that were under way.

        Who asks us goes on asking. A try whose value is out has failed, and is shown (rule 1).
        """
        with self._changed:
            ended = [c for c in self._of.values() if c.key.uuid == uuid and c.phase is not Phase.ASKED]
            under_way = [c for c in ended if c.phase is Phase.WAITING]
            for comparison in ended:
                if comparison in under_way and comparison.role is Role.INITIATOR and comparison.promised:
                    self._finish(comparison, None)
                else:
                    del self._of[comparison.key.certificate.fingerprint_sha256]
            self._changed.notify_all()
        self._presence.touch(uuid)
        return under_way

    def fingerprints(self) -> set[str]:
        """The keys with which a comparison goes on, is asked for, or is shown."""
        with self._changed:
            return set(self._of)

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
                if gone():
                    raise PeerUndecided()
        with self._changed:
            comparison = self._begun(key)
            if comparison.role is Role.INITIATOR and (comparison.promised or self._own.uuid < key.uuid):
                raise Conflict("the other side answers in this comparison")
            comparison.role, comparison.promised, comparison.reason = Role.RESPONDER, promised, BROKEN_OFF
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
            self._finish(comparison, ceremony.result(shown, self._own, value, comparison.value))
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
            comparison.promised, comparison.reason = theirs, BROKEN_OFF
            return comparison.value

    def revealed(self, comparison: Comparison, value: bytes) -> None:
        """Their value has come: shown, if it is what they had promised."""
        other, promised = comparison.key.certificate, comparison.promised
        with self._changed:
            if not self._is_waiting(comparison) or promised is None:
                return
            if ceremony.keeps(promised, Role.RESPONDER, self._own, other, value):
                self._finish(comparison, ceremony.result(self._own, other, comparison.value, value))
            else:
                self._finish(comparison, None, NOT_KEPT)

    def note(self, comparison: Comparison, reason: str) -> None:
        """Why the last call came to nothing, unless something has been promised."""
        with self._changed:
            if self._is_waiting(comparison) and not comparison.promised and not comparison.answered:
                comparison.reason = reason

    def fail(self, comparison: Comparison, reason: str | None = None) -> bool:
        """It is over without a result, unless it is over already."""
        with self._changed:
            if comparison.phase is not Phase.WAITING or not self._is_current(comparison):
                return False
            self._finish(comparison, None, reason)
            return True

    def wait(self, comparison: Comparison, seconds: float) -> bool:
        """Wait up to `seconds` for another role or the end; whether it is WAITING still."""
        with self._changed:
            role = comparison.role
            seconds = max(0.0, min(seconds, comparison.ends - time.monotonic()))
            self._changed.wait_for(
                lambda: not self._is_waiting(comparison) or comparison.role is not role, seconds
            )
            return self._is_waiting(comparison)

    def keep_time(self, comparison: Comparison) -> bool:
        """Wait until it is over; True if its time was, and it has failed."""
        with self._changed:
            while self._is_waiting(comparison):
                self._changed.wait(max(0.0, comparison.ends - time.monotonic()))
        return self.fail(comparison)

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
        left_waiting = time.monotonic() - comparison.answered > self._limits.request_seconds / 2
        return comparison.role is not Role.RESPONDER or (
            left_waiting and self._own.uuid < comparison.key.uuid
        )

    def _is_current(self, comparison: Comparison) -> bool:
        return self._of.get(comparison.key.certificate.fingerprint_sha256) is comparison

    def _is_waiting(self, comparison: Comparison) -> bool:
        """Under way: not answered, not replaced, and within its time."""
        in_time = time.monotonic() < comparison.ends
        return comparison.phase is Phase.WAITING and in_time and self._is_current(comparison)

    def _finish(self, comparison: Comparison, result: Result | None, reason: str | None = None) -> None:
        comparison.phase = Phase.FAILED if result is None else Phase.SHOWN
        comparison.result, comparison.reason = result, reason or comparison.reason
        comparison.ends = time.monotonic() + self._limits.comparison_shown_seconds
        self._changed.notify_all()
        self._presence.touch(comparison.key.uuid)
