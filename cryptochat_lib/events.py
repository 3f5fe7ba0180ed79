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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .limits import Limits

_STEP = 1 << 24
_ENCODER = json.JSONEncoder(separators=(",", ":"))

STREAMS = ("verification", "messages", "delivery", "rooms", "users", "reset")


@dataclass(frozen=True)
class Event:
    """One line of the log; `data` is JSON on one line."""

    number: int
    stream: str
    data: str


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
        self._unfinished: deque[int] = deque(maxlen=limits.events_kept)
        self._first = 0  # the number before the first event that the log can still show
        self._latest = 0
        self._closed = False

    def start(self, burnt: int) -> None:
        """Begin this run's numbers at the message number `burnt`."""
        with self._changed:
            self._first = self._latest = burnt * _STEP

    def publish(self, stream: str, payload: Mapping[str, Any]) -> None:
        """Append an event to `stream`."""
        data = to_line(payload)
        with self._changed:
            self._append(Event(self._latest + 1, stream, data))

    def publish_message(self, number: int, payload: Mapping[str, Any]) -> None:
        """Append the event of message `number`. Called in the order of the numbers."""
        data = to_line(payload)
        with self._changed:
            self._append(Event(max(message_event_number(number), self._latest + 1), "messages", data))

    def reserve(self, count: int) -> int:
        """Take the next `count` numbers for events that one reader alone gets; returns the first.

        A reader that was cut off before the last of them cannot resume: nobody else has the rest.
        """
        with self._changed:
            first = self._latest + 1
            self._latest += count
            self._unfinished.extend(range(first, self._latest))
            return first

    @property
    def latest(self) -> int:
        """The number of the last event."""
        with self._changed:
            return self._latest

    def after(self, number: int, timeout: float) -> list[Event] | None:
        """The events after `number`, waiting up to `timeout` seconds for one; [] if none came.

        None: the log does not reach back to `number`, or has never been there, or the reader
        was cut off within numbers of its own, or the log was closed.
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
            self._events.clear()
            self._bytes = 0
            self._latest += 1
            self._first = self._latest
            self._changed.notify_all()

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

    def _append(self, event: Event) -> None:
        self._events.append(event)
        self._latest = event.number
        self._bytes += len(event.data)
        while len(self._events) > self._limits.events_kept or self._bytes > self._limits.events_bytes:
            gone = self._events.popleft()
            self._bytes -= len(gone.data)
            self._first = gone.number
        self._changed.notify_all()


def to_line(payload: Mapping[str, Any]) -> str:
    """JSON in ASCII on one line: nothing in it can end an SSE field."""
    return _ENCODER.encode(payload)
