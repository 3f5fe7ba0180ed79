"""Server-sent events (WHATWG HTML, section 9.2), written by hand from the event log.

A stream starts with the open questions and goes on with what is new. With a
`Last-Event-ID` it resumes: from the log if that reaches back, else the messages
come from the database, then one `reset` says: fetch the state anew. A reader that
is cut off between the two resumes there, and gets the rest and its `reset`. Nothing
is lost and nothing comes twice.

Threads: each stream runs on its own UI worker. A reader that does not read
blocks that one until its write times out, and costs no memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import chain

from . import shapes
from .errors import BadRequest
from .events import Event, EventLog, message_event_number, message_number_before
from .limits import Limits
from .questions import Questions
from .store import Store

_REPLAYED_AT_ONCE = 200


class EventStreams:
    """Makes streams of one node's events."""

    def __init__(self, events: EventLog, store: Store, questions: Questions, limits: Limits) -> None:
        self._events = events
        self._messages = store.messages
        self._asked = questions
        # Half of the limit: silence is noticed after one pause, and broken after the next at the latest.
        self._pause = limits.sse_comment_seconds / 2

    def open(self, stream: str | None, last_event_id: str | None) -> Iterator[bytes]:
        """The bytes of a stream: of every kind of event, or of the one that `stream` names."""
        if stream is not None and stream not in ("verification", "messages"):
            raise BadRequest("the stream is “verification” or “messages”; without a name come all")
        last = _parse_id(last_event_id)
        # The place in the log is taken now: what happens once the reader has our reply is not lost.
        position, questions = self._questions(0) if last is None else (last, [])
        return self._bytes(stream, position, questions)

    def _bytes(self, only: str | None, position: int, questions: list[Event]) -> Iterator[bytes]:
        yield b": CryptoChat\n\n"
        said = time.monotonic()
        for event in chain(questions, self._events_after(position)):
            if event is not None and (only is None or event.stream in (only, "reset")):
                yield _frame(event, named=only is None)
            elif event is None or time.monotonic() - said >= self._pause:  # others' events are silence here
                yield b": still here\n\n"
            else:
                continue
            said = time.monotonic()

    def _events_after(self, position: int) -> Iterator[Event | None]:
        """Events without end; None when nothing has happened for a while."""
        while not self._events.closed:
            found = self._events.after(position, self._pause)
            if found:
                yield from found
                position = found[-1].number
            elif found is not None:
                yield None
            elif not self._events.closed:
                reset, questions = self._questions(1)
                yield from self._missed_messages(position, until=reset)
                yield Event(reset - len(questions), "reset", dict)
                yield from questions
                position = reset

    def _questions(self, before: int) -> tuple[int, list[Event]]:
        """The open questions, as events with numbers of this reader's own, after `before` other such numbers.

        Returns the last of these numbers too: everything published from now on has a greater one.
        """
        first, questions = self._asked.open(lambda count: self._events.reserve(before + count))
        numbered = enumerate(questions, first + before)
        found = [Event(number, "verification", asked.shape) for number, asked in numbered]
        return first + before + len(questions) - 1, found

    def _missed_messages(self, last: int, until: int) -> Iterator[Event]:
        """From the database: the messages between two events. A `reset` has to follow, whoever is cut off."""
        number = message_number_before(last)
        most = message_number_before(until)
        while page := self._messages.since(number, most, _REPLAYED_AT_ONCE):
            for message in page:
                event_number = message_event_number(message.number)
                self._events.unfinish(event_number)
                yield Event(event_number, "messages", partial(shapes.message, message))
            number = page[-1].number


def _frame(event: Event, named: bool) -> bytes:
    """One event; without a name a reader takes it for the default type, as the seed's page does."""
    name = f"event: {event.stream}\n" if named or event.stream == "reset" else ""
    return f"id: {event.number}\n{name}data: {event.data}\n\n".encode()


def _parse_id(text: str | None) -> int | None:
    """The event to resume after; an id that is no number cannot be ours, and is ignored."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return int(text)
