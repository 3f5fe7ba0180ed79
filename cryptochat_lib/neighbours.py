"""What follows when somebody comes, moves or goes: looks, sending again, and the lists of the page.

`presence` collects changes, from whichever thread they come; one thread here
takes them and does everything that they cause. It also does the little that
is due by the clock, once a minute.

Threads: one, `neighbours`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from .looker import Looker
from .model import Endpoint, PeerId, RoomName
from .outbox import Outbox
from .presence import Presence
from .profile import Profile
from .questions import QUEUED
from .roster import Roster
from .store import Store
from .store.database import DatabaseError, trouble
from .verification import Verification
from .whereabouts import Whereabouts

_log = logging.getLogger(__name__)

_ROUND_SECONDS = 60.0
_END_SECONDS = 0.5
_PAUSE_SECONDS = 0.1  # between two rounds: what a flood of announcements can cost


class Neighbours:
    """The thread that follows `presence`."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        presence: Presence,
        verification: Verification,
        looker: Looker,
        outbox: Outbox,
        roster: Roster,
    ) -> None:
        self._profile = profile
        self._store = store
        self._presence = presence
        self._verification = verification
        self._looker = looker
        self._outbox = outbox
        self._roster = roster
        self._reachable: dict[PeerId, tuple[Endpoint, ...]] = {}
        self._remembered: dict[PeerId, dict[RoomName, str]] = {}
        self._closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name="neighbours", daemon=True)

    def start(self) -> None:
        """Take up what an earlier run left: verified peers, and questions about whom something waits."""
        self._remembered = self._store.keys.rooms_of_all()
        keys = self._store.keys.all()
        self._verification.pin_all(k for k in keys if self._store.keys.verified(k.uuid) == k)
        for key in keys:
            if self._store.queue.waits_for(key.uuid) and self._store.keys.verified(key.uuid) is None:
                self._verification.questions.ask(key, QUEUED)
        self.thread.start()
        for uuid in self._store.queue.counts():
            self._outbox.wake(uuid)  # whether it is there is learned by trying where it last answered

    def close(self) -> None:
        """End the thread, and wait a moment until it has; `presence` is closed with it."""
        self._closing.set()
        self._presence.close()
        if self.thread.is_alive():
            self.thread.join(_END_SECONDS)

    def _run(self) -> None:
        round_due = 0.0
        while (changed := self._presence.wait(max(0.0, round_due - time.monotonic()))) is not None:
            for uuid in changed:
                self._guarded(partial(self._follow, uuid))
            for endpoint in self._presence.take_claims():
                self._guarded(partial(self._looker.look_at_claim, endpoint))
            if time.monotonic() >= round_due:
                round_due = time.monotonic() + _ROUND_SECONDS
                self._guarded(self._round)
            if changed:
                self._guarded(self._roster.publish)
            self._closing.wait(_PAUSE_SECONDS)
        for where in self._presence.all():  # what came in the last pause: who is a member outlives us
            self._guarded(partial(self._remember_rooms, where))
        self._store.database.close_thread()

    def _guarded(self, work: Callable[[], None]) -> None:
        """One thing that fails, on a full disk say, keeps nothing else from being done."""
        try:
            work()
        except DatabaseError as error:
            trouble(error)
        except Exception:
            _log.exception("a change around us could not be followed")

    def _follow(self, uuid: PeerId) -> None:
        where = self._presence.of(uuid)
        reachable = where.endpoints if where is not None and where.online else ()
        before = self._reachable.pop(uuid, ())
        if where is None:
            return
        if reachable:
            self._reachable[uuid] = reachable
        self._look(where)
        self._ask(where)
        self._remember_rooms(where)
        if reachable and reachable != before:
            self._outbox.wake(uuid)

    def _look(self, where: Whereabouts) -> None:
        """At whoever is announced in a room that we are in."""
        if where.announced and not where.rooms.keys().isdisjoint(self._profile.rooms()):
            self._looker.look(where.uuid)

    def _ask(self, where: Whereabouts) -> None:
        """About somebody for whom something waits, and whom the user has not verified; or look first."""
        if self._store.keys.verified(where.uuid) is not None or not self._store.queue.waits_for(where.uuid):
            return
        keys = self._store.keys.of(where.uuid)
        for key in keys:
            self._verification.questions.ask(key, QUEUED, where.name)
        if not keys:
            self._looker.look(where.uuid)

    def _remember_rooms(self, where: Whereabouts) -> None:
        """Of verified peers, so that who is away is still a member after our restart."""
        if self._store.keys.verified(where.uuid) is None:
            self._remembered.pop(where.uuid, None)
        elif self._remembered.get(where.uuid) != where.rooms:
            self._store.keys.set_rooms(where.uuid, where.rooms)
            self._remembered[where.uuid] = where.rooms

    def _round(self) -> None:
        """Once a minute: whatever an earlier failure, or time itself, has left to be done."""
        self._presence.silence()
        known = {key.uuid for key in self._store.keys.all()}
        for where in self._presence.all():
            if where.uuid not in known:
                self._look(where)
        self._looker.look_for_wanted()
        self._outbox.expire()
        for uuid in self._store.queue.counts():
            self._outbox.resume(uuid)
