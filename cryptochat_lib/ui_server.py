"""The UI server: loopback HTTP for one user, with the page, its API and its events.

For each connection: whose it is (`accounts`). For each request: the guard
(`guard`), the token (`session`), the route, the body, and the answer. The routes
are the table in `ui_api`; what they do lives in the use cases.
"""

from __future__ import annotations

from . import accounts, guard
from .connections import Connection, Connections
from .errors import AnotherAccount
from .http_head import Head
from .limits import Limits
from .model import Endpoint
from .page import read_files
from .routing import Reply, Request
from .serving import Handler, Server
from .store import Store
from .ui_api import UiApi

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class UiServer(Server):
    """The UI server on one loopback address."""

    thread_name = "ui"
    headers = _HEADERS

    def __init__(
        self, endpoint: Endpoint, api: UiApi, connections: Connections, store: Store, limits: Limits
    ) -> None:
        self._api = api
        self._files = read_files()
        super().__init__(endpoint, connections, store.database, limits)
        self._hosts = guard.own_hosts(endpoint.host, self.port)

    @property
    def url(self) -> str:
        """Where a browser finds the page."""
        host, port = self.server_address[:2]
        return f"http://{Endpoint(str(host), int(port))}/"

    def is_friend(self, host: str) -> bool:
        """Nobody, until the token is shown."""
        return False

    def prepare(self, connection: Connection) -> bool:
        """Ask whose it is, once: that does not change."""
        connection.foreign = accounts.is_another(connection.socket)
        return True

    def answer(self, handler: Handler, head: Head) -> Reply:
        """Nothing to another account. The guard, the page's files, and behind the token the routes."""
        if handler.request.foreign:
            raise AnotherAccount()
        length = guard.check(head, self._hosts, self.limits.body_bytes)
        if head.method == "GET" and head.segments in self._files:
            return self._files[head.segments]
        self._require_token(handler, head)
        route, params = self._api.routes.find(head)
        return route.handle(Request(head, params, handler.read_body(length)))

    def _require_token(self, handler: Handler, head: Head) -> None:
        """Of every request but the one that exchanges a code for the token."""
        if (head.method, head.segments) != ("POST", ("api", "session")):
            self._api.session.check(head.one("authorization"))
            self.connections.identify(handler.request, "token", friend=True)
