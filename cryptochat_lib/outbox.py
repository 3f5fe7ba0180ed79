"""The outbox: one thread and one queue for each recipient.

Messages and their recipients are in the database before anybody is answered,
so a sender (`sender`) only has to move them on. A frozen, undecided or
unreachable peer holds up its own sender and nobody else's.

Threads: any thread wakes and withholds; `_lock` guards `_senders` and `_closed`
and is never held while anything is sent or stored.
"""

from __future__ import annotations

import threading
import time

from .delivery import Means
from .events import EventLog
from .looker import Looker
from .model import DeliveryState, Message, PeerId
from .sender import TAKEN_BACK, Sender, report
from .store.queue import Progress

_END_SECONDS = 0.5


class Outbox:
    """All senders of one node."""

    def __init__(self, means: Means, looker: Looker, events: EventLog) -> None:
        self._means = means
        self._looker = looker
        self._events = events
        self._keys = means.store.keys
        self._queue = means.store.queue
        self._lock = threading.Lock()
        self._senders: dict[PeerId, Sender] = {}
        self._closed = False
        # Past the limit for one recipient the oldest expire: within a twentieth of it, and each minute.
        self.check_every = max(1, means.limits.queued_for_one_recipient // 20)

    def wake(self, uuid: PeerId) -> None:
        """There may be something to do for `uuid` now: send at once, whatever was being waited for."""
        if self._keys.verified(uuid) is None:
            return
        with self._lock:
            sender = self._senders.get(uuid)
            if self._closed or (sender is not None and sender.wake()):
                return
        if not self._queue.waits_for(uuid):
            return
        with self._lock:
            sender = self._senders.get(uuid)
            if self._closed or (sender is not None and sender.wake()):
                return  # somebody else was quicker
            self._senders[uuid] = Sender(uuid, self._means, self._looker, self._events)
            self._senders[uuid].start()

    def offer(self, message: Message) -> None:
        """`message` has just been stored: spare the senders that are at work a look into the database.

        Called in the order of numbers, right after the commit. Sending begins with `wake`.
        """
        with self._lock:
            found = [self._senders.get(delivery.uuid) for delivery in message.deliveries]
        for sender in found:
            if sender is not None:
                sender.offer(message)

    def resume(self, uuid: PeerId) -> None:
        """Start a sender for `uuid` if something waits and none is at work; whose pause is not cut short."""
        with self._lock:
            sender = self._senders.get(uuid)
        if sender is None or not sender.resume():
            self.wake(uuid)

    def withhold(self, uuid: PeerId) -> None:
        """The user does not trust `uuid` any more: nothing that waits is sent."""
        self._queue.settle_all(uuid, DeliveryState.WITHHELD, TAKEN_BACK, self._ended)

    def expire(self) -> None:
        """End what has waited too long, and what is too much for one recipient."""
        limits = self._means.limits
        for uuid in self._queue.counts():
            verified = self._keys.verified(uuid) is not None
            patience = limits.queued_seconds if verified else limits.queued_unverified_seconds
            oldest = time.time_ns() // 1_000_000 - int(patience * 1000)
            self._queue.expire(uuid, oldest, limits.queued_for_one_recipient, self._ended)

    def reread(self) -> None:
        """What waits has been changed in the database."""
        with self._lock:
            senders = list(self._senders.values())
        for sender in senders:
            sender.reread()

    def _ended(self, changes: list[Progress]) -> None:
        """These deliveries have come to an end without being sent; called right after the commit."""
        self.reread()
        report(self._events, changes)

    def close(self) -> None:
        """Start no more senders, and let those that there are end."""
        with self._lock:
            self._closed = True
            for sender in self._senders.values():
                sender.stop()

    def join(self) -> None:
        """Wait a moment until all have ended, whose connections are shut by now."""
        with self._lock:
            senders = list(self._senders.values())
        deadline = time.monotonic() + _END_SECONDS
        for sender in senders:
            sender.join(max(0.0, deadline - time.monotonic()))
