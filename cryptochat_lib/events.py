"""The event log: what happened, numbered, for every open page.

One bounded log is shared by all streams: a page that does not read costs its
own thread and nothing else, and is told `reset` when it comes back too late.

Numbers grow, also across restarts, and leave room for messages to be replayed
from the database: the event of message number N is N * 2^24, and the events
between it and the next message count up from there. A start burns a message
number (`start`), so nothing of an earlier run has a number of this one.

Threads: anybody publishes, each stream's thread waits in `after`. `_changed`
guards all fields; it is never held while anything else is waited for.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .limits import Limits

_STEP = 1 << 24
_ENCODER = json.JSONEncoder(separators=(",", ":"))

Payload = Mapping[str, Any]

STREAMS = ("verification", "messages", "delivery", "rooms", "users", "contacts", "read", "reset")


@dataclass(frozen=True)
class Event:
    """One line of the log, of about `size` bytes. `make` makes what it says, when somebody reads it."""

    number: int
    stream: str
    make: Callable[[], Payload]
    size: int = 0

    @cached_property
    def data(self) -> str:
        """JSON on one line."""
        return to_line(self.make())


def message_number_before(event_number: int) -> int:
    """The number of the last message that a reader of this event has had."""
    return event_number // _STEP


def message_event_number(number: int) -> int:
    """The number of the event of message `number`."""
    return number * _STEP


class EventLog:
    """Make it, `start` it with a burnt message number, publish, `close` it to release all readers."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changed = threading.Condition()
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._unfinished: set[int] = set()  # where nobody can resume, though the log reaches back so far
        self._first = 0  # the number before the first event that the log can still show
        self._latest = 0
        self._closed = False

    def start(self, burnt: int) -> None:
        """Begin this run's numbers at the message number `burnt`."""
        with self._changed:
            self._first = self._latest = burnt * _STEP

    def publish(self, stream: str, payload: Payload) -> None:
        """Append an event to `stream`."""
        self.publish_all(stream, [lambda: payload], len(to_line(payload)))

    def publish_all(self, stream: str, makes: Iterable[Callable[[], Payload]], size: int) -> None:
        """Append events to `stream`, which are made if somebody reads them, and have about `size` bytes."""
        with self._changed:
            for make in makes:
                self._append(Event(self._latest + 1, stream, make, size))

    def publish_message(self, number: int, make: Callable[[], Payload], size: int) -> None:
        """Append the event of message `number`, likewise. Called in the order of the numbers."""
        with self._changed:
            event_number = max(message_event_number(number), self._latest + 1)
            self._append(Event(event_number, "messages", make, size))

    def reserve(self, count: int) -> int:
        """Take the next `count` numbers for events that one reader alone gets; returns the first.

        A reader that was cut off before the last of them cannot resume: nobody else has the rest.
        """
        with self._changed:
            first = self._latest + 1
            self._latest += count
            self._add_unfinished(range(first, self._latest))
            return first

    def unfinish(self, number: int) -> None:
        """One reader gets event `number` from elsewhere now, and has yet to be told `reset`.

        Should it be cut off here, it cannot resume: what else the log had before is not what it got.
        """
        with self._changed:
            if number >= self._first:
                self._add_unfinished((number,))

    @property
    def latest(self) -> int:
        """The number of the last event."""
        with self._changed:
            return self._latest

    def after(self, number: int, timeout: float) -> list[Event] | None:
        """The events after `number`, waiting up to `timeout` seconds for one; [] if none came.

        None: the log does not reach back to `number`, or has never been there, or a reader
        may have been cut off there before it had everything, or the log was closed.
        """
        with self._changed:
            if not self._first <= number <= self._latest or number in self._unfinished:
                return None
            # Not `_latest`: a number that was reserved for another reader is nothing to wake up for.
            self._changed.wait_for(
                lambda: self._closed or number < self._first or self._has_after(number), timeout
            )
            if self._closed or number < self._first:
                return None
            found: list[Event] = []
            for event in reversed(self._events):
                if event.number <= number:
                    break
                found.append(event)
            return found[::-1]

    def forget(self) -> None:
        """Drop every event: something was deleted for good. Every reader is told `reset`."""
        with self._changed:
            self._latest += 1
            self._empty()

    @property
    def closed(self) -> bool:
        with self._changed:
            return self._closed

    def close(self) -> None:
        """Release every reader."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_after(self, number: int) -> bool:
        return bool(self._events) and self._events[-1].number > number

    def _add_unfinished(self, numbers: Iterable[int]) -> None:
        """If they become too many the log begins anew: each reader gets a `reset`, and nothing is lost."""
        most = 2 * self._limits.events_kept  # what the log has, replayed; and as many again for questions
        self._unfinished.update(numbers)
        if len(self._unfinished) > most:
            self._unfinished = {number for number in self._unfinished if number >= self._first}
        if len(self._unfinished) > most:
            self._empty()

    def _empty(self) -> None:
        self._events.clear()
        self._bytes = 0
        self._unfinished.clear()
        self._first = self._latest
        self._changed.notify_all()

    def _append(self, event: Event) -> None:
        self._events.append(event)
        self._latest = event.number
        self._bytes += event.size
        while len(self._events) > self._limits.events_kept or self._bytes > self._limits.events_bytes:
            gone = self._events.popleft()
            self._bytes -= gone.size
            self._first = gone.number
        self._changed.notify_all()


def to_line(payload: Payload) -> str:
    """JSON in ASCII on one line: nothing in it can end an SSE field."""
    return _ENCODER.encode(payload)
