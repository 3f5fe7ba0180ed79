"""Looking at people: learning a certificate before anything is presented to it.

Who is looked at: peers announced in a room that we are in, and those whom the
user wants to reach; at their announced addresses, which discovery has limited
to this link, and at those that the user has added. Both sides look at each other, so
both servers learn the other's certificate and let its handshake through to the gate.

Where somebody else announces *us* we look, too (`look_at_claim`): whoever holds our
key there, and is not this very program behind some relay, is a copy of us (`clones`).

Announcements are anybody's, so looks are bounded, and share what there is:

- a UUID at one address and port: once in 30 s;
- 8 at a time, 2 of them at one address, so that silent addresses hold up nobody;
- first whom the user wants to reach and whoever has just knocked, last the
  addresses that were slow lately.

Threads: `look` runs on any thread; up to 8 workers named `look` do the looking
and end when nothing is left to look at. `_lock` guards all fields, never while
a look goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import TypeVar

from . import peer_client
from .attempts import WRONG_KEY, Attempts
from .clones import Clones
from .comparisons import Comparisons
from .errors import CryptoChatError, UnacceptableCertificate
from .limits import Limits
from .model import Certificate, Endpoint, KnownKey, PeerId, Trust
from .presence import Presence
from .questions import ASKED, QUEUED
from .store import Store
from .tls import ServerTls
from .verification import Verification
from .workers import start_workers

_log = logging.getLogger(__name__)

_REMEMBERED_AT_MOST = 4096
_SLOW_SECONDS = 1.0

T = TypeVar("T")
_Look = tuple[PeerId, Endpoint]


class Looker:
    """Looks at peers. Make it, `let_in`, `look`, `close` it."""

    def __init__(
        self,
        presence: Presence,
        store: Store,
        verification: Verification,
        server_tls: ServerTls,
        own: Certificate,
        clones: Clones,
        comparisons: Comparisons,
        limits: Limits,
        attempts: Attempts,
    ) -> None:
        self._presence = presence
        self._store = store
        self._verification = verification
        self._server_tls = server_tls
        self._own = own
        self._clones = clones
        self._comparisons = comparisons
        self._limits = limits
        self._attempts = attempts
        self._lock = threading.Lock()
        self._looked: dict[_Look, float] = {}  # when, of the monotonic clock; the latest is last
        self._slow: dict[str, float] = {}  # addresses whose look took long and failed, and when
        self._wanted: set[PeerId] = set()
        self._due: dict[_Look, bool] = {}  # in the order of asking; whether it is urgent
        self._busy: Counter[str] = Counter()  # the looks that go on at each address
        self._workers = 0
        self._closed = False

    def let_in(self) -> None:
        """Let the handshakes of exactly those whom we remember through."""
        self._server_tls.replace(lambda: [key.certificate for key in self._store.keys.all()])

    def look(
        self,
        uuid: PeerId,
        asked: bool = False,
        again: bool = False,
        knocked_at: str | None = None,
        urgent: bool = False,
    ) -> None:
        """Look at `uuid` soon, wherever it is announced and its verified key has not answered already.

        `asked`: the user wants to reach it, so a key that is found is a question.
        `again`: something suggests another key, so what has answered does not suffice.
        `knocked_at`: the address from which it has just come.
        `urgent`: at once, also if we have just looked; whoever is found is no question by that.
        """
        if uuid == self._own.uuid:
            return
        keys = self._store.keys.of(uuid)
        if asked:
            for key in keys:
                self._verification.questions.ask(key, ASKED)
        where = self._presence.of(uuid)
        known = {k.answered_at for k in keys if k.trust is Trust.VERIFIED and not again}
        with self._lock:
            if asked:
                self._wanted.add(uuid)
            if asked or urgent:
                self._looked = {look: at for look, at in self._looked.items() if look[0] != uuid}
            for endpoint in where.endpoints if where else ():
                if endpoint not in known:
                    self._add((uuid, endpoint), urgent=asked or urgent or endpoint.host == knocked_at)
        self._begin()

    def look_at_claim(self, endpoint: Endpoint) -> None:
        """Somebody announces us at `endpoint`, where we are not."""
        own = self._own.uuid
        if self._clones.found is not None:
            return
        with self._lock:
            if sum(uuid == own for uuid, _ in self._due) < self._limits.looks_at_once:
                self._add((own, endpoint), urgent=False)
        self._begin()

    def look_for_wanted(self) -> None:
        """Look again at those whom the user wants to reach and whom no look has found yet."""
        with self._lock:
            wanted = list(self._wanted)
        for uuid in wanted:
            self.look(uuid)

    def look_at_address(self, host: str) -> None:
        """Somebody unknown came from `host`: look at whoever may be there."""
        for where in self._presence.expected_at(host):
            self.look(where.uuid, knocked_at=host)

    def forgotten(self, uuid: PeerId) -> None:
        """Keys of `uuid` are gone: close the door to them, and look anew when there is reason to."""
        with self._lock:
            self._wanted.discard(uuid)
            self._looked = {look: at for look, at in self._looked.items() if look[0] != uuid}
        self.let_in()

    def close(self) -> None:
        """Start no more looks; those that run end by their own deadlines."""
        with self._lock:
            self._closed = True

    def _add(self, look: _Look, urgent: bool) -> None:
        """Make `look` due, under the lock, unless it was made lately or too many are due."""
        lately = time.monotonic() - self._limits.look_again_seconds
        if self._looked.get(look, lately) > lately or len(self._due) >= _REMEMBERED_AT_MOST:
            return
        self._due[look] = urgent or self._due.get(look, False)

    def _begin(self) -> None:
        """Start as many workers as there is work for."""
        with self._lock:
            new = 0 if self._closed else min(self._limits.looks_at_once, len(self._due)) - self._workers
            self._workers += max(0, new)
        missing = max(0, new) - start_workers("look", self._work, new)
        if missing:
            with self._lock:
                self._workers -= missing

    def _work(self) -> None:
        try:
            while (look := self._next()) is not None:
                self._guarded(look)
        finally:
            self._store.database.close_thread()

    def _next(self) -> _Look | None:
        """The next look, begun; or None, and this worker ends: whoever is at work takes what is left."""
        with self._lock:
            free = [
                look for look in self._due if self._busy[look[1].host] < self._limits.looks_at_one_address
            ]
            if self._closed or not free:
                self._workers -= 1
                return None
            slow = time.monotonic() - self._limits.look_again_seconds
            look = min(free, key=lambda x: (not self._due[x], self._slow.get(x[1].host, slow) > slow))
            del self._due[look]
            _remember(self._looked, look)
            self._busy[look[1].host] += 1
            return look

    def _guarded(self, look: _Look) -> None:
        """One look, and what it leaves behind for the next ones."""
        uuid, endpoint = look
        began = time.monotonic()
        before = self._attempts.trouble((endpoint,))
        found = False
        try:
            found = self._look_at(uuid, endpoint)
        except CryptoChatError as error:
            _log.debug("look at %s: %s", endpoint, error)
        except Exception:  # the top of a thread; a full disk, say, which passes
            _log.exception("a look failed")
        if self._attempts.trouble((endpoint,)) != before:  # only then: whoever follows changes looks again
            self._presence.touch(uuid)
        with self._lock:
            self._busy -= Counter((endpoint.host,))
            if found:  # one address that answers is enough, except where somebody knocked
                self._due = {x: urgent for x, urgent in self._due.items() if urgent or x[0] != uuid}
            elif time.monotonic() - began > _SLOW_SECONDS:
                _remember(self._slow, endpoint.host)

    def _look_at(self, uuid: PeerId, endpoint: Endpoint) -> bool:
        """Whether a key was learned that is remembered. Raises Unreachable, UnacceptableCertificate."""
        if uuid == self._own.uuid:
            return self._look_at_us(endpoint)
        certificate = peer_client.look(endpoint, self._limits, self._attempts)
        if certificate.uuid != uuid:
            self._attempts.note(endpoint, WRONG_KEY)
            raise UnacceptableCertificate("its certificate names another peer")
        return self.meet(certificate, endpoint)

    def meet(self, certificate: Certificate, endpoint: Endpoint, asked: bool = False) -> bool:
        """A look at `endpoint` has shown this: remember it, and say whether it is. `asked`: as in `look`."""
        uuid = certificate.uuid
        if asked:
            with self._lock:
                self._wanted.add(uuid)
        key, out = self._verification.learn(
            certificate, endpoint.host, self._is_wanted, self._comparisons.fingerprints()
        )
        if out:
            self.let_in()
        if key in out:
            return False
        self._store.keys.set_answered(key, endpoint)
        self._server_tls.trust(certificate)
        self._ask(key, endpoint)
        # A handshake proves the key: a verified one has answered here. (It may be that since `learn`.)
        verified = self._store.keys.verified(uuid)
        is_friend = verified is not None and verified.certificate == certificate
        self._presence.reached(uuid, endpoint if is_friend else None)
        return True

    def _look_at_us(self, endpoint: Endpoint) -> bool:
        """Whether another program than this one holds our key, at `endpoint`. Raises Unreachable."""
        if peer_client.look(endpoint, self._limits, self._attempts, self._server_tls.mark) != self._own:
            return False
        self._clones.notice(endpoint)
        return True

    def _is_wanted(self, uuid: PeerId) -> bool:
        """Whether the user wants to reach `uuid`: said so, or has written something."""
        with self._lock:
            wanted = uuid in self._wanted
        return wanted or self._store.queue.waits_for(uuid) or bool(self._store.contacts.of(uuid))

    def _ask(self, key: KnownKey, endpoint: Endpoint) -> None:
        with self._lock:
            asked = key.uuid in self._wanted
            self._wanted.discard(key.uuid)
        if asked or self._store.queue.waits_for(key.uuid):
            where = self._presence.of(key.uuid)
            name = where.name if where else None
            self._verification.questions.ask(key, ASKED if asked else QUEUED, name, str(endpoint))


def _remember(times: dict[T, float], what: T) -> None:
    """Note that `what` happens now, and forget what is longest ago when there is too much."""
    times.pop(what, None)
    while len(times) >= _REMEMBERED_AT_MOST:
        del times[next(iter(times))]
    times[what] = time.monotonic()
