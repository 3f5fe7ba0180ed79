"""The two lists that the page shows: who is around, and which rooms there are.

Both are computed from what is stored and what is present, whole, each time;
`publish` compares with what was published last and sends only the rows that
differ. So no place in the program has to know which row a change touches.

Threads: lists are made on any thread; `publish` runs on `neighbours`' alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import shapes
from .attempts import UNDECIDED, Attempts
from .comparisons import Comparisons
from .events import EventLog
from .model import KnownKey, PeerId, RoomName, Trust
from .names import skeletons
from .presence import Presence
from .profile import Profile
from .questions import Questions
from .store import Store
from .whereabouts import Reach, Whereabouts


class Roster:
    """The lists of users and rooms, as the page sees them."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        presence: Presence,
        questions: Questions,
        comparisons: Comparisons,
        events: EventLog,
        attempts: Attempts,
    ) -> None:
        self._profile = profile
        self._store = store
        self._presence = presence
        self._questions = questions
        self._comparisons = comparisons
        self._events = events
        self._attempts = attempts
        self._published_users: dict[str, dict[str, Any]] = {}
        self._published_rooms: dict[str, dict[str, Any]] = {}

    def users(self) -> list[dict[str, Any]]:
        """USER for everyone announced or remembered, by UUID."""
        return list(self._users(self._presence.all()).values())

    def rooms(self) -> list[dict[str, Any]]:
        """ROOM for every room that was discovered, and for our own, by name."""
        around = self._presence.all()
        return list(self._rooms(around, self._users(around)).values())

    def publish(self) -> None:
        """An event for each list with the rows that have changed since the last call."""
        around = self._presence.all()
        users = self._users(around)
        rooms = self._rooms(around, users)
        self._publish("users", self._published_users, users)
        self._publish("rooms", self._published_rooms, rooms)
        self._published_users, self._published_rooms = users, rooms

    def _publish(self, stream: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        changed = [row for name, row in new.items() if old.get(name) != row]
        gone = [name for name in old if name not in new]
        if changed or gone:
            self._events.publish(stream, {stream: changed, "gone": gone})

    def _users(self, around: Sequence[Whereabouts]) -> dict[str, dict[str, Any]]:
        keys = self._keys()
        here = {where.uuid: where for where in around}
        known = {*keys, *(where.uuid for where in around if where.heard_of or where.rooms)}
        users: dict[str, dict[str, Any]] = {
            uuid: self._user(uuid, keys.get(uuid, []), here.get(uuid)) for uuid in sorted(known)
        }
        self._mark_lookalikes(users)
        return users

    def _mark_lookalikes(self, users: Mapping[str, dict[str, Any]]) -> None:
        """Who has a name like one that is taken: our own, or that of somebody else who is verified."""
        taken: dict[str, list[str]] = {
            look: [self._profile.uuid] for look in skeletons(self._profile.username)
        }
        for uuid, user in users.items():
            if user["status"] == Trust.VERIFIED.value:
                for look in skeletons(user["username"] or ""):
                    taken.setdefault(look, []).append(uuid)
        for uuid, user in users.items():
            alike = [
                u for look in skeletons(user["username"] or "") for u in taken.get(look, ()) if u != uuid
            ]
            user["resembles"] = min(alike, key=lambda u: (u != self._profile.uuid, u), default=None)

    def _rooms(
        self, around: Sequence[Whereabouts], users: Mapping[str, dict[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        """From the same look `around` as `users`: somebody may come at any moment."""
        joined = set(self._profile.rooms())
        members: dict[RoomName, list[dict[str, Any]]] = {room: [self._self()] for room in joined}
        for where in around:
            for room in where.rooms:
                members.setdefault(room, []).append(_member(where, users[where.uuid]))
        return {
            room: {
                "name": room,
                "joined": room in joined,
                "members": sorted(members[room], key=lambda m: m["uuid"]),
            }
            for room in sorted(members)
        }

    def _keys(self) -> dict[PeerId, list[KnownKey]]:
        keys: dict[PeerId, list[KnownKey]] = {}
        for key in self._store.keys.all():
            keys.setdefault(key.uuid, []).append(key)
        return keys

    def _user(self, uuid: PeerId, keys: list[KnownKey], where: Whereabouts | None) -> dict[str, Any]:
        name = where.name if where else None
        online = where.online if where else False
        comparison = self._comparisons.of(uuid)
        compared = None if comparison is None else shapes.comparison(comparison)
        reach, trouble = self.reachability(where)
        return shapes.user(
            keys,
            uuid,
            name,
            online,
            self._questions.pending(uuid),
            compared,
            reachability=reach.value,
            seen=where.seen if where else None,
            trouble=trouble,
        )

    def reachability(self, where: Whereabouts | None) -> tuple[Reach, str | None]:
        """Whether somebody is there, and why our last try failed if there is nothing better to go by."""
        if where is None:
            return Reach.AWAY, None
        if where.reach is Reach.REACHABLE:
            return Reach.REACHABLE, UNDECIDED if self._attempts.is_undecided(where.uuid) else None
        trouble = self._attempts.trouble(where.endpoints)
        if where.reach is Reach.ANNOUNCED and trouble not in (None, UNDECIDED):
            return Reach.SILENT, trouble  # a look has failed, which nobody but the looker was told
        return where.reach, trouble

    def _self(self) -> dict[str, Any]:
        return {
            "uuid": self._profile.uuid,
            "username": self._profile.username,
            "address": None,
            "status": "verified",
            "online": True,
            "self": True,
        }


def _member(where: Whereabouts, user: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uuid": where.uuid,
        "username": user["username"],
        "address": str(where.endpoints[0]) if where.endpoints else None,
        "status": user["status"],
        "online": where.online,
        "self": False,
    }
