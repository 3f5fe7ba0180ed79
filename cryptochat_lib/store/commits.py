"""Group commit: writes that come while another is on its way to the disk share the next commit.

A commit costs the same whether it carries one message or fifty, and nearly all
of that is waiting for the disk. So the first thread that wants to write becomes
the leader: it runs what has queued up, in the order of coming, in one
transaction. Whoever comes meanwhile waits, and the first of them leads next, a
moment later, so that those who were just answered and write again can join; so
does who leads after a commit that was shared, however long ago. No thread of its
own, and no delay for writes that come one after the other.

What a piece of work may rely on: it runs in a transaction, alone on the
connection; when one of a group fails, the transaction is rolled back and each
is run again in one of its own, so that only the one that fails is told. So work
changes nothing but the database (and takes message numbers, which may be skipped);
what is to follow goes into `committed`, which gets the result right after the
commit and before any later one, and must not wait.

Pieces that do the same, one after the other in a group, are done in one call: 16
messages in one statement cost less than half of 16 statements, since each lets go
of the interpreter's lock, which all other threads wait for.

A piece that nobody waits for (`add`) goes with the next commit that somebody waits for.

Threads: any. `_lock` guards `_waiting`, `_leading` and `_shared`, and is held for a moment;
who leads has the connection to itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

_log = logging.getLogger(__name__)

_JOIN_SECONDS = 0.0002  # a commit costs more: who comes so soon shares it


class Piece:
    """One piece of work on its way to the disk: `work(tx, [item])` returns `[result]`.

    For pieces with the same `work`, it gets all their items at once, and returns all their results.
    """

    def __init__(
        self,
        work: Callable[[Any, list[Any]], Sequence[Any]],
        item: Any = None,
        committed: Callable[[Any], None] | None = None,
    ) -> None:
        self.work = work
        self.item = item
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.awaited = True
        self._committed = committed
        self._woken = threading.Lock()
        self._woken.acquire()

    def wait(self) -> None:
        """Until it is done, or until it is this one's turn to lead."""
        self._woken.acquire()

    def wake(self) -> None:
        self._woken.release()

    def finish(self) -> None:
        """It is on the disk."""
        try:
            if self._committed is not None:
                self._committed(self.result)
        except Exception as error:  # raised on the thread that waits for this piece
            self.error = error
            if not self.awaited:
                _log.exception("something is stored, but what follows failed")
        self.done = True

    def fail(self, error: BaseException) -> None:
        """It is not on the disk; told to whoever waits for it, on its own thread."""
        self.error = error
        self.done = True
        if not self.awaited:
            _log.error("something could not be stored: %s", error)


def perform(tx: Any, group: Iterable[Piece]) -> None:
    """Do the work of `group`, in its order, and leave each piece its result."""
    for work, alike in groupby(group, key=attrgetter("work")):
        pieces = list(alike)
        results = work(tx, [piece.item for piece in pieces])
        for piece, result in zip(pieces, results, strict=True):
            piece.result = result


class Commits:
    """The queue of one database. `transact` runs pieces in one transaction, all or none."""

    def __init__(self, transact: Callable[[Sequence[Piece]], None], most: int) -> None:
        self._transact = transact
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[Piece] = deque()
        self._leading = False
        self._shared = False  # whether the last commit was of more than one that somebody waited for

    @property
    def idle(self) -> bool:
        """Whether nothing waits for a commit, and none is under way."""
        with self._lock:
            return not self._waiting and not self._leading

    def add(self, piece: Piece) -> None:
        """Let `piece` go with the next commit, without waiting for it."""
        piece.awaited = False
        with self._lock:
            self._waiting.append(piece)

    def run(self, piece: Piece) -> None:
        """Wait until `piece` is committed, or has failed."""
        with self._lock:
            self._waiting.append(piece)
            leads, self._leading = not self._leading, True
            alone = leads and not self._shared
        if not leads:
            piece.wait()
        if not alone and not piece.done:
            time.sleep(_JOIN_SECONDS)
        while not piece.done:
            self._lead(piece)

    def _lead(self, leader: Piece) -> None:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            self._shared = sum(piece.awaited for piece in group) > 1
        try:
            self._commit(group)
        finally:
            self._hand_over(leader)
            for piece in group:
                if piece is not leader:
                    piece.wake()

    def _hand_over(self, leader: Piece) -> None:
        """The first that still waits leads next; before the others wake, so that the disk does not idle."""
        with self._lock:
            if not leader.done:
                return  # more was before it than one commit takes
            follower = next((piece for piece in self._waiting if piece.awaited), None)
            self._leading = follower is not None
        if follower is not None:
            follower.wake()

    def _commit(self, group: Sequence[Piece]) -> None:
        try:
            self._transact(group)
        except BaseException as error:  # raised on the thread that waits for the piece that fails alone
            if len(group) == 1:
                group[0].fail(error)
                return
            for piece in group:
                self._commit([piece])
            return
        for piece in group:
            piece.finish()
