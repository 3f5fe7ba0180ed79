"""When each peer is to be greeted next (`greeter`).

    at first sight, at our start, after a change of network       within two seconds
    when we join, leave or are renamed                            0.2 s later, whoever is there
    when its announcement differs from its own word               0.7 s later: whoever has changed
                                                                  something greets us first. If its own
                                                                  word stays what it was, ever less often;
                                                                  if it was not reached, as below
    when it has said goodbye over mDNS                            3 s later: anybody can say that
    when its connection to us has ended                           at once, not more than every 5 s
    when it may be at another address, and was not reached        the same; after failures, every 60 s
    else                                                          every 60 s; if mDNS shows it, 300 s
    if it does not answer                                         after 60 s, doubled up to 15 min

An exchange counts for both sides, whoever began it; but what happens while we greet somebody is not
in what we say, and so is told after it. What is due by the clock alone is put
together into one moment of 5 s, since a program at rest should wake up seldom, and is jittered,
so that not everybody greets everybody at once.

Pure: no clock, no threads, no lock; all times are handed in, of one monotonic clock. Belongs to
`Greeter`, under its lock.
"""

from __future__ import annotations

import math
import random
from collections.abc import Container
from dataclasses import dataclass, field

from .limits import Limits
from .model import Endpoint, PeerId
from .whereabouts import Reach, Whereabouts

NEVER = math.inf

_SOON_SECONDS = 0.2
_SIGHT_SECONDS = 0.5  # so that not all are greeted at one moment
_MOVED_SECONDS = 2.0
_DOUBT_SECONDS = 0.7
_GOODBYE_SECONDS = 3.0  # so long an end may take
_SPACING_SECONDS = 5.0


@dataclass
class _Row:
    """How far we are with one peer."""

    wanted: float  # because of something that has happened since `begun`
    due: float = NEVER  # by the clock alone
    busy: bool = False
    unknown: bool = False  # it does not know greetings
    failures: int = 0
    doubts: int = 0  # in a row, for nothing
    doubted: float = -math.inf  # when the last one was due
    begun: float = -math.inf  # our last greeting
    exchanged: float = -math.inf  # the last that was answered, whoever began it
    announced: bool = False
    endpoints: frozenset[Endpoint] = field(default_factory=frozenset)

    @property
    def next(self) -> float:
        return min(self.wanted, self.due)

    def want(self, at: float) -> None:
        """Something has happened: greet then, if not before."""
        if not self.unknown:
            self.wanted = min(self.wanted, at)

    def no_sooner(self) -> float:
        """When others may make us dial again: anybody can announce, and connect and hang up."""
        return max(self.begun, self.exchanged) + _SPACING_SECONDS


class Timetable:
    """Whom to greet when."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rows: dict[PeerId, _Row] = {}

    # What makes a greeting due.

    def follow(self, where: Whereabouts, now: float) -> None:
        """This is where somebody is whom we may greet."""
        row = self._rows.get(where.uuid)
        if row is None:
            row = self._rows[where.uuid] = _Row(now + _SOON_SECONDS + _up_to(_SIGHT_SECONDS))
        else:
            self._follow(row, where, now)
        row.announced, row.endpoints = where.announced, frozenset(where.endpoints)

    def drop(self, uuid: PeerId) -> None:
        """It is nobody whom we may greet."""
        self._rows.pop(uuid, None)

    def change(self, there: Container[PeerId], now: float) -> None:
        """We have changed: whoever is `there` is told."""
        for uuid, row in self._rows.items():
            if uuid in there:
                row.want(now + _SOON_SECONDS)

    def moved(self, now: float) -> None:
        """The network has changed: everybody is tried, whenever they last failed."""
        for row in self._rows.values():
            row.failures = row.doubts = 0
            row.want(now + _SOON_SECONDS + _up_to(_MOVED_SECONDS))

    def hung_up(self, uuid: PeerId, now: float) -> bool:
        """Its connection to us has ended; False if it cannot be asked why."""
        row = self._rows.get(uuid)
        if row is None or row.unknown:
            return False
        row.want(max(now + _SOON_SECONDS, row.no_sooner()))
        return True

    # What comes of one.

    def begin(self, now: float) -> PeerId | None:
        """Who has been due for longest, and is now being greeted."""
        due = [(row.next, uuid) for uuid, row in self._rows.items() if not row.busy and row.next <= now]
        if not due:
            return None
        _, uuid = min(due)
        row = self._rows[uuid]
        row.busy, row.wanted, row.due, row.begun = True, NEVER, NEVER, now
        return uuid

    def exchanged(self, uuid: PeerId, announced: bool, in_vain: bool, now: float, by_us: bool = True) -> None:
        """It has been greeted, or has greeted us. `in_vain`: an announcement had differed for nothing.

        What has happened since we began to greet it is still to be told; what it is answered is made now.
        """
        row = self._rows.get(uuid)
        if row is not None:
            row.unknown, row.failures, row.exchanged = False, 0, now
            row.doubts = row.doubts + 1 if in_vain else 0
            row.doubted = row.doubted if in_vain else min(row.doubted, now)
            limits = self._limits
            row.due = _about(now, limits.greet_announced_seconds if announced else limits.greet_seconds)
            if not by_us:
                row.wanted = NEVER

    def failed(self, uuid: PeerId, now: float) -> None:
        """It could not be greeted: it is tried again a while later, and then ever later."""
        row = self._rows.get(uuid)
        if row is not None:
            pause = self._limits.greet_seconds * 2.0 ** min(row.failures, 16)
            row.failures += 1
            row.due = _about(now, min(pause, self._limits.greet_most_seconds))

    def failed_once(self, uuid: PeerId, now: float) -> None:
        """It answered, and went no further: it is tried again soon."""
        row = self._rows.get(uuid)
        if row is not None:
            row.failures += 1
            row.due = now + min(_SPACING_SECONDS, self._limits.greet_seconds)

    def unknown(self, uuid: PeerId) -> None:
        """It does not know greetings, and gets no more of them, unless it sends one."""
        row = self._rows.get(uuid)
        if row is not None:
            row.unknown, row.wanted, row.due = True, NEVER, NEVER

    def ended(self, uuid: PeerId) -> None:
        """The greeting that `begin` began is over."""
        row = self._rows.get(uuid)
        if row is not None:
            row.busy = False

    # What there is.

    def failures(self, uuid: PeerId) -> int:
        """In a row."""
        row = self._rows.get(uuid)
        return 0 if row is None else row.failures

    def knows(self, uuid: PeerId) -> bool:
        """Whether it may be greeted at all."""
        row = self._rows.get(uuid)
        return row is not None and not row.unknown

    def due(self, now: float) -> int:
        """How many are due."""
        return sum(row.next <= now for row in self._rows.values() if not row.busy)

    def first_after(self, now: float) -> float:
        """When the next one will be; NEVER if none."""
        return min((r.next for r in self._rows.values() if not r.busy and r.next > now), default=NEVER)

    def _follow(self, row: _Row, where: Whereabouts, now: float) -> None:
        """What has changed since the last time."""
        # Whoever was not reached is not dialed more often because of what anybody announces.
        pause = _SPACING_SECONDS if row.failures < 2 else self._limits.greet_seconds
        again = row.begun + pause
        if where.doubted:
            doubt = min(self._limits.doubt_seconds * 2.0**row.doubts, self._limits.greet_most_seconds)
            if now >= row.doubted:
                row.doubted = max(now + _DOUBT_SECONDS, row.doubted + doubt)
            row.want(max(row.doubted, again if row.failures else now))
        if row.announced and not where.announced and where.told:
            row.want(max(now + _GOODBYE_SECONDS, again if row.failures else now))
        if where.announced and not row.announced:
            row.want(max(now + _SOON_SECONDS, again))
        if where.reach is not Reach.REACHABLE and not row.endpoints.issuperset(where.endpoints):
            row.want(max(now + _SOON_SECONDS, again))


def _about(now: float, seconds: float) -> float:
    """In about so many seconds: not in step with others, and with what else is due in these 5 s."""
    at = now + seconds * (0.8 + _up_to(0.4))
    return math.ceil(at / _SPACING_SECONDS) * _SPACING_SECONDS if seconds > _SPACING_SECONDS else at


def _up_to(seconds: float) -> float:
    return random.uniform(0, seconds)  # noqa: S311 (no secret)
