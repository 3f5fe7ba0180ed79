"""What waits for one peer: the next messages in memory, all of them in the database.

The database knows what waits, and outlives us; but reading it for each message
that has only just been stored would cost more than sending it. So a message is
offered to its recipients' backlogs right after its commit, in the order of the
database, and the database is read only for what is not in memory: at the start,
after a failure, and when more has piled up than is kept.

    `_next` holds waiting messages without a gap, the oldest first;
    `_complete`: nothing waits that is not in `_next`.

Threads: whoever commits offers, anybody lets it read again; all else is the sender's.
`_lock` guards all fields, and is not held while the database is read.
"""

from __future__ import annotations

import threading
from collections import deque
from itertools import islice

from .model import Message, PeerId
from .store.queue import Queue

MOST = 100
"""How many messages are in memory."""


class Backlog:
    """The backlog of `uuid`."""

    def __init__(self, uuid: PeerId, queue: Queue) -> None:
        self._uuid = uuid
        self._queue = queue
        self._lock = threading.Lock()
        self._next: deque[Message] = deque()
        self._complete = False
        self._rereads = 0  # how often: what was read before does not count after
        self._seen = 0  # the last number that was offered, read, or done with

    def offer(self, message: Message) -> None:
        """`message` has just been stored, and waits for this peer. Called in the order of numbers."""
        with self._lock:
            if not self._complete or message.number <= self._seen:
                return
            if len(self._next) >= MOST:
                self._complete = False
                return
            self._next.append(message)
            self._seen = message.number

    def peek(self, limit: int) -> list[Message]:
        """The oldest messages that wait, at most `limit`."""
        while True:
            with self._lock:
                if self._next or self._complete:
                    return list(islice(self._next, limit))
                self._complete = True  # what is stored from now on is offered
                after, rereads = self._seen, self._rereads
            try:
                stored = self._queue.waiting(self._uuid, MOST, after)
            except BaseException:
                self.reread()  # nothing was read: whoever asks next reads
                raise
            with self._lock:
                if rereads == self._rereads:
                    self._take(stored)

    def done(self, count: int) -> None:
        """The first `count` of what `peek` has shown are answered."""
        with self._lock:
            for _ in range(min(count, len(self._next))):
                self._next.popleft()

    def reread(self) -> None:
        """Begin anew with the database: what is in memory may not wait any more, or something else may."""
        with self._lock:
            self._next.clear()
            self._complete = False
            self._seen = 0
            self._rereads += 1

    def _take(self, stored: list[Message]) -> None:
        """What the database has, and what was offered while it was read."""
        if not stored:
            return
        newest = stored[-1].number
        if len(stored) == MOST:  # there may be more between these and what was offered: to be read
            self._complete = False
            self._next = deque(stored)
            self._seen = newest
        else:
            self._next = deque([*stored, *(m for m in self._next if m.number > newest)])
            self._seen = self._next[-1].number
