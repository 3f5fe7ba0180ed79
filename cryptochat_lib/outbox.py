"""The outbox: one thread and one queue for each recipient, on one kept-alive connection.

Messages and their recipients are in the database before anybody is answered,
so this module only has to move them on. A frozen, undecided or unreachable peer
holds up its own thread and nobody else's.

A sender's thread, again and again:

    1. the oldest waiting messages of its peer;          none: idle, then the thread ends
    2. the pinned key, from `verification`;              none: until the user says yes
    3. where the peer may be, from `presence`;           nowhere: until it shows up
    4. deliver, in our form or the seed's;               settle what was answered
    5. whatever failed is tried again: with back-off and jitter, or at once when woken.

Threads: any thread wakes; threads named `outbox-…` send. `_lock` guards
`_senders`; each sender's `_changed` guards its own fields. Neither is held
while anything is sent or stored.
"""

from __future__ import annotations

import logging
import random
import threading
import time

from . import shapes
from .connections import Connections
from .delivery import AWAY, Delivered, Deliverer, Failed
from .errors import CertificateChanged, CryptoChatError, NotAllowed, PeerRejected
from .events import EventLog
from .identity import Identity
from .limits import Limits
from .looker import Looker
from .model import DeliveryState, PeerId
from .presence import Presence
from .store import Store
from .store.queue import Progress
from .verification import Verification

_log = logging.getLogger(__name__)

UNDECIDED_HERE = "waiting for you to verify"
TAKEN_BACK = "you have taken your trust back"
"""Reasons in words, as the user reads them."""


class Outbox:
    """All senders of one node."""

    def __init__(
        self,
        identity: Identity,
        store: Store,
        events: EventLog,
        presence: Presence,
        verification: Verification,
        looker: Looker,
        connections: Connections,
        limits: Limits,
    ) -> None:
        self._identity = identity
        self._store = store
        self._events = events
        self._presence = presence
        self._verification = verification
        self._looker = looker
        self._connections = connections
        self._limits = limits
        self._lock = threading.Lock()
        self._senders: dict[PeerId, _Sender] = {}
        self._closed = False

    def wake(self, uuid: PeerId) -> None:
        """There may be something to do for `uuid` now: send at once, whatever was being waited for."""
        if self._store.keys.verified(uuid) is None or not self._store.queue.waits_for(uuid):
            return
        with self._lock:
            if self._closed:
                return
            sender = self._senders.get(uuid)
            if sender is None or not sender.wake():
                sender = self._senders[uuid] = _Sender(self, uuid)
                sender.start()

    def withhold(self, uuid: PeerId) -> None:
        """The user does not trust `uuid` any more: nothing that waits is sent."""
        self.report(self._store.queue.settle_all(uuid, DeliveryState.WITHHELD, TAKEN_BACK))

    def expire(self) -> None:
        """End what has waited too long, and what is too much for one recipient."""
        for uuid in self._store.queue.counts():
            verified = self._store.keys.verified(uuid) is not None
            patience = self._limits.queued_seconds if verified else self._limits.queued_unverified_seconds
            oldest = time.time_ns() // 1_000_000 - int(patience * 1000)
            self.report(self._store.queue.expire(uuid, oldest, self._limits.queued_for_one_recipient))

    def report(self, changes: list[Progress]) -> None:
        """Publish how far messages got."""
        for change in changes:
            self._events.publish(
                "delivery",
                shapes.delivery(change.uuid, change.number, change.room, change.state, change.reason),
            )

    def close(self) -> None:
        """End every sender. Their connections are shut with all others."""
        with self._lock:
            self._closed = True
            for sender in self._senders.values():
                sender.stop()

    def join(self, seconds: float) -> None:
        """Wait for the senders to end."""
        for sender in list(self._senders.values()):
            sender.thread.join(seconds)


class _Sender:
    """The thread that sends to one peer."""

    def __init__(self, outbox: Outbox, uuid: PeerId) -> None:
        self._outbox = outbox
        self._uuid = uuid
        self._changed = threading.Condition()
        self._awake = False
        self._ended = False
        self._failures = 0
        self._deliverer: Deliverer | None = None
        self.thread = threading.Thread(target=self._run, name=f"outbox-{uuid[:8]}", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def wake(self) -> bool:
        """False if the thread has ended."""
        with self._changed:
            if self._ended:
                return False
            self._awake = True
            self._changed.notify()
            return True

    def stop(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _run(self) -> None:
        try:
            while self._wait(self._step()):
                pass
        except Exception:  # the top of a thread
            _log.exception("sending to %s stopped", self._uuid)
        finally:
            with self._changed:
                self._ended = True
            self._hang_up()
            self._outbox._store.database.close_thread()

    def _wait(self, seconds: float) -> bool:
        """Sleep until woken or for `seconds`; False: nobody woke us for so long that the thread ends."""
        with self._changed:
            woken = self._changed.wait_for(lambda: self._awake or self._ended, seconds)
            if woken and self._awake and not self._ended:
                self._awake = False
                return True
            if not self._failures:
                self._ended = True
            return not self._ended

    def _step(self) -> float:
        """Send what can be sent; returns the seconds to wait for the next try."""
        box = self._outbox
        try:
            key = box._verification.pinned(self._uuid)
            where = box._presence.of(self._uuid)
            if where is None or not where.endpoints:
                return self._failed(Failed(AWAY))
            if self._deliverer is None or self._deliverer.key.certificate != key.certificate:
                self._hang_up()
                self._deliverer = Deliverer(
                    box._identity,
                    key,
                    box._store,
                    box._presence,
                    box._verification,
                    box._connections,
                    box._limits,
                )
            while batch := box._store.queue.waiting(self._uuid, box._limits.batch_messages):
                outcome = self._deliverer.deliver(batch)
                self._settle(outcome.settled)
                if outcome.failed is not None:
                    return self._failed(outcome.failed)
                self._failures = 0
        except PeerRejected:
            box.withhold(self._uuid)
        except CertificateChanged:
            box._looker.look(self._uuid, again=True)
            return self._failed(Failed("somebody else answers at this person's address"))
        except NotAllowed:
            self._hang_up()
            return self._failed(Failed(UNDECIDED_HERE))
        except CryptoChatError as error:
            return self._failed(Failed(str(error)))
        self._failures = 0
        return box._limits.idle_seconds

    def _settle(self, settled: list[Delivered]) -> None:
        """Store and publish what the peer has answered, runs of the same answer together."""
        by_answer: dict[tuple[DeliveryState, str | None], list[int]] = {}
        for one in settled:
            by_answer.setdefault((one.state, one.reason), []).append(one.number)
        for (state, reason), numbers in by_answer.items():
            self._outbox.report(self._outbox._store.queue.settle(self._uuid, numbers, state, reason))

    def _failed(self, failed: Failed) -> float:
        """Say why everything waits, and how long until the next try."""
        box = self._outbox
        if failed.reason == AWAY:
            box._presence.failed(self._uuid)
        waiting = [m.number for m in box._store.queue.waiting(self._uuid, box._limits.batch_messages)]
        if not waiting:
            self._failures = 0
            return box._limits.idle_seconds
        box.report(box._store.queue.settle(self._uuid, waiting, DeliveryState.WAITING, failed.reason))
        most = box._limits.retry_most_seconds
        backoff = min(most, box._limits.retry_first_seconds * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return max(failed.retry_after or 0, backoff) * random.uniform(0.75, 1.25)  # noqa: S311

    def _hang_up(self) -> None:
        if self._deliverer is not None:
            self._deliverer.close()
            self._deliverer = None
