"""What we say of ourselves: our name and the rooms that we are in.

Every change is stored, and announced in place over mDNS. Threads: any;
`_lock` makes "check the limit, store, announce" one step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from .discovery import OwnAnnouncement
from .errors import TooManyRooms
from .limits import Limits
from .model import Certificate, Endpoint, RoomName
from .presence import Presence
from .store import Store
from .txt import fits

_ASK_AGAIN_SECONDS = 5.0


class Announces(Protocol):
    """What a profile needs of discovery."""

    def announce(self, own: OwnAnnouncement) -> None: ...


class Profile:
    """Our name and rooms. `start` announces them for the first time."""

    def __init__(
        self,
        own: Certificate,
        store: Store,
        presence: Presence,
        discovery: Announces,
        username: str,
        announce_name: bool,
        find_endpoints: Callable[[int], Sequence[Endpoint]],
        limits: Limits,
    ) -> None:
        self.uuid = own.uuid
        self.certificate = own
        self._settings = store.settings
        self._presence = presence
        self._discovery = discovery
        self._username = username
        self._announce_name = announce_name
        self._limits = limits
        self._find_endpoints = find_endpoints
        self._found: tuple[float, Sequence[Endpoint]] = (float("-inf"), ())  # when, and what; set as one
        self._port = 0
        self._lock = threading.Lock()

    @property
    def username(self) -> str:
        """The name that our messages carry."""
        return self._username

    @property
    def port(self) -> int:
        """Of our peer API; 0 before `start`."""
        return self._port

    def own_endpoints(self) -> Sequence[Endpoint]:
        """Where we can be reached, the likeliest first; the system is asked once in 5 s at most."""
        asked_at, found = self._found
        if self._port and time.monotonic() - asked_at > _ASK_AGAIN_SECONDS:
            found = self._find_endpoints(self._port)
            self._found = (time.monotonic(), found)
        return found

    @property
    def announced_name(self) -> str | None:
        """The name that strangers see."""
        return self._username if self._announce_name else None

    def rooms(self) -> list[RoomName]:
        """The rooms that we have joined, by name."""
        return self._settings.joined_rooms()

    def start(self, port: int) -> None:
        """Announce ourselves, listening on `port`."""
        with self._lock:
            self._port = port
            self._announce(self.rooms())
        self._presence.touch(self.uuid)

    def rename(self, username: str) -> None:
        """Take a valid new name."""
        with self._lock:
            self._settings.set("username", username)
            self._username = username
            self._announce(self.rooms())
        self._presence.touch(self.uuid)

    def join(self, room: RoomName) -> None:
        """Join `room`; TooManyRooms if the announcement could not hold it."""
        with self._lock:
            rooms = self.rooms()
            if room not in rooms:
                if not fits([*rooms, room], self._limits):
                    raise TooManyRooms()
                self._settings.join(room)
                self._announce([*rooms, room])
        self._presence.touch(self.uuid)

    def leave(self, room: RoomName) -> None:
        with self._lock:
            self._settings.leave(room)
            self._announce(self.rooms())
        self._presence.touch(self.uuid)

    def _announce(self, rooms: list[RoomName]) -> None:
        named = {room: str(room) for room in rooms}
        self._discovery.announce(OwnAnnouncement(self.uuid, self._port, named, self.announced_name))
