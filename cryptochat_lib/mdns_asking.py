"""When to ask on one link: often enough to notice who is there, and no more.

zeroconf's own browser keeps pointers for 1,125 s at least, and takes no notice of a peer
that fell silent. So:

    at the start                 the question for our service, three times
    something may have changed   the same, with our announcement: after a sleep, say
    somebody lacks a record      that record's questions, a few peers at a time
    somebody was quiet for 90 s  the question again and our announcement: all answers refresh
                                 everyone, so whoever of us asks first, after up to 3 s,
                                 has asked for all. Who was missed then (packets get
                                 lost) is asked by name, lest all answer once more
    nobody is here               the question and our announcement, every 30 s and when
                                 somebody is heard again: if it was our cable that was
                                 out, all the others have given us up

Everything here runs on the discovery thread, in its asyncio loop.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from .limits import Limits
from .model import PeerId
from .sightings import Sightings

_STARTUP_QUESTIONS = (0.02, 1.0, 3.0)
# Parts of the silence that ends a peer: 3 s, 6 s (two ticks, so that there are three tries from
# 90 s on, with the 3 s too), and 30 s.
_SPREAD_OF_SILENCE = 1 / 40
_ASK_AGAIN_OF_SILENCE = 1 / 20
_ALONE_OF_SILENCE = 1 / 4
_LACKING_SECONDS = 0.5
_LACKING_AT_ONCE = 8


class Voice(Protocol):
    """What can be said on the link."""

    def ask(self) -> None:
        """Who is here?"""

    def ask_about(self, peers: Sequence[tuple[PeerId, str | None]]) -> None:
        """Where are these, and in which rooms? With their hosts, where they are known."""

    def say_everything(self) -> None:
        """This is who we are."""


class Asking:
    """The decisions of one link, and its timers. `close` ends these."""

    def __init__(self, link: str, sightings: Sightings, limits: Limits, voice: Voice) -> None:
        self._link, self._sightings, self._limits, self._voice = link, sightings, limits, voice
        self._loop = asyncio.get_running_loop()
        self._first: list[asyncio.TimerHandle] = []
        self._lacking: asyncio.TimerHandle | None = None
        self._in_turn: asyncio.TimerHandle | None = None
        self._asked_at = float("-inf")
        self._is_alone = True

    def begin(self) -> None:
        """Ask as at the start."""
        self._begin(self.ask)

    def begin_anew(self) -> None:
        """Ask and say everything as at the start: nothing may be as it was, here or at the others."""
        self._begin(self._ask_and_say)

    def close(self) -> None:
        for timer in (*self._first, self._lacking, self._in_turn):
            if timer:
                timer.cancel()

    def tick(self, now: float) -> None:
        """What time makes due. Called every few seconds."""
        if self._lacking is None:
            self._ask_for_lacking()
        unasked = (now - self._asked_at) / self._limits.silence_seconds
        was_alone, self._is_alone = self._is_alone, self._sightings.is_alone(self._link)
        if (was_alone and not self._is_alone) or (self._is_alone and unasked >= _ALONE_OF_SILENCE):
            self._ask_and_say()
        elif (
            self._in_turn is None
            and unasked >= _ASK_AGAIN_OF_SILENCE
            and self._sightings.quiet(self._link, now)
        ):
            later = random.uniform(0, _SPREAD_OF_SILENCE) * self._limits.silence_seconds  # noqa: S311
            self._in_turn = self._loop.call_later(later, self._ask_in_turn)

    def ask(self) -> None:
        """Ask now."""
        self._asked_at = time.monotonic()
        self._voice.ask()

    def somebody_lacks(self) -> None:
        """Ask for the records that peers here lack, but not more than twice a second."""
        if self._lacking is None:
            self._lacking = self._loop.call_later(_LACKING_SECONDS, self._ask_for_lacking)

    def _begin(self, ask: Callable[[], None]) -> None:
        for timer in self._first:
            timer.cancel()
        # RFC 6762, 5.2: the first question a little later, so that not all ask at the same moment.
        first = random.uniform(0, 0.1)  # noqa: S311 (no secret)
        self._first = [self._loop.call_later(first + delay, ask) for delay in _STARTUP_QUESTIONS]

    def _ask_and_say(self) -> None:
        self.ask()
        self._voice.say_everything()

    def _ask_in_turn(self) -> None:
        """Ask, unless the answers to another's question have come. Who asks says its own: it won't answer."""
        self._in_turn, self._asked_at = None, time.monotonic()
        quiet = self._sightings.quiet(self._link, self._asked_at)
        if len(quiet) <= min(_LACKING_AT_ONCE, self._sightings.heard_on(self._link) // 2):
            self._ask_about(quiet)
        else:
            self._ask_and_say()

    def _ask_for_lacking(self) -> None:
        self._lacking = None
        self._ask_about(self._sightings.to_ask_for(self._link, _LACKING_AT_ONCE, time.monotonic()))

    def _ask_about(self, peers: Sequence[tuple[PeerId, str | None]]) -> None:
        if peers:
            self._voice.ask_about(peers)
