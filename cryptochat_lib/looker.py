"""Looking at people: learning a certificate before anything is presented to it.

Who is looked at: peers announced in a room that we are in, and those whom the
user wants to reach; at their announced addresses, which discovery has limited
to this link. Not more often than once in 30 s for one UUID, address and port,
and 8 at a time, so that nobody can use us to knock at other doors.

Both sides look at each other, so both servers learn the other's certificate
and let its handshake through to the gate.

Threads: `look` runs on any thread; up to 8 workers named `look` do the looking
and end when nothing is left to look at. `_lock` guards all fields, never while
a look goes on.
"""

from __future__ import annotations

import logging
import threading
import time

from . import peer_client
from .errors import CryptoChatError, UnacceptableCertificate
from .limits import Limits
from .model import Endpoint, KnownKey, PeerId, Trust
from .presence import Presence, Whereabouts
from .store import Store
from .tls import ServerTls
from .verification import ASKED, QUEUED, Verification

_log = logging.getLogger(__name__)
_LOOKED_AT_MOST = 4096


class Looker:
    """Looks at peers. Make it, `look`, `close` it."""

    def __init__(
        self,
        presence: Presence,
        store: Store,
        verification: Verification,
        server_tls: ServerTls,
        own: PeerId,
        limits: Limits,
    ) -> None:
        self._presence = presence
        self._store = store
        self._verification = verification
        self._server_tls = server_tls
        self._own = own
        self._limits = limits
        self._lock = threading.Lock()
        self._looked: dict[tuple[PeerId, Endpoint], float] = {}
        self._wanted: set[PeerId] = set()
        self._due_peers: dict[PeerId, bool] = {}  # in the order of asking; whether to look again
        self._workers = 0
        self._closed = False

    def start(self) -> None:
        """Let the handshakes of everybody we remember through."""
        self._server_tls.replace(key.certificate for key in self._store.keys.all())

    def look(self, uuid: PeerId, asked: bool = False, again: bool = False) -> None:
        """Look at `uuid` soon, unless its key is known and none of its addresses is new.

        `asked`: the user wants to reach it, so a key that is found is a question.
        `again`: something suggests another key, so a known one does not suffice.
        """
        if uuid == self._own:
            return
        if asked:
            for key in self._store.keys.of(uuid):
                self._verification.ask(key, ASKED)
        with self._lock:
            if asked:
                self._wanted.add(uuid)
                self._never_looked(uuid)
            if len(self._due_peers) >= self._limits.announced_peers:
                return
            self._due_peers[uuid] = again or self._due_peers.get(uuid, False)
            if self._closed or self._workers >= self._limits.looks_at_once:
                return
            self._workers += 1
        threading.Thread(target=self._work, name="look", daemon=True).start()

    def look_for_wanted(self) -> None:
        """Look again at those whom the user wants to reach and whom no look has found yet."""
        with self._lock:
            wanted = list(self._wanted)
        for uuid in wanted:
            self.look(uuid)

    def look_at_address(self, host: str) -> None:
        """Somebody unknown came from `host`: look at whoever is announced there."""
        for where in self._presence.announced_at(host):
            self.look(where.uuid)

    def forgotten(self, uuid: PeerId) -> None:
        """Keys of `uuid` are gone: close the door to them, and look anew when there is reason to."""
        with self._lock:
            self._wanted.discard(uuid)
            self._never_looked(uuid)
        self.start()

    def close(self) -> None:
        """Start no more looks; those that run end by their own deadlines."""
        with self._lock:
            self._closed = True

    def _work(self) -> None:
        try:
            while (due := self._next()) is not None:
                where = self._presence.of(due[0])
                if where is not None:
                    self._look_at(where, due[1])
        except Exception:  # the top of a thread
            _log.exception("a look failed")
            with self._lock:
                self._workers -= 1
        finally:
            self._store.database.close_thread()

    def _next(self) -> tuple[PeerId, bool] | None:
        """Who is due, or None: then this worker ends."""
        with self._lock:
            if self._closed or not self._due_peers:
                self._workers -= 1
                return None
            uuid = next(iter(self._due_peers))
            return uuid, self._due_peers.pop(uuid)

    def _look_at(self, where: Whereabouts, again: bool) -> None:
        known = self._store.keys.of(where.uuid)
        for endpoint in where.endpoints:
            pinned_there = any(k.trust is Trust.VERIFIED and k.answered_at == endpoint for k in known)
            if (pinned_there and not again) or not self._due(where.uuid, endpoint):
                continue
            try:
                certificate = peer_client.look(endpoint, self._limits)
                if certificate.uuid != where.uuid:
                    raise UnacceptableCertificate("its certificate names another peer")
            except CryptoChatError as error:
                _log.debug("look at %s: %s", endpoint, error)
                continue
            key, out = self._verification.learn(certificate, endpoint.host, self._store.queue.waits_for)
            self._store.keys.set_answered(key, endpoint)
            self._admit_to_handshakes(key, out)
            if key not in out:
                self._ask(key, where, endpoint)
            # A handshake proves the key: a verified one has answered here.
            self._presence.reached(where.uuid, endpoint if key.trust is Trust.VERIFIED else None)
            return

    def _never_looked(self, uuid: PeerId) -> None:
        """Make `uuid` due at once; under the lock."""
        self._looked = {k: at for k, at in self._looked.items() if k[0] != uuid}

    def _due(self, uuid: PeerId, endpoint: Endpoint) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._looked.get((uuid, endpoint), -1e9) < self._limits.look_again_seconds:
                return False
            while len(self._looked) >= _LOOKED_AT_MOST:
                del self._looked[next(iter(self._looked))]
            self._looked.pop((uuid, endpoint), None)
            self._looked[uuid, endpoint] = now
            return True

    def _admit_to_handshakes(self, key: KnownKey, out: list[KnownKey]) -> None:
        if out:
            self._server_tls.replace(k.certificate for k in self._store.keys.all())
        elif key.trust is not Trust.REJECTED:
            self._server_tls.trust(key.certificate)

    def _ask(self, key: KnownKey, where: Whereabouts, endpoint: Endpoint) -> None:
        with self._lock:
            asked = where.uuid in self._wanted
            self._wanted.discard(where.uuid)
        if asked or self._store.queue.waits_for(where.uuid):
            self._verification.ask(key, ASKED if asked else QUEUED, where.name, str(endpoint))
