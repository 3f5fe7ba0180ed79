"""What an examination goes by, and one thing that it has found.

`doctor` examines and hands in `Examined`; `link_findings` and `peer_findings` are the rules.
Each rule looks at that and says nothing, or one thing or several. Every finding has a code that
stays the same, a level, its values for programs, one sentence, and, unless all is well, one on
what to do.

How a person is called is handed in (`Call`): for the user by name, in the report that can be
copied by a number. A sentence has nothing else of a person.

Pure; times are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .interfaces import is_inside
from .mdns_health import LinkHealth
from .whereabouts import Reach

GOOD, NOTICE, PROBLEM = "good", "notice", "problem"
ANSWERED = "answered"
_NAMED_AT_MOST = 5


@dataclass(frozen=True)
class Said:
    """What a peer has told us of reaching us: its clock, ahead of ours by so much; whether it hears us."""

    offset_seconds: float
    heard_us: bool
    reach_us: str | None


@dataclass(frozen=True)
class Person:
    """Somebody, or a place that the user has added.

    `near`: it answers at an address on one of our links. `trouble`: a REASON.
    """

    uuid: str | None
    name: str | None
    reach: Reach = Reach.AWAY
    announced: bool = False
    added: bool = False
    near: bool = True
    verified: bool = False
    trouble: str | None = None
    addresses: tuple[str, ...] = ()
    said: Said | None = None


@dataclass(frozen=True)
class Examined:
    """All that the rules go by. `now` of the monotonic clock, `wall` in seconds since 1970."""

    links: tuple[LinkHealth, ...] = ()
    has_interface: bool = True
    people: tuple[Person, ...] = ()
    rooms: int = 0
    port: int = 0
    clone: str | None = None
    unknown: tuple[str, ...] = ()
    now: float = 0.0
    wall: float = 1_800_000_000.0

    @property
    def cut_off(self) -> bool:
        """Whether there is no cable in any interface that leads out of this computer."""
        out = [link for link in self.links if not is_inside(link.name)]
        return not any(link.connected for link in out or self.links) and bool(self.links)


@dataclass(frozen=True)
class Finding:
    """One thing that was found. `advice`: what to do, None if there is nothing to be done."""

    code: str
    level: str
    text: str
    advice: str | None = None
    values: dict[str, Any] = field(default_factory=dict)

    def shape(self) -> dict[str, Any]:
        """FINDING of docs/API.md."""
        return {
            "code": self.code,
            "level": self.level,
            "values": self.values,
            "text": self.text,
            "advice": self.advice,
        }


Call = Callable[[Person], str]
"""How somebody is called."""


def listed(people: Sequence[Person], call: Call) -> str:
    """Their names, as one part of a sentence."""
    names = [call(one) for one in people[:_NAMED_AT_MOST]]
    if len(people) > _NAMED_AT_MOST:
        names.append(f"{len(people) - _NAMED_AT_MOST} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def who(people: Sequence[Person]) -> dict[str, Any]:
    return {"peers": [{"uuid": one.uuid, "addresses": list(one.addresses)} for one in people]}


def ago(seconds: float) -> str:
    return "just now" if seconds < 1 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """So long, in the largest unit that fits.

    >>> span(61), span(7200)
    ('1 minute', '2 hours')
    """
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return "no time"
