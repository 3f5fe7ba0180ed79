"""Beginning a live comparison: what follows when the user presses "compare now".

    1. look at the other side, so that both know each other's certificate;
    2. call it, presenting our certificate to that one key: POST /v1/comparison with our
       commitment, which waits at their gate until their user has pressed too;
    3. their commitment is there: POST /v1/comparison/reveal with our value, then theirs.

Until step 3 whatever fails is tried again, once a second, also where somebody else
answers: anybody can announce the other's UUID. And the other side may call us instead,
which makes us the responder (`comparisons`, `peer_server`). From step 3 on nothing is
tried again: our value is out, and who got it must not get another.

Threads: for each comparison one that keeps its time, `compare-...`, until it is not shown any
more; and one that calls, `call-...`, until it is over.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import wire
from .attempts import Attempts
from .ceremony import BROKEN_OFF, NOT_ANSWERED, Comparison
from .comparisons import Comparisons
from .connections import Connections
from .dialing import Where
from .errors import (
    BadRequest,
    CertificateChanged,
    Conflict,
    CryptoChatError,
    NotAllowed,
    TooManyRequests,
    Unreachable,
)
from .identity import Identity, is_self_proving
from .limits import Limits
from .looker import Looker
from .model import Certificate, Endpoint, KnownKey, PeerId, Trust
from .neighbourhood import Neighbourhood
from .peer_client import PeerClient, Reply
from .presence import Presence
from .verification import Verification

_log = logging.getLogger(__name__)

IMPOSTOR = "somebody else answers at this person's address"
NONSENSE = "their program gave an answer that makes no sense"
NOT_REACHED = "their program could not be reached"
NOT_MET = "you have both pressed, but your programs did not come together: begin again"
GONE = "this key has been forgotten or replaced here meanwhile"
REJECTED = "they have rejected you"
UNKNOWN = "their program does not know this comparison: compare the safety number"
"""Reasons in words, as the user reads them."""

_UNKNOWN_REQUEST = (404, 405, 501)
_PAUSE_SECONDS = 1.0
_TROUBLE = ((CertificateChanged, IMPOSTOR), (BadRequest, NONSENSE), (Unreachable, NOT_REACHED))


class Comparer:
    """Begins and ends comparisons for the user."""

    def __init__(
        self,
        identity: Identity,
        comparisons: Comparisons,
        presence: Presence,
        verification: Verification,
        looker: Looker,
        connections: Connections,
        neighbourhood: Neighbourhood,
        limits: Limits,
        attempts: Attempts,
    ) -> None:
        self._neighbourhood = neighbourhood
        self._identity = identity
        self._comparisons = comparisons
        self._presence = presence
        self._verification = verification
        self._looker = looker
        self._connections = connections
        self._limits = limits
        self._attempts = attempts

    def begin(self, uuid: PeerId, fingerprint: str | None) -> None:
        """Compare with one key of `uuid` now. Conflict where that cannot be, FingerprintDiffers,
        NoSingleCertificate, TooManyRequests.
        """
        key = self._verification.choose(uuid, fingerprint)
        if key.trust is Trust.REJECTED:
            raise Conflict("you have rejected this key")
        if not self._knows_this(key):
            raise Conflict(UNKNOWN)
        comparison = self._comparisons.begin(key)
        if comparison is None:
            return
        try:
            self._start("compare", self._keep_time, comparison)
        except RuntimeError as error:
            self._comparisons.end(uuid)
            raise TooManyRequests("the system has no thread for this") from error
        self._looker.look(uuid)

    def end(self, uuid: PeerId) -> None:
        """The user does not want to compare (any more): who is in the middle of it is hung up on."""
        for comparison in self._comparisons.end(uuid):
            self._hang_up(comparison)

    def _knows_this(self, key: KnownKey) -> bool:
        where = self._presence.of(key.uuid)
        return is_self_proving(key.uuid) or key.speaks_v1 or (where is not None and where.version >= 1)

    def _start(self, name: str, run: Callable[[Comparison], None], comparison: Comparison) -> None:
        """A thread for `comparison`; RuntimeError if the system has none."""
        name = f"{name}-{comparison.key.uuid[:8]}"
        threading.Thread(target=run, args=(comparison,), name=name, daemon=True).start()

    def _keep_time(self, comparison: Comparison) -> None:
        """From the press until nothing of it is shown: whatever a call waits for, it ends in its time."""
        try:
            self._start("call", self._call, comparison)
            if self._comparisons.keep_time(comparison):
                self._hang_up(comparison)
        except Exception:  # the top of a thread
            _log.exception("a comparison failed")
            self._comparisons.fail(comparison)
        self._comparisons.outlive(comparison)

    def _hang_up(self, comparison: Comparison) -> None:
        self._connections.end(comparison.key.certificate.fingerprint_sha256)

    def _call(self, comparison: Comparison) -> None:
        """Steps 2 and 3, again and again until it is over."""
        call = _Call(comparison)
        try:
            client = PeerClient(
                self._identity,
                comparison.key,
                lambda shown: self._admit(comparison, shown),
                self._connections,
                self._limits,
                self._attempts,
            )
            with contextlib.closing(client):
                while self._comparisons.wait(comparison, 0):
                    call.pause = _PAUSE_SECONDS
                    self._try(call, client)
                    self._comparisons.wait(comparison, call.pause)
        except Exception:  # the top of a thread
            _log.exception("a call for a comparison failed")
            self._comparisons.fail(comparison)

    def _admit(self, comparison: Comparison, shown: Certificate) -> None:
        """Whether the user still may compare with whoever has `shown` the pinned key; Unreachable."""
        try:
            self._verification.comparable(shown, meant=comparison.key.certificate)
        except NotAllowed as error:
            self._comparisons.fail(comparison, GONE)
            raise Unreachable(GONE) from error
        if not self._comparisons.wait(comparison, 0):
            raise Unreachable("the comparison is over")

    def _try(self, call: _Call, client: PeerClient) -> None:
        """One call; what fails before our value is revealed leaves the comparison as it was."""
        comparison = call.comparison
        promise = self._comparisons.promise(comparison)
        if promise is None:
            return
        try:
            left = max(0.0, comparison.ends - time.monotonic())
            reply = client.post(self._where(call), "/v1/comparison", wire.promise(promise), left)
            call.reached = reply.endpoint
            theirs = self._read_promise(call, reply)
        except CryptoChatError as error:
            _log.debug("comparison with %s: %s", comparison.key.uuid, error)
            reason = next((words for kind, words in _TROUBLE if isinstance(error, kind)), NOT_ANSWERED)
            self._comparisons.note(comparison, reason)
            theirs = None
        value = None if theirs is None else self._comparisons.promised(comparison, theirs)
        if value is None:
            self._comparisons.not_opened(comparison)
        else:
            self._reveal(call, client, value)

    def _read_promise(self, call: _Call, reply: Reply) -> bytes | None:
        """Their commitment; None if they are not ready, or never will be. BadRequest."""
        if reply.status == 200:
            return wire.parse_promise(reply.body, self._limits)
        self._comparisons.note(call.comparison, NOT_MET if reply.status == 409 else NOT_ANSWERED)
        call.pause = max(call.pause, min(reply.retry_after or 0.0, self._limits.retry_most_seconds))
        if wire.error_code(reply.body, self._limits) == NotAllowed.code:
            self._comparisons.fail(call.comparison, REJECTED)
        elif reply.status in _UNKNOWN_REQUEST:
            self._comparisons.fail(call.comparison, UNKNOWN)
        return None

    def _reveal(self, call: _Call, client: PeerClient, value: bytes) -> None:
        """Our value for theirs. It is out now: whatever goes wrong is the end."""
        seconds = self._limits.request_seconds
        try:
            reply = client.post(self._where(call), "/v1/comparison/reveal", wire.reveal(value), seconds)
            if reply.status != 200:
                raise BadRequest("the value was refused")
            self._comparisons.revealed(call.comparison, wire.parse_reveal(reply.body, self._limits))
        except CryptoChatError as error:
            _log.debug("comparison with %s: %s", call.comparison.key.uuid, error)
            self._comparisons.fail(call.comparison, BROKEN_OFF)

    def _where(self, call: _Call) -> Where:
        """Where the other side may be, asked anew while it is dialed.

        First where this very key has answered: anybody can announce a stranger's UUID elsewhere.
        """

        def where() -> tuple[Endpoint, ...]:
            pinned = call.comparison.key.certificate
            key, announced = self._verification.find(pinned), self._presence.of(pinned.uuid)
            answered = (call.reached, self._near(None if key is None else key.answered_at))
            found = (*answered, *(() if announced is None else announced.endpoints))
            return tuple(dict.fromkeys(endpoint for endpoint in found if endpoint is not None))

        return where

    def _near(self, endpoint: Endpoint | None) -> Endpoint | None:
        """`endpoint`, if it is still next to us: the network may be another one by now."""
        return endpoint if endpoint is not None and self._neighbourhood.has(endpoint.host) else None


@dataclass
class _Call:
    """Our calls for one comparison: how long to wait before the next, and where the last was answered."""

    comparison: Comparison
    pause: float = _PAUSE_SECONDS
    reached: Endpoint | None = None
