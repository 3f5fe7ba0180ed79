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
import time
import webbrowser
from collections.abc import Callable, Sequence
from typing import Protocol

from .chat import Chat
from .connections import Connections
from .delivery import Means
from .discovery import Discovery, Listener
from .events import EventLog
from .gates import Gates
from .identity import create_identity
from .limits import Limits
from .listening import bind, listen
from .looker import Looker
from .neighbours import Neighbours
from .options import Options, login_name
from .outbox import Outbox
from .peer_server import PeerApi, PeerServer
from .people import People
from .presence import Presence
from .profile import Announces, Profile
from .roster import Roster
from .session import Session
from .sse import EventStreams
from .store import Store
from .tls import ServerTls
from .ui_server import UiApi, UiServer
from .verification import Verification

_log = logging.getLogger(__name__)


class FindsPeers(Announces, Protocol):
    """What the program needs of discovery; tests put a network of their own here."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


MakeDiscovery = Callable[[Listener, Sequence[str], Limits], FindsPeers]


class App:
    """One node. `start` it, read `url`, `stop` it."""

    def __init__(
        self, options: Options, limits: Limits | None = None, make_discovery: MakeDiscovery = Discovery
    ) -> None:
        self.options = options
        self.limits = limits or Limits()
        self.store = Store(options.db, self.limits)
        self._make_discovery = make_discovery
        self._ends = contextlib.ExitStack()
        self.url = ""

    def start(self) -> None:
        """Start everything. When it returns, the UI answers and the peer port listens. StartupError."""
        try:
            with self.store.database.explaining():
                self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, in reverse order."""
        self._ends.close()

    def open_browser(self) -> None:
        """Open the page in the user's browser, without waiting for it."""
        redirect = self.session.write_redirect(self._ui.url)
        threading.Thread(
            target=webbrowser.open, args=(redirect.as_uri(),), name="browser", daemon=True
        ).start()

    def _start(self) -> None:
        options, limits = self.options, self.limits
        store = self.store
        store.open(create_identity)
        self._ends.callback(store.close)
        identity = store.settings.identity()
        own = identity.certificate

        self.events = events = EventLog(limits)
        events.start(store.messages.burn_number())
        self.presence = presence = Presence(limits)
        discovery = self._make_discovery(presence, options.interfaces, limits)
        peers = Connections(
            limits.peer_connections,
            limits.peer_connections_of_one_address,
            limits.peer_connections_unverified,
        )
        pages = Connections(limits.ui_connections, limits.ui_connections, limits.ui_connections)
        gates = Gates(limits)
        self.verification = Verification(own, store, events, presence, peers, gates, limits)
        server_tls = ServerTls(identity)

        looker = Looker(presence, store, self.verification, server_tls, own.uuid, limits)
        outbox = Outbox(Means(identity, store, presence, self.verification, peers, limits), looker, events)
        profile = Profile(
            own, store, presence, discovery, self._username(store), options.announce_name, limits
        )
        roster = Roster(profile, store, presence, self.verification, events)
        chat = Chat(profile, store, events, presence, self.verification, looker, outbox)
        people = People(store, presence, self.verification, looker, outbox)
        neighbours = Neighbours(profile, store, presence, self.verification, looker, outbox, roster)

        peer_api = PeerApi(store, chat, presence, self.verification, gates, looker, server_tls, limits)
        self.session = Session(options.db, limits)
        streams = EventStreams(events, store, self.verification, limits)
        ui_api = UiApi(profile, people, chat, roster, store, streams, self.session, limits)

        looker.start()
        self.peer_servers = listen(
            options.addr,
            options.interfaces,
            lambda endpoint: PeerServer(endpoint, peer_api, peers, store, limits),
        )
        for server in self.peer_servers:
            self._ends.callback(server.server_close)
        self._ui = bind(
            options.uiaddr, lambda endpoint: UiServer(endpoint, ui_api, pages, store, limits), "--uiaddr"
        )
        self._ends.callback(self._ui.server_close)

        self._begin(outbox.close)
        self._begin(lambda: _drain(peers, pages))
        self._begin(looker.close)
        self._begin(gates.close)
        self._begin(events.close)
        self._begin(neighbours.close, neighbours.start)
        for server in self.peer_servers:
            self._begin(server.stop, server.start)
        self._begin(self._ui.stop, self._ui.start)
        self._begin(discovery.stop, discovery.start)
        profile.start(self.peer_servers[0].port)
        self.url = f"{self._ui.url}#token={self.session.token}"
        self._begin(self.session.close, lambda: self.session.write_file(self._ui.url))

    def _begin(self, end: Callable[[], None], start: Callable[[], None] | None = None) -> None:
        """`start` a part now; `end` it when its turn comes."""
        self._ends.callback(end)
        if start is not None:
            start()

    def _username(self, store: Store) -> str:
        """The one that was asked for, which is stored; else the stored one; else the login name."""
        if self.options.username is not None:
            store.settings.set("username", self.options.username)
            return self.options.username
        return store.settings.get("username") or login_name()


def _drain(*all_connections: Connections) -> None:
    """End every connection, and wait a moment for their threads, which close their own sockets."""
    for connections in all_connections:
        connections.end_all()
    deadline = time.monotonic() + 0.5
    while any(len(connections) for connections in all_connections) and time.monotonic() < deadline:
        time.sleep(0.01)
