"""Who may talk to us: the one decision that both directions of traffic pass.

A TLS handshake proves that the other side holds the key of the certificate it
showed. It does not prove whose key that is. `admit` answers that, in this
order, and nothing else in the program does:

    1. is it the peer we meant to reach?               else WrongPeer
    2. is it a certificate we stored for that peer, not
       our own, and no second one beside a verified?   else CertificateChanged
    3. has the user said yes?                          return the key
    4. has the user said no?                           else PeerRejected
    5. ask the user, and wait                          else PeerUndecided

Step 5 is for who comes to us from next to us (`peer_server`): from anywhere else
nobody is asked about. Only the user moves trust (`say_yes`, `say_no`). What comes over
the network can add an unverified key (`learn`) and a question (`questions`), both
bounded, nothing more.

Threads: `admit` runs on peer-server workers and on senders, `say_yes` and
`say_no` on a UI worker, `learn` on the looks. Everyone who waits for one key
shares one gate (`gates`), so the user is asked once. `_decide` makes decisions one
after the other, and is held for database writes at most.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable

from .connections import Connections
from .errors import (
    CertificateChanged,
    Conflict,
    FingerprintDiffers,
    NoSingleCertificate,
    PeerRejected,
    PeerUndecided,
    WrongPeer,
)
from .events import EventLog
from .eviction import surplus
from .gates import Gates
from .identity import safety_number
from .limits import Limits
from .model import Certificate, KnownKey, PeerId, Trust
from .presence import Presence
from .questions import KNOCKED, Questions
from .store import Store

_COME_BACK = {"Retry-After": "5"}  # seconds


class Verification:
    """The decision of one node, and the user's side of it. `questions`: what the user is asked."""

    def __init__(
        self,
        own: Certificate,
        store: Store,
        events: EventLog,
        presence: Presence,
        connections: Connections,
        gates: Gates,
        limits: Limits,
    ) -> None:
        self._own = own
        self._keys = store.keys
        self._presence = presence
        self._connections = connections
        self._limits = limits
        self._decide = threading.Lock()
        self._gates = gates
        self.questions = Questions(store.keys, events, presence, gates, limits)

    # The decision.

    def admit(
        self,
        shown: Certificate,
        meant: PeerId | None = None,
        patience: float = 0.0,
        gone: Callable[[], bool] = lambda: False,
        address: str | None = None,
    ) -> KnownKey:
        """The verified key that `shown` is; else an error that says why not.

        `meant`: the peer that we wanted to reach, None when it came to us, from `address`.
        `patience`: how many seconds to wait at the gate for the user's answer, unless it is `gone`;
        with 0 the user is not asked either.
        """
        if meant is not None and shown.uuid != meant:
            raise WrongPeer()
        key = self._stored(shown)
        if key.trust is Trust.UNVERIFIED and patience > 0 and not key.declined:
            if self.questions.ask(key, KNOCKED, address=address):
                self._gates.wait(shown.fingerprint_sha256, patience, lambda: self._open_question(shown), gone)
            key = self._stored(shown)
        if key.trust is Trust.VERIFIED:
            return key
        if key.trust is Trust.REJECTED:
            raise PeerRejected()
        raise PeerUndecided(headers=_COME_BACK)

    def comparable(self, shown: Certificate, meant: Certificate | None = None) -> KnownKey:
        """The key that `shown` is, with which the user may compare live: steps 1, 2 and 4 of `admit`.

        Nothing but the comparison is said to it or taken from it, and that only once the user has
        asked for it (`comparisons`).
        """
        if meant is not None and shown != meant:
            raise WrongPeer()
        key = self._stored(shown)
        if key.trust is Trust.REJECTED:
            raise PeerRejected()
        return key

    def find(self, shown: Certificate) -> KnownKey | None:
        """What we know of a certificate, without deciding anything."""
        return self._keys.find(shown)

    def pinned(self, uuid: PeerId) -> KnownKey:
        """The key to which things for `uuid` may be sent; PeerRejected or PeerUndecided without one."""
        key = self._keys.verified(uuid)
        if key is not None:
            return key
        keys = self._keys.of(uuid)
        if keys and all(k.trust is Trust.REJECTED for k in keys):
            raise PeerRejected()
        raise PeerUndecided()

    def _stored(self, shown: Certificate) -> KnownKey:
        key = self._keys.find(shown)
        if key is None or shown.uuid == self._own.uuid:  # a copy of us is nobody's friend
            raise CertificateChanged(headers=_COME_BACK)
        verified = self._keys.verified(shown.uuid) if key.trust is Trust.UNVERIFIED else None
        if verified is not None and verified.certificate != shown:  # it may be this one since a moment ago
            raise CertificateChanged(headers=_COME_BACK)  # a conflict: shown to the user, never asked about
        return key

    def pin_all(self, keys: Iterable[KnownKey]) -> None:
        """Tell `presence` which peers' whereabouts need the word of a key."""
        rooms = self._keys.rooms_of_all()
        for key in keys:
            self._presence.pin(key.uuid, rooms.get(key.uuid, {}), key.answered_at, key.last_seen)

    # What the network can do.

    def learn(
        self,
        certificate: Certificate,
        address: str | None,
        busy: Callable[[PeerId], bool],
        compared: Collection[str] = (),
    ) -> tuple[KnownKey, list[KnownKey]]:
        """Remember a certificate that a look has shown; returns its key and those that made way.

        Room for strangers is bounded, in all, for one address and for one UUID:
        out goes the longest unseen, and last of all those that are pending, that are
        `compared` (by fingerprint), or `busy`, which says whether something is queued for a peer.
        """
        known = self._keys.find(certificate)
        number = known.safety_number if known else safety_number(self._own, certificate)
        with self._decide:
            key = self._keys.add(certificate, number, address, _now())
            pending = {q.key.certificate.fingerprint_sha256 for q in self.questions.open()[1]}
            pending.update(compared)
            out = [] if known else surplus(key, self._keys.all(), pending, busy, self._limits)
            if out:
                self._keys.forget(out)
        for gone in out:
            self.questions.settle(gone)
        self._presence.touch(key.uuid)
        return key, out

    # What the user can do.

    def choose(self, uuid: PeerId, fingerprint: str | None) -> KnownKey:
        """The key of `uuid` that the user means; FingerprintDiffers, NoSingleCertificate."""
        return self._choose(uuid, self._keys.of(uuid), fingerprint)

    def say_yes(self, uuid: PeerId, fingerprint: str | None, method: str) -> KnownKey:
        """Verify one key of `uuid`, from any state. Another verified key of it is rejected: trust moves.

        Raises FingerprintDiffers, NoSingleCertificate; with the method CODE SpentCode, unless an unused
        contact code names this very key when the yes is stored.

        `fingerprint`: the SHA-256 that the user compared; None means the only key there is.
        """
        with self._decide:
            keys = self._keys.of(uuid)
            chosen = self._choose(uuid, keys, fingerprint)
            if chosen.uuid == self._own.uuid:
                raise Conflict("this is you")
            moved = [k for k in keys if k is not chosen and k.trust is Trust.VERIFIED]
            self._keys.set_trust(
                [(k, Trust.REJECTED, None, False) for k in moved] + [(chosen, Trust.VERIFIED, method, False)]
            )
        for key in moved:
            self._withdrawn(key)
            self._presence.unpin(uuid)  # where that key answered says nothing of this one
        self.pin_all([self._keys.verified(uuid) or chosen])  # a look may have gone on meanwhile
        for key in keys:  # beside a verified key the others are conflicts, which nobody is asked about
            self.questions.settle(key)
        return chosen

    def say_no(self, uuid: PeerId, fingerprint: str | None) -> list[KnownKey]:
        """Take back one step: verified becomes unverified (and is not asked about), unverified rejected.

        Without a fingerprint it means the verified key, or else every unverified one.
        """
        with self._decide:
            keys = self._keys.of(uuid)
            if fingerprint is not None or not keys:
                meant = [self._choose(uuid, keys, fingerprint)]
            else:
                verified = [k for k in keys if k.trust is Trust.VERIFIED]
                meant = verified or [k for k in keys if k.trust is Trust.UNVERIFIED]
            self._keys.set_trust(
                (k, Trust.UNVERIFIED if k.trust is Trust.VERIFIED else Trust.REJECTED, None, True)
                for k in meant
            )
        for key in meant:
            self._withdrawn(key)
        return meant

    def forget(self, uuid: PeerId) -> None:
        """Forget every key of `uuid`."""
        with self._decide:
            keys = self._keys.of(uuid)
            self._keys.forget(keys)
        for key in keys:
            self._withdrawn(key)
        self._presence.forget(uuid)

    # Parts of the above.

    def _choose(self, uuid: PeerId, keys: list[KnownKey], fingerprint: str | None) -> KnownKey:
        if not keys and fingerprint is None:
            raise NoSingleCertificate(f"no certificate of {uuid} has been seen yet")
        if fingerprint is None:
            if len(keys) > 1:
                raise NoSingleCertificate()
            return keys[0]
        for key in keys:
            if key.certificate.fingerprint_sha256 == fingerprint:
                return key
        raise FingerprintDiffers()

    def _open_question(self, shown: Certificate) -> bool:
        key = self._keys.find(shown)
        return key is not None and key.trust is Trust.UNVERIFIED and not key.declined

    def _withdrawn(self, key: KnownKey) -> None:
        if self._keys.verified(key.uuid) is None:
            self._presence.unpin(key.uuid)
        self.questions.settle(key)
        self._connections.end(key.certificate.fingerprint_sha256)


def _now() -> int:
    return time.time_ns() // 1_000_000
