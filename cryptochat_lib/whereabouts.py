"""Where one peer is, put together from everything that says so.

Several sources speak about a peer, and they are believed differently:

    its own word     what its verified key has said over its own connection (`Told`): its rooms,
                     its addresses. Nothing else changes that: an announcement that differs is a
                     reason to ask (`doubted`)
    our contact      it has answered, or come to us; or a try to reach it has failed
    mDNS             an announcement: anybody's hint, about anybody (`Announcement`)
    the user         addresses that the user has added for it
    a third person   addresses, and rooms, that a verified peer passes on: a hint, too

`Peer` is what `presence` keeps, under its lock; `Whereabouts` what everybody else sees,
made anew whenever something in it has changed. Pure; times are handed in.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from .model import Announcement, Endpoint, PeerId, RoomName, Told

_LONG_AGO = -1e9


class Reach(str, enum.Enum):
    """Whether somebody is there, said as honestly as it is known."""

    REACHABLE = "reachable"  # our own contact says so
    ANNOUNCED = "announced"  # only mDNS does
    SILENT = "silent"  # mDNS does, but our last try has failed
    AWAY = "away"


@dataclass
class Peer:
    """What we know of one peer's whereabouts. Times are of the monotonic clock, but for `seen`."""

    rooms: dict[RoomName, str] = field(default_factory=dict)
    announcement: Announcement | None = None
    announced: bool = False  # since the last goodbye or silence
    told: Told | None = None
    doubted: bool = False  # what is announced differs from what it has told us
    greets: bool = False  # it tells us of itself, or has done so in an earlier run
    added: tuple[Endpoint, ...] = ()
    hinted: tuple[Endpoint, ...] = ()
    hinted_rooms: Mapping[RoomName, str] = field(default_factory=dict)  # of a stranger only
    online: bool = False
    contact: bool = False  # our last contact succeeded, lately
    answered_at: Endpoint | None = None  # where its pinned key last answered
    pinned: bool = False
    heard: float = 0.0
    shown: float = _LONG_AGO  # when it last showed up: with news, or its key
    failed: float = _LONG_AGO  # when it could not be reached
    touched: float = _LONG_AGO  # when our last contact was
    seen: int | None = None  # the same in milliseconds since 1970
    view: Whereabouts | None = None  # what `whereabouts` made of all this

    def __setattr__(self, name: str, value: object) -> None:
        """Any change makes the view stale: each message asks for it, and hardly anything changes it."""
        if self.__dict__.get(name, self) == value:
            return
        object.__setattr__(self, name, value)
        if name not in ("view", "heard", "shown", "failed", "touched", "seen"):
            object.__setattr__(self, "view", None)

    def announce(self, announcement: Announcement, now: float, retry_seconds: float) -> None:
        """Somebody announced this."""
        self._hear_rooms(announcement)
        news = not self.announced or self.announcement != announcement
        self.announcement = announcement
        self.heard = now
        self.announced = True
        # The same words again do not make reachable whom we have just failed to reach.
        if news or (not self.online and now - self.failed > retry_seconds):
            self.shown = now
            self.online = True

    def reach(self, endpoint: Endpoint | None, now: float, wall: int) -> None:
        """Its key has just answered us, at `endpoint`; or, with None, come to us."""
        self.heard = self.shown = self.touched = now
        self.seen = wall
        if endpoint is not None and self.pinned:
            self._settle_rooms(endpoint)
        self.online = self.contact = True

    def tell(self, told: Told) -> None:
        """Its verified key has said this of itself."""
        self.told = told
        self.rooms = dict(told.rooms)
        self.greets, self.doubted = True, False

    def untell(self) -> None:
        """Its key says no more of itself: what is announced counts again."""
        self.told = None
        self.greets = self.doubted = False
        if self.announcement is not None:
            self._hear_rooms(self.announcement)

    def hint(self, endpoints: tuple[Endpoint, ...], rooms: Mapping[RoomName, str], own: bool) -> None:
        """A third person says this of it; or `own`, it has said so in an earlier run."""
        self.hinted = endpoints
        self.greets |= own
        if not self.pinned:
            self.hinted_rooms = rooms

    def unhint(self) -> None:
        """What third persons have said counts no more."""
        self.hinted = ()
        self.hinted_rooms = {}

    def pin(self, rooms: Mapping[RoomName, str]) -> None:
        """It has a verified key, which was met in `rooms`."""
        self.pinned = True
        if self.told is None:
            self.rooms = {**rooms, **self.hinted_rooms, **self.rooms}
        self.hinted_rooms = {}

    def go_away(self) -> None:
        """It is not there now, as far as we know."""
        self.online = self.contact = False

    def unpin(self) -> None:
        """It has no verified key any more, so there is nobody whose word could count."""
        self.pinned = False
        self.answered_at = self.told = None
        self.unhint()
        self.greets = self.doubted = False

    def whereabouts(self, uuid: PeerId) -> Whereabouts:
        """What others see of all this."""
        if self.view is None:
            self.view = self._whereabouts(uuid)
        return self.view

    def _hear_rooms(self, announcement: Announcement) -> None:
        """An announcement's rooms, as far as they can do no harm; see `presence`."""
        if self.told is not None:
            self.doubted = dict(announcement.rooms) != dict(self.told.rooms)
        elif not self.pinned or (not self.greets and self.answered_at in announcement.endpoints):
            self.rooms = dict(announcement.rooms)
        else:
            self.rooms |= announcement.rooms

    def _settle_rooms(self, endpoint: Endpoint) -> None:
        """The pinned key answered at `endpoint`: what is announced there is its own word."""
        if self.answered_at != endpoint:
            self.answered_at = endpoint
        said = self.announcement
        if not self.greets and said is not None and endpoint in said.endpoints and self.rooms != said.rooms:
            self.rooms = dict(said.rooms)

    def _whereabouts(self, uuid: PeerId) -> Whereabouts:
        said, told = self.announcement, self.told
        places = (
            (self.answered_at,) if self.answered_at else (),
            said.endpoints if said else (),
            told.endpoints if told else (),
            self.added,
            self.hinted,
        )
        return Whereabouts(
            uuid=uuid,
            rooms={**self.hinted_rooms, **self.rooms},
            endpoints=tuple(dict.fromkeys(endpoint for place in places for endpoint in place)),
            online=self.online,
            announced=self.announced,
            pinned=self.pinned,
            name=(said.name if said else None) or (told.name if told else None),
            version=max(said.version if said else 0, 1 if told else 0),
            reach=self._reach(),
            doubted=self.doubted,
            told=told is not None,
            hinted=bool(self.hinted),
            heard_of=bool(said or told or self.hinted or self.pinned or self.online),
            seen=None if self.contact else self.seen,
        )

    def _reach(self) -> Reach:
        if self.online and self.contact:
            return Reach.REACHABLE
        if not self.announced:
            return Reach.AWAY
        return Reach.ANNOUNCED if self.online else Reach.SILENT


def longest_unheard(peers: Mapping[PeerId, Peer]) -> PeerId | None:
    """The stranger who makes way where there are too many; None if all are verified or added.

    First those who are announced no more. Whom discovery dropped from a flood is one of these,
    so a flood drives out nobody here whom it does not drive out there.
    """
    strangers = ((p.announced, p.heard, uuid) for uuid, p in peers.items() if not p.pinned and not p.added)
    *_, out = min(strangers, default=(None,))
    return out


@dataclass(frozen=True)
class Whereabouts:
    """One peer as `Presence` sees it now.

    `endpoints`: where to try, the likeliest first. `told`: its verified key has spoken for itself in
    this run, `doubted`: what is announced differs from that. `hinted`: a third person, or its record of an
    earlier run, names addresses. `heard_of`: the user's having added it is not all that we know of it.
    `seen`: our last contact, in milliseconds since 1970; None while it is reachable, and if there was none.
    """

    uuid: PeerId
    rooms: dict[RoomName, str]
    endpoints: tuple[Endpoint, ...]
    online: bool
    announced: bool
    pinned: bool
    name: str | None
    version: int
    reach: Reach = Reach.AWAY
    doubted: bool = False
    told: bool = False
    hinted: bool = False
    heard_of: bool = True
    seen: int | None = None
