"""One node without its edges: every part, made in the order of the bands, each handed what it uses.

Nothing starts here and nothing is global: `app` starts and stops what is made here, and puts the two
servers around it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Protocol

from .attempts import Attempts
from .chat import Chat
from .clones import Clones
from .comparer import Comparer
from .comparisons import Comparisons
from .connections import Connections
from .contacts import Contacts
from .delivery import Means
from .discovery import LinkHealth, Listener
from .doctor import Doctor
from .events import EventLog
from .finder import Finder
from .gates import Gates
from .greeter import Greeter
from .greetings import Greetings
from .hearsay import Hearsay
from .identity import Identity
from .limits import Limits
from .looker import Looker
from .model import Certificate
from .neighbourhood import Neighbourhood
from .neighbours import Neighbours
from .options import Options, login_name
from .outbox import Outbox
from .own_addresses import endpoints_now
from .people import People
from .presence import Presence
from .profile import Announces, Profile
from .roster import Roster
from .store import Store
from .tls import ServerTls
from .verification import Verification


class FindsPeers(Announces, Protocol):
    """What the program needs of discovery; tests put a network of their own here."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def listens_on(self, hosts: Collection[str] | None) -> None: ...
    def ask(self) -> None: ...
    def health(self) -> list[LinkHealth]: ...


MakeDiscovery = Callable[[Listener, Sequence[str], Limits], FindsPeers]


class Node:
    """The parts of one node, on an open `store`."""

    def __init__(
        self,
        identity: Identity,
        store: Store,
        options: Options,
        limits: Limits,
        make_discovery: MakeDiscovery,
    ) -> None:
        self.store = store
        self._options = options
        self._limits = limits
        self._make_discovery = make_discovery
        self._make_parts(identity.certificate)
        self._make_use_cases(identity)

    def _make_parts(self, own: Certificate) -> None:
        limits = self._limits
        self.events = EventLog(limits)
        self.events.start(self.store.messages.burn_number())
        self.presence = Presence(limits)
        self.attempts = Attempts()
        self.discovery = self._make_discovery(self.presence, self._options.interfaces, limits)
        self.connections = Connections(
            limits.peer_connections,
            limits.peer_connections_of_one_address,
            limits.peer_connections_unverified,
        )
        self.gates = Gates(limits)
        self.verification = Verification(
            own, self.store, self.events, self.presence, self.connections, self.gates, limits
        )

        self.neighbourhood = Neighbourhood(self._options.interfaces)
        self.comparisons = Comparisons(own, self.verification, self.gates, self.presence, limits)

    def _make_use_cases(self, identity: Identity) -> None:
        own, store, events, presence = identity.certificate, self.store, self.events, self.presence
        verification, limits, options = self.verification, self._limits, self._options
        self.server_tls = ServerTls(identity)
        self.clones = Clones(events)
        self.looker = Looker(
            presence,
            store,
            verification,
            self.server_tls,
            own,
            self.clones,
            self.comparisons,
            limits,
            self.attempts,
        )
        means = Means(identity, store, presence, verification, self.connections, self.attempts, limits)
        self.outbox = Outbox(means, self.looker, events)
        self.profile = Profile(
            own,
            store,
            presence,
            self.discovery,
            self._username(),
            options.announce_name,
            partial(endpoints_now, options.addr.host, options.interfaces),
            limits,
        )
        self.roster = Roster(
            self.profile,
            store,
            presence,
            verification.questions,
            self.comparisons,
            events,
            self.attempts,
        )
        self.chat = Chat(self.profile, store, events, presence, self.looker, self.outbox)
        self.comparer = Comparer(
            identity,
            self.comparisons,
            presence,
            verification,
            self.looker,
            self.connections,
            self.neighbourhood,
            limits,
            self.attempts,
        )
        self.people = People(
            store, presence, verification, self.comparisons, self.comparer, self.looker, self.outbox
        )
        hearsay = Hearsay(self.profile, store, presence, self.neighbourhood, limits)
        self.greetings = Greetings(identity, self.profile, store, presence, self.attempts, hearsay)
        self.greeter = Greeter(means, self.greetings, self.looker)
        self.finder = Finder(own, store, presence, self.looker, self.neighbourhood, self.attempts, limits)
        self.contacts = Contacts(
            self.profile,
            store,
            presence,
            self.people,
            self.looker,
            self.finder,
            self.neighbourhood,
            self.attempts,
            events,
            limits,
        )
        self.doctor = Doctor(
            self.discovery,
            self._options.interfaces,
            self.roster,
            presence,
            store.keys,
            self.attempts,
            self.profile,
            self.clones,
            self.neighbourhood,
            self.greetings,
            limits,
            self.contacts.all,
        )
        self.neighbours = Neighbours(
            self.profile,
            store,
            presence,
            verification,
            self.looker,
            self.outbox,
            self.roster,
            self.greeter,
            hearsay,
            self.contacts,
        )

    def _username(self) -> str:
        """The one that was asked for, which is stored; else the stored one; else the login name."""
        if self._options.username is not None:
            self.store.settings.set("username", self._options.username)
            return self._options.username
        return self.store.settings.get("username") or login_name()
