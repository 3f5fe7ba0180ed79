"""Adding people by contact code or address, where multicast does not show them.

A code names a key, and came by another channel. So it finds *and verifies*:

    1. the code is stored, unused; whatever was decided before, this is the user's new word
    2. where the code says, and wherever else that UUID is said to be, is looked at. Looks that
       find nobody are tried again: after 5 s, then half as often each time, once a minute at least;
       at once when the network has changed, and at the start
    3. a look shows a certificate. `neighbours` hears of it from `presence`, and calls `follow`
    4. the key is the one that the code names: a yes by the method "code", in one transaction with
       the code's end (`store/contacts`). Should we crash before it, the next start is step 3 again

An address finds, and the user is asked about whoever is there (`finder`).

Codes may come from anybody who can make somebody enter one, so their addresses on loopback count only
where loopback was chosen. No other rule bounds where a user may look.

Threads: UI workers add and remove; `neighbours` does the rest. `_lock` guards what is tried when,
and what `presence` has been told.
"""

from __future__ import annotations

import ipaddress
import random
import threading
import time
from dataclasses import dataclass
from typing import Any

from . import contact_code, shapes
from .attempts import Attempts
from .contact_code import ContactCode
from .errors import Conflict, OwnCode
from .events import EventLog
from .finder import Finder
from .limits import Limits
from .looker import Looker
from .model import Contact, Endpoint, PeerId
from .neighbourhood import Neighbourhood
from .people import People
from .presence import Presence
from .profile import Profile
from .store import Store

_NEVER = float("inf")


@dataclass(frozen=True)
class _Try:
    """The next try to find somebody: `at` (monotonic), `pause` seconds after the last one."""

    at: float
    pause: float


class Contacts:
    """The people whom the user has added."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        presence: Presence,
        people: People,
        looker: Looker,
        finder: Finder,
        neighbourhood: Neighbourhood,
        attempts: Attempts,
        events: EventLog,
        limits: Limits,
    ) -> None:
        self._profile = profile
        self._own = profile.certificate
        self._store = store
        self._presence = presence
        self._people = people
        self._looker = looker
        self._finder = finder
        self._neighbourhood = neighbourhood
        self._attempts = attempts
        self._events = events
        self._limits = limits
        self._lock = threading.Lock()
        self._tries: dict[int, _Try] = {}
        self._told: dict[PeerId, tuple[Endpoint, ...]] = {}
        self._published: dict[str, dict[str, Any]] = {}

    # What the user does.

    def own_code(self) -> ContactCode:
        """Our own code, as of now."""
        hosts = [endpoint.host for endpoint in self._profile.own_endpoints()]
        return ContactCode.of(self._own, hosts, self._profile.port)

    def add_code(self, text: str) -> dict[str, Any]:
        """CONTACT for a code that the user enters.

        Raises BadRequest, DamagedCode, NewerCode, OwnCode, TooManyContacts.
        """
        code = contact_code.parse(text)
        if code.names(self._own):
            raise OwnCode()
        addresses = [str(endpoint) for endpoint in code.endpoints]
        contact = self._store.contacts.add_code(code.uuid, code.key_hash.hex(), addresses)
        with self._lock:
            self._told.pop(code.uuid, None)  # `presence` may have been told to forget it
        self.follow(code.uuid)  # it may have been seen long ago
        return self._begin(contact)

    def add_address(self, text: str) -> dict[str, Any]:
        """CONTACT for an address that the user enters. BadRequest, Conflict for our own, TooManyContacts."""
        typed = contact_code.parse_address(text)
        own = [endpoint.host.partition("%")[0] for endpoint in self._profile.own_endpoints()]
        if typed.port == self._profile.port and typed.host.partition("%")[0] in own:
            raise Conflict("this is your own address: enter the other person's")
        return self._begin(self._store.contacts.add_address(str(typed)))

    def all(self) -> list[dict[str, Any]]:
        """CONTACT for each, in the order in which they were added."""
        return [self._shape(contact) for contact in self._store.contacts.all()]

    def remove(self, number: int) -> None:
        """Look for that contact no more; what is known of the person stays. UnknownContact."""
        contact = self._store.contacts.get(number)
        self._store.contacts.remove(number)
        if contact.uuid is not None:
            self._tell(contact.uuid)
            if not self._store.keys.of(contact.uuid):
                self._presence.forget(contact.uuid)
        self._expect()
        self._presence.touch(contact.uuid or self._own.uuid)

    # What `neighbours` does.

    def start(self) -> None:
        """Take up what an earlier run left."""
        self.moved()

    def moved(self) -> None:
        """The network is another one: everything may be elsewhere, and whoever was not there may be now."""
        with self._lock:
            self._tries.clear()
        for contact in self._store.contacts.all():
            if contact.uuid is not None:
                self._tell(contact.uuid)
                self._presence.touch(contact.uuid)
            if contact.key is None and contact.uuid is not None:
                self._finder.find(contact)  # a name may mean another address here
        self._expect()

    def follow(self, uuid: PeerId) -> None:
        """Something has changed about `uuid`: a key that one of its codes names may have shown up."""
        contacts = self._store.contacts.of(uuid)
        if self._tell(uuid):
            self._expect()
        for key in self._store.keys.of(uuid):
            if any(one.verifies and one.key == key.certificate.key_sha256 for one in contacts):
                try:
                    self._people.verify_by_code(key)
                except Conflict:  # the user has just decided something else, or another thread was faster
                    return

    def next_try(self) -> float:
        """When somebody is due to be looked for again (monotonic)."""
        with self._lock:
            return min((self._due(one) for one in self._store.contacts.all()), default=_NEVER)

    def retry(self) -> None:
        """Look for those who are due."""
        now = time.monotonic()
        with self._lock:
            due = [one for one in self._store.contacts.all() if self._due(one) <= now]
        for contact in due:
            self._try(contact)

    def publish(self) -> None:
        """A `contacts` event with those that have changed since the last call."""
        rows = {row["id"]: row for row in self.all()}
        changed = [row for name, row in rows.items() if self._published.get(name) != row]
        gone = [name for name in self._published if name not in rows]
        self._published = rows
        if changed or gone:
            self._events.publish("contacts", {"contacts": changed, "gone": gone})

    # Parts of the above.

    def _begin(self, contact: Contact) -> dict[str, Any]:
        """The first try, and CONTACT."""
        with self._lock:
            self._tries.pop(contact.number, None)
        contact = self._store.contacts.get(contact.number)  # it may be found by now
        if not self._is_found(contact):
            self._try(contact)
        self._expect()
        self._presence.touch(contact.uuid or self._own.uuid)  # `neighbours` has another `next_try`
        return self._shape(contact)

    def _due(self, contact: Contact) -> float:
        """When it is to be tried again; the lock is held."""
        if self._is_found(contact):
            return _NEVER
        planned = self._tries.get(contact.number)
        return 0.0 if planned is None else planned.at

    def _try(self, contact: Contact) -> None:
        with self._lock:
            last = self._tries.get(contact.number)
            first, most = self._limits.contact_retry_first_seconds, self._limits.contact_retry_most_seconds
            pause = first if last is None else min(most, 2 * last.pause)
            after = pause * random.uniform(0.75, 1.0)  # noqa: S311 (no secret)
            self._tries[contact.number] = _Try(time.monotonic() + after, pause)
        if contact.key is None:
            self._finder.find(contact)
        elif contact.uuid is not None:
            self._tell(contact.uuid)
            self._looker.look(contact.uuid, urgent=True)

    def _tell(self, uuid: PeerId) -> bool:
        """Let `presence` know where `uuid` was said to be, if that has changed; whether it has."""
        found = (end for one in self._store.contacts.of(uuid) for end in self._where(one))
        endpoints = tuple(dict.fromkeys(found))
        with self._lock:
            if self._told.get(uuid, ()) == endpoints:
                return False
            if endpoints:
                self._told[uuid] = endpoints
            else:
                del self._told[uuid]
            if endpoints or self._presence.of(uuid) is not None:
                self._presence.add(uuid, endpoints)
            return True

    def _expect(self) -> None:
        """Whoever comes from where somebody was added may ask for the user."""
        contacts = self._store.contacts.all()
        self._neighbourhood.expect(end.host for contact in contacts for end in self._where(contact))

    def _where(self, contact: Contact) -> list[Endpoint]:
        found = self._finder.where(contact)
        if contact.key is None:
            return found
        return [end for end in found if not _is_loopback(end) or self._neighbourhood.is_next_to(end.host)]

    def _is_found(self, contact: Contact) -> bool:
        if contact.key is None or contact.uuid is None:
            return contact.uuid is not None
        keys = self._store.keys.of(contact.uuid)
        return not contact.verifies and any(key.certificate.key_sha256 == contact.key for key in keys)

    def _shape(self, contact: Contact) -> dict[str, Any]:
        where = None if contact.uuid is None else self._presence.of(contact.uuid)
        tried = where.endpoints if where is not None else self._finder.typed(contact)
        return shapes.contact(contact, self._is_found(contact), self._attempts.trouble(tried))


def _is_loopback(endpoint: Endpoint) -> bool:
    return ipaddress.ip_address(endpoint.host).is_loopback
