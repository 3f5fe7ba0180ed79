"""The whole program: a node with its two servers, started and stopped.

The parts are made by `node`. They start from the inside out, so that nobody knocks before
we can answer, and stop in reverse order: first the outside is told (files, mDNS goodbye),
then everyone who waits is released, then connections and threads end, and the database is
closed last.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import webbrowser
from collections.abc import Callable

from .connections import Connections, drain
from .discovery import Discovery
from .identity import Identity, create_identity
from .limits import Limits
from .listening import Listeners, bind
from .node import MakeDiscovery, Node
from .options import Options
from .peer_server import PeerApi, PeerServer
from .sealing import SealedIdentity
from .session import Session
from .sse import EventStreams
from .store import Store
from .terminal import Terminal
from .ui_api import UiApi
from .ui_server import UiServer

_log = logging.getLogger(__name__)


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
        self.node = Node(identity, self.store, self.options, self.limits, self._make_discovery)
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

    def _make_edges(self) -> None:
        """Both servers, bound but not yet answering."""
        options, store, limits = self.options, self.store, self.limits
        self.peer_api = PeerApi(
            store,
            self.node.chat,
            self.node.presence,
            self.node.verification,
            self.node.comparisons,
            self.node.gates,
            self.node.looker,
            self.node.server_tls,
            self.node.neighbourhood,
            self.node.greeter,
            limits,
        )
        self.session = Session(options.db, limits)
        streams = EventStreams(self.node.events, store, self.node.verification.questions, limits)
        self.ui_api = UiApi(
            self.node.profile,
            self.node.clones,
            self.node.people,
            self.node.contacts,
            self.node.chat,
            self.node.roster,
            store,
            streams,
            self.session,
            self.node.doctor,
            limits,
        )
        self.listeners = Listeners(
            options.addr,
            options.interfaces,
            lambda endpoint: PeerServer(endpoint, self.peer_api, self.node.connections, store, limits),
            self.node.discovery.listens_on,
            self.node.connections.end_stranded,
            int(store.settings.get("port") or 0),
        )
        self.listeners.open()
        store.settings.set("port", str(self.listeners.port))
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
        self._begin(self.node.outbox.join)
        self._begin(lambda: drain(self.node.connections, self.pages))
        self._begin(self.node.outbox.close)
        self._begin(self.node.looker.close, self.node.looker.let_in)
        self._begin(self.node.finder.close)
        self._begin(self.node.gates.close)
        self._begin(self.node.comparisons.close)
        self._begin(self.node.events.close)
        self._begin(self.node.neighbours.close, self.node.neighbours.start)
        self._begin(self.listeners.stop, self.listeners.start)
        self._begin(self.ui_server.stop, self.ui_server.start)
        self._begin(self.node.greeter.close)
        self._begin(self.node.discovery.stop, self.node.discovery.start)
        self.node.profile.start(self.listeners.port)
        self.url = f"{self.ui_server.url}#token={self.session.token}"
        self._begin(self.session.close, lambda: self.session.write_file(self.ui_server.url))

    def _begin(self, end: Callable[[], None], start: Callable[[], None] | None = None) -> None:
        """`start` a part now; `end` it when its turn comes."""
        self._ends.callback(end)
        if start is not None:
            start()
