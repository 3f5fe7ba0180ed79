"""What follows when somebody comes, moves or goes: looks, sending again, and the lists of the page.

`presence` collects changes, from whichever thread they come; one thread here
takes them and does everything that they cause. It also does the little that
is due by the clock: once a minute, when a contact is to be looked for again, and when somebody is to
be greeted (`greeter`).

Threads: one, `neighbours`.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from .contacts import Contacts
from .greeter import Greeter
from .hearsay import Hearsay
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
_HINT_ROUNDS = 10  # whom only a third person has named is looked at in each of these again
_END_SECONDS = 0.5
_PAUSE_AFTER_FAILURE_SECONDS = 5.0
_MOVES_AT_ONCE = 3  # of the network; in this time
_RESTLESS_SECONDS = 60.0
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
        greeter: Greeter,
        hearsay: Hearsay,
        contacts: Contacts,
    ) -> None:
        self._profile = profile
        self._store = store
        self._presence = presence
        self._verification = verification
        self._looker = looker
        self._outbox = outbox
        self._roster = roster
        self._greeter = greeter
        self._hearsay = hearsay
        self._said: tuple[int, str, list[RoomName]] | None = None  # our port, name and rooms
        self._rounds = 0
        self._contacts = contacts
        self._reachable: dict[PeerId, tuple[Endpoint, ...]] = {}
        self._remembered: dict[PeerId, dict[RoomName, str]] = {}
        self._round_due = self._greeting_due = 0.0
        # Changes of the network: when the last one was, and when the last few were followed.
        self._moved_at = -math.inf
        self._followed_at: deque[float] = deque([-math.inf] * _MOVES_AT_ONCE, maxlen=_MOVES_AT_ONCE)
        self._closing = threading.Event()
        self.thread = threading.Thread(target=self._run, name="neighbours", daemon=True)

    def start(self) -> None:
        """Take up what an earlier run left: verified peers, and questions about whom something waits."""
        self._remembered = self._store.keys.rooms_of_all()
        keys = self._store.keys.all()
        self._verification.pin_all(k for k in keys if self._store.keys.verified(k.uuid) == k)
        self._hearsay.start()
        for key in keys:
            if self._store.queue.waits_for(key.uuid) and self._store.keys.verified(key.uuid) is None:
                self._verification.questions.ask(key, QUEUED)
        self._contacts.start()
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
        while (changed := self._presence.wait(self._patience())) is not None:
            for uuid in changed:
                self._follow(uuid)
            if self._presence.take_moved():
                self._moved_at = time.monotonic()
            self._guarded(self._follow_moves)
            for endpoint in self._presence.take_claims():
                self._guarded(partial(self._looker.look_at_claim, endpoint))
            is_due = time.monotonic() >= self._round_due
            if is_due:
                self._round_due = time.monotonic() + _ROUND_SECONDS
                self._guarded(self._round)
            self._guarded(self._contacts.retry)
            if changed or is_due:  # why somebody is still away may have become another reason
                self._guarded(self._roster.publish)
                self._guarded(self._contacts.publish)
            self._guarded(self._greet)
            self._closing.wait(_PAUSE_SECONDS)
        for where in self._presence.all():  # what came in the last pause: who is a member outlives us
            self._guarded(partial(self._remember_rooms, where))
        self._guarded(partial(self._remember_seen, self._presence.last_contacts()))
        self._store.database.close_thread()

    def _patience(self) -> float:
        """How long nothing is due, in seconds."""
        due = min(self._round_due, self._greeting_due, self._contacts.next_try(), self._move_due())
        return max(0.0, due - time.monotonic())

    def _greet(self) -> None:
        """Whoever is due now; should that fail, in a while."""
        self._greeting_due = time.monotonic() + _PAUSE_AFTER_FAILURE_SECONDS
        self._greeting_due = time.monotonic() + self._greeter.tick()

    def _guarded(self, work: Callable[[], None]) -> None:
        """One thing that fails, on a full disk say, keeps nothing else from being done."""
        try:
            work()
        except DatabaseError as error:
            trouble(error)
        except Exception:
            _log.exception("a change around us could not be followed")

    def _move_due(self) -> float:
        """When a change of the network that has not been followed yet is to be; never, if there is none.

        At once, but a machine whose interfaces come and go all the time, as those of containers do, is
        not one that is elsewhere each time: past a few changes they are followed together.
        """
        if self._moved_at <= self._followed_at[-1]:
            return math.inf
        is_restless = self._followed_at[0] > time.monotonic() - _RESTLESS_SECONDS
        return self._followed_at[-1] + _RESTLESS_SECONDS / 2 if is_restless else 0.0

    def _follow_moves(self) -> None:
        """Where we are on another network, or awake again, everybody is tried again."""
        if time.monotonic() >= self._move_due():
            self._followed_at.append(time.monotonic())
            self._greeter.moved()
            self._contacts.moved()

    def _follow(self, uuid: PeerId) -> None:
        """Everything that a change of one peer causes; what fails keeps nothing else from being done."""
        if uuid == self._profile.uuid:
            self._guarded(self._follow_us)
        self._guarded(partial(self._contacts.follow, uuid))
        self._guarded(partial(self._greeter.follow, uuid))
        where = self._presence.of(uuid)
        self._guarded(partial(self._send, uuid, where))
        if where is not None:
            self._guarded(partial(self._look, where))
            self._guarded(partial(self._ask, where))
            self._guarded(partial(self._remember, where))

    def _send(self, uuid: PeerId, where: Whereabouts | None) -> None:
        """What waits for somebody who has come, or moved."""
        before = self._reachable.pop(uuid, ())
        if where is not None and where.online and where.endpoints:
            self._reachable[uuid] = where.endpoints
            if where.endpoints != before:
                self._outbox.wake(uuid)

    def _remember(self, where: Whereabouts) -> None:
        """What outlives this run."""
        self._remember_rooms(where)
        if where.seen is not None:
            self._remember_seen({where.uuid: where.seen})

    def _follow_us(self) -> None:
        """Our port, name or rooms may have changed."""
        said = (self._profile.port, self._profile.username, self._profile.rooms())
        if said != self._said:
            self._said = said
            self._greeter.announce()

    def _look(self, where: Whereabouts) -> None:
        """At whoever is announced, or was passed on to us, in a room that we are in."""
        hinted = where.hinted and not where.pinned
        if (where.announced or hinted) and not where.rooms.keys().isdisjoint(self._profile.rooms()):
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

    def _remember_seen(self, contacts: Mapping[PeerId, int]) -> None:
        """When verified peers were last there."""
        keys = ((self._store.keys.verified(uuid), seen) for uuid, seen in contacts.items())
        newer = [(key, seen) for key, seen in keys if key is not None and key.last_seen < seen]
        if newer:
            self._store.keys.set_seen(newer)

    def _round(self) -> None:
        """Once a minute: whatever an earlier failure, or time itself, has left to be done."""
        self._presence.silence()
        self._rounds += 1
        known = {key.uuid for key in self._store.keys.all()}
        for where in self._presence.all():
            if where.uuid not in known and (where.announced or self._rounds % _HINT_ROUNDS == 0):
                self._look(where)
        self._looker.look_for_wanted()
        self._outbox.expire()
        for uuid in self._store.queue.counts():
            self._outbox.resume(uuid)
