"""The whole program: makes, starts and stops every part. The only place that knows all of them.

Parts are made in the order of the bands, each handed what it uses; none is
global. They start from the inside out, so that nobody knocks before we can
answer, and stop in reverse order: first the outside is told (files, mDNS
goodbye), then everyone who waits is released, then connections and threads
end, and the database is closed last.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import webbrowser
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Protocol

from .attempts import Attempts
from .chat import Chat
from .clones import Clones
from .comparer import Comparer
from .comparisons import Comparisons
from .connections import Connections, drain
from .contacts import Contacts
from .delivery import Means
from .discovery import Discovery, LinkHealth, Listener
from .doctor import Doctor
from .events import EventLog
from .finder import Finder
from .gates import Gates
from .greeter import Greeter
from .greetings import Greetings
from .hearsay import Hearsay
from .identity import Identity, create_identity
from .interfaces import Neighbourhood
from .limits import Limits
from .listening import Listeners, bind
from .looker import Looker
from .model import Certificate
from .neighbours import Neighbours
from .options import Options, login_name
from .outbox import Outbox
from .own_addresses import endpoints_now
from .peer_server import PeerApi, PeerServer
from .people import People
from .presence import Presence
from .profile import Announces, Profile
from .roster import Roster
from .sealing import SealedIdentity
from .session import Session
from .sse import EventStreams
from .store import Store
from .terminal import Terminal
from .tls import ServerTls
from .ui_api import UiApi
from .ui_server import UiServer
from .verification import Verification

_log = logging.getLogger(__name__)


class FindsPeers(Announces, Protocol):
    """What the program needs of discovery; tests put a network of their own here."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def listens_on(self, hosts: Collection[str] | None) -> None: ...
    def ask(self) -> None: ...
    def health(self) -> list[LinkHealth]: ...


MakeDiscovery = Callable[[Listener, Sequence[str], Limits], FindsPeers]


class App:
    """One node. `start` it, read `url`, `stop` it."""

    def __init__(
        self,
        options: Options,
        limits: Limits | None = None,
        make_discovery: MakeDiscovery = Discovery,
        terminal: Terminal | None = None,
    ) -> None:
        self.options = options
        self.limits = limits or Limits()
        self.store = Store(options.db, self.limits)
        self._make_discovery = make_discovery
        self._terminal = terminal or Terminal()
        self._ends = contextlib.ExitStack()
        self.url = ""

    def start(self) -> None:
        """Start everything. When it returns, the UI answers and the peer port listens. StartupError."""
        try:
            with self.store.explaining():
                self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, in reverse order."""
        self._ends.close()

    def open_browser(self) -> None:
        """Open the page in the user's browser, without waiting for it."""
        redirect = self.session.write_redirect(self.ui_server.url)
        threading.Thread(
            target=webbrowser.open, args=(redirect.as_uri(),), name="browser", daemon=True
        ).start()

    def _start(self) -> None:
        """Band by band; see the package's docstring."""
        identity = self._open_store()
        self._make_parts(identity.certificate)
        self._make_use_cases(identity)
        self._make_edges()
        self._begin_all()

    def _open_store(self) -> Identity:
        self.store.open(create_identity)
        self._ends.callback(self.store.close)
        identity, descriptor = self.store.settings.identity(), self.options.passphrase_fd
        if isinstance(identity, SealedIdentity):
            return self._terminal.open(identity, descriptor)
        if descriptor is not None:
            _log.warning("a passphrase is handed over, but none is set: the key is stored in the clear")
        return identity

    def _make_parts(self, own: Certificate) -> None:
        limits = self.limits
        self.events = EventLog(limits)
        self.events.start(self.store.messages.burn_number())
        self.presence = Presence(limits)
        self.attempts = Attempts()
        self.discovery = self._make_discovery(self.presence, self.options.interfaces, limits)
        self.connections = Connections(
            limits.peer_connections,
            limits.peer_connections_of_one_address,
            limits.peer_connections_unverified,
        )
        self.gates = Gates(limits)
        self.verification = Verification(
            own, self.store, self.events, self.presence, self.connections, self.gates, limits
        )

        self.neighbourhood = Neighbourhood(self.options.interfaces)
        self.comparisons = Comparisons(own, self.verification, self.gates, self.presence, limits)

    def _make_use_cases(self, identity: Identity) -> None:
        own, store, events, presence = identity.certificate, self.store, self.events, self.presence
        verification, limits, options = self.verification, self.limits, self.options
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
        self.doctor = Doctor(
            self.discovery,
            self.options.interfaces,
            self.roster,
            presence,
            store.keys,
            self.attempts,
            self.profile,
            self.clones,
            self.neighbourhood,
            self.greetings,
            limits,
        )
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

    def _make_edges(self) -> None:
        """Both servers, bound but not yet answering."""
        options, store, limits = self.options, self.store, self.limits
        self.peer_api = PeerApi(
            store,
            self.chat,
            self.presence,
            self.verification,
            self.comparisons,
            self.gates,
            self.looker,
            self.server_tls,
            self.neighbourhood,
            self.greeter,
            limits,
        )
        self.session = Session(options.db, limits)
        streams = EventStreams(self.events, store, self.verification.questions, limits)
        self.ui_api = UiApi(
            self.profile,
            self.clones,
            self.people,
            self.contacts,
            self.chat,
            self.roster,
            store,
            streams,
            self.session,
            self.doctor,
            limits,
        )
        self.listeners = Listeners(
            options.addr,
            options.interfaces,
            lambda endpoint: PeerServer(endpoint, self.peer_api, self.connections, store, limits),
            self.discovery.listens_on,
            self.connections.end_stranded,
        )
        self.listeners.open()
        self._ends.callback(self.listeners.close)
        most = limits.ui_connections
        self.pages = Connections(most, most, most, oldest_makes_way=True)
        self.ui_server = bind(
            options.uiaddr,
            lambda endpoint: UiServer(endpoint, self.ui_api, self.pages, store, limits),
            "--uiaddr",
        )
        self._ends.callback(self.ui_server.server_close)

    def _begin_all(self) -> None:
        """Start from the inside out. Read from below, this is the order of the end."""
        self._begin(self.outbox.join)
        self._begin(lambda: drain(self.connections, self.pages))
        self._begin(self.outbox.close)
        self._begin(self.looker.close, self.looker.let_in)
        self._begin(self.finder.close)
        self._begin(self.gates.close)
        self._begin(self.comparisons.close)
        self._begin(self.events.close)
        self._begin(self.neighbours.close, self.neighbours.start)
        self._begin(self.listeners.stop, self.listeners.start)
        self._begin(self.ui_server.stop, self.ui_server.start)
        self._begin(self.greeter.close)
        self._begin(self.discovery.stop, self.discovery.start)
        self.profile.start(self.listeners.port)
        self.url = f"{self.ui_server.url}#token={self.session.token}"
        self._begin(self.session.close, lambda: self.session.write_file(self.ui_server.url))

    def _begin(self, end: Callable[[], None], start: Callable[[], None] | None = None) -> None:
        """`start` a part now; `end` it when its turn comes."""
        self._ends.callback(end)
        if start is not None:
            start()

    def _username(self) -> str:
        """The one that was asked for, which is stored; else the stored one; else the login name."""
        if self.options.username is not None:
            self.store.settings.set("username", self.options.username)
            return self.options.username
        return self.store.settings.get("username") or login_name()
