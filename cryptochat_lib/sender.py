"""One sender: the thread that moves what waits for one peer.

Again and again:

    1. the pinned key, from `verification`;              none: until the user says yes
    2. the oldest waiting messages of its peer;          none: idle, then the thread ends
    3. where the peer may be, from `presence`;           nowhere: until it shows up
    4. deliver, in our form or the seed's;               settle what was answered
    5. whatever failed is tried again: with back-off and jitter, or at once when woken.

What a peer that knows our ids has answered is settled with the next commit that
comes anyway, and before the next request at the latest: should we crash before, it
is sent again, and known there already.

Threads: one for each sender, named `outbox-...`; any thread wakes or stops it.
`_changed` guards `_awake` and `_ended`; all else belongs to the sender's thread.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from functools import partial

from . import shapes
from .backlog import Backlog
from .delivery import AWAY, Deliverer, Failed, Means, Outcome
from .errors import CertificateChanged, CryptoChatError, NotAllowed, PeerRejected
from .events import EventLog
from .looker import Looker
from .model import DeliveryState, Message, PeerId
from .store.commits import Piece
from .store.database import DatabaseError, trouble
from .store.queue import Progress

_log = logging.getLogger(__name__)

UNDECIDED_HERE = "waiting for you to verify"
TAKEN_BACK = "you have taken your trust back"
IMPOSTOR = "somebody else answers at this person's address"
"""Reasons in words, as the user reads them."""

_DELIVERY_BYTES = 300  # one `delivery` event, roughly


def report(events: EventLog, changes: list[Progress]) -> None:
    """Publish how far messages got."""
    makes = [partial(shapes.delivery, c.uuid, c.number, c.room, c.state, c.reason) for c in changes]
    events.publish_all("delivery", makes, _DELIVERY_BYTES)


class Sender:
    """The thread that sends to one peer. Make it, `start` it, `wake` it, `stop` it."""

    def __init__(self, uuid: PeerId, means: Means, looker: Looker, events: EventLog) -> None:
        self._uuid = uuid
        self._means = means
        self._looker = looker
        self._events = events
        self._limits = means.limits
        self._queue = means.store.queue
        self._changed = threading.Condition()
        self._awake = False
        self._ended = False
        self._failures = 0
        self._was_woken = True  # somebody woke us for this try; else it was due
        self._not_before = 0.0  # of the monotonic clock: when the peer wants to be asked again
        self._deliverer: Deliverer | None = None
        self._unsettled: list[Piece] = []  # answered, and on its way to the disk
        self._backlog = Backlog(uuid, means.store.queue)
        self._tried = 0.0  # when the last try began (monotonic)
        self._thread = threading.Thread(target=self._run, name=f"outbox-{uuid[:8]}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> bool:
        """Try at once; False if the thread has ended."""
        with self._changed:
            if self._ended:
                return False
            self._awake = True
            self._changed.notify()
            return True

    def offer(self, message: Message) -> None:
        """`message` has just been stored and waits for this peer; `wake` comes later."""
        self._backlog.offer(message)

    def reread(self) -> None:
        """What waits has been changed in the database."""
        self._backlog.reread()

    def resume(self) -> bool:
        """Try, unless a pause is under way, which is not cut short; False if the thread has ended."""
        with self._changed:
            if not self._ended and not self._failures:
                self._awake = True
                self._changed.notify()
            return not self._ended

    def stop(self) -> None:
        """Let the thread end, once what it is sending has ended."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait up to `seconds` for the thread to end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while self._wait(self._guarded_step()):
                pass
        finally:
            with self._changed:
                self._ended = True
            self._hang_up()
            self._means.store.database.close_thread()

    def _wait(self, seconds: float) -> bool:
        """Sleep until woken or for `seconds`; False: nobody woke us for so long that the thread ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, max(0.0, self._not_before - time.monotonic()))
            self._changed.wait_for(lambda: self._awake or self._ended, seconds)
            if not self._awake and not self._failures:
                self._ended = True
            self._was_woken, self._awake = self._awake, False
            return not self._ended

    def _guarded_step(self) -> float:
        try:
            return self._step()
        except CryptoChatError as error:  # our own disk is full, say, which passes
            _log.warning("sending to %s: %s", self._uuid, error)
        except DatabaseError as error:
            _log.warning("sending to %s: %s", self._uuid, trouble(error))
        except Exception:  # the top of a thread
            _log.exception("sending to %s failed", self._uuid)
        return self._pause()

    def _step(self) -> float:
        """Send what can be sent; returns the seconds to wait for the next try."""
        try:
            failed = self._send_all()
        except PeerRejected:
            self._queue.settle_all(self._uuid, DeliveryState.WITHHELD, TAKEN_BACK, self._report)
            self._backlog.reread()  # none of it waits any more
            failed = None
        except CertificateChanged:
            self._looker.look(self._uuid, again=True)
            failed = Failed(IMPOSTOR)
        except NotAllowed:
            self._hang_up()
            failed = Failed(UNDECIDED_HERE)
        except CryptoChatError as error:
            failed = Failed(str(error))
        if failed is not None:
            return self._back_off(failed)
        self._failures = 0
        self._linger()
        return self._limits.idle_seconds

    def _send_all(self) -> Failed | None:
        """Steps 1 to 4, until nothing waits or something fails."""
        while not self._ended:
            deliverer = self._to_pinned_key()
            waiting = self._backlog.peek(deliverer.most_at_once)
            if not waiting:
                return None
            if any(not piece.done for piece in self._unsettled):
                self._settle_for_good()  # the next answer may take long
            self._tried = time.monotonic()
            outcome = deliverer.deliver(waiting)
            self._settle(outcome)
            if outcome.failed is not None:
                return outcome.failed
            self._backlog.done(len(outcome.settled))
            self._failures = 0
            if 1 < len(waiting) < deliverer.most_at_once:
                time.sleep(self._limits.gather_seconds)  # too short to be woken from, by each message
        return None

    def _to_pinned_key(self) -> Deliverer:
        key = self._means.verification.pinned(self._uuid)
        if self._deliverer is None or self._deliverer.key.certificate != key.certificate:
            self._hang_up()
            self._deliverer = Deliverer(self._means, key)
        return self._deliverer

    def _settle(self, outcome: Outcome) -> None:
        """Store and publish what the peer has answered, what is answered alike together."""
        by_answer: dict[tuple[DeliveryState, str | None], list[int]] = {}
        for one in outcome.settled:
            by_answer.setdefault((one.state, one.reason), []).append(one.number)
        for (state, reason), numbers in by_answer.items():
            if outcome.knows_ids:
                piece = self._queue.settle_soon(self._uuid, numbers, state, reason, self._report)
                self._unsettled = [one for one in self._unsettled if one.error or not one.done] + [piece]
            else:
                self._queue.settle(self._uuid, numbers, state, reason, self._report)

    def _linger(self) -> None:
        """Nothing is left to send: settle for good, unless there is more in a moment."""
        with self._changed:
            self._changed.wait_for(lambda: self._awake or self._ended, self._limits.settle_seconds)
            if self._awake:
                return
        self._settle_for_good()

    def _settle_for_good(self) -> None:
        """Put on the disk what has been answered; raises what kept it from getting there."""
        self._queue.flush()
        unsettled, self._unsettled = self._unsettled, []
        for piece in unsettled:
            if piece.error is not None:  # it still waits, says the database: it is sent and settled again
                self._backlog.reread()
                raise piece.error

    def _report(self, changes: list[Progress]) -> None:
        report(self._events, changes)

    def _back_off(self, failed: Failed) -> float:
        """Say why everything waits, and how long until the next try."""
        self._queue.flush()
        self._backlog.reread()
        if failed.reason == AWAY:
            self._means.presence.failed(self._uuid, self._tried)
        if not self._queue.waits_for(self._uuid):
            self._failures = 0
            return self._limits.idle_seconds
        self._queue.settle_all(self._uuid, DeliveryState.WAITING, failed.reason, self._report)
        if failed.retry_after is not None:
            wanted = min(failed.retry_after, self._limits.retry_most_seconds)
            self._not_before = time.monotonic() + wanted
        return self._pause()

    def _pause(self) -> float:
        """Twice as long as after the last failure, and not in step with other senders.

        A try that somebody asked for (a new message, say) does not put the next one off.
        """
        longer = self._limits.retry_first_seconds * 2.0 ** min(self._failures, 16)
        if not self._was_woken or not self._failures:
            self._failures += 1
        return min(self._limits.retry_most_seconds, longer) * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)

    def _hang_up(self) -> None:
        if self._deliverer is not None:
            self._deliverer.close()
            self._deliverer = None
