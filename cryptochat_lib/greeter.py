"""Greeting: presence and membership over the connection between verified peers, with mDNS or without.

A greeting is one exchange, `POST /v1/presence` (docs/PROTOCOL.md, section 6.1). What it says is in
`greetings`, when it is due in `timetable`; here it is called, and answered. What comes of a call:

    200                    an exchange: the peer's own word, and what it passes on, is taken in
    403, TLS refused       it has not verified us. It is there; nobody was asked because of us;
                           as far as membership goes, mDNS counts again
    404, 405, 501          it does not know greetings: no more of them in this run
    no connection          it is away
    none in time           it is away if that happens twice: it may only have been slow

So who is there is decided by our own contact. Greeted is whom the user has verified, if it knows our
additions. Each greeting is a connection of its own, which ends with it. Kept is, while it answers, a
TLS context for that one key: making one costs more than the handshake.

Threads: `neighbours` keeps the clock (`tick`), up to 4 workers named `greet` call, and end when nobody
is due; a peer's request is answered on its own thread. `_lock` guards all fields, never while
anything is sent, stored or told.
"""

from __future__ import annotations

import logging
import threading
import time

from . import greeting
from .attempts import UNDECIDED
from .delivery import Means, knows_ours
from .errors import CertificateChanged, CryptoChatError, NoConnection, NotAllowed, TlsRefused, Unreachable
from .greeting import Greeting
from .greetings import Greetings
from .looker import Looker
from .model import Endpoint, KnownKey, PeerId
from .peer_client import PeerClient, Reply
from .timetable import NEVER, Timetable
from .whereabouts import Reach
from .workers import start_workers

_log = logging.getLogger(__name__)

PATH = "/v1/presence"

_UNKNOWN_REQUEST = (404, 405, 501)
_END_SECONDS = 0.5
_FAREWELLS_AT_ONCE = 8


class Greeter:
    """Greets peers, and answers them. `follow` and `tick` it, `close` it."""

    def __init__(self, means: Means, greetings: Greetings, looker: Looker) -> None:
        self._means = means
        self._greetings = greetings
        self._looker = looker
        self._presence = means.presence
        self._keys = means.store.keys
        self._limits = means.limits
        self._lock = threading.Lock()
        self._timetable = Timetable(means.limits)
        self._clients: dict[PeerId, PeerClient] = {}  # of those whom nobody is greeting now
        self._farewells: list[PeerId] = []
        self._ended = threading.Condition(self._lock)  # a worker has
        self._workers = 0
        self._wakes_at = NEVER  # when `tick` comes by itself
        self._closed = False

    # What makes a greeting due.

    def follow(self, uuid: PeerId) -> None:
        """Something about `uuid` has changed."""
        where, key = self._presence.of(uuid), self._keys.verified(uuid)
        with self._lock:
            if where is not None and key is not None and knows_ours(key, where):
                self._timetable.follow(where, time.monotonic())
            else:
                self._timetable.drop(uuid)
                self._clients.pop(uuid, None)
        if key is None:
            self._greetings.forget(uuid)

    def announce(self) -> None:
        """We have joined or left a room, or have another name: whoever is there is told."""
        there = {where.uuid for where in self._presence.all() if where.online}
        with self._lock:
            self._timetable.change(there, time.monotonic())

    def moved(self) -> None:
        """The network has changed."""
        with self._lock:
            self._timetable.moved(time.monotonic())

    def hung_up(self, uuid: PeerId) -> None:
        """Its connection to us, on which more than greetings came, has ended."""
        where = self._presence.of(uuid)
        with self._lock:
            told = where is not None and where.told and not self._closed
            asks = told and self._timetable.hung_up(uuid, time.monotonic())
        if asks:
            self._nudge()
        else:
            self._presence.hung_up(uuid)

    def answer(self, key: KnownKey, body: bytes, address: str) -> bytes:
        """The answer to a greeting of a verified `key` from `address`. BadRequest, TooLarge."""
        said = greeting.parse(body, self._limits)
        self._greetings.came(key.uuid)
        self._take(key, said, address, time.monotonic(), by_us=False)
        return greeting.dump(self._greetings.say(key.uuid))

    # The clock, and the workers.

    def tick(self) -> float:
        """Begin what is due; in how many seconds something will be, or infinity."""
        now = time.monotonic()
        with self._lock:
            if self._closed or not self._limits.greetings_at_once:
                return NEVER
            due = self._timetable.due(now)
            new = max(0, min(self._limits.greetings_at_once - self._workers, due))
            self._workers += new
            self._wakes_at = self._timetable.first_after(now)
            wait = self._wakes_at - now
        self._start(new)
        return wait

    def close(self) -> None:
        """Say to those whom no mDNS goodbye reaches that we end; half a second at most."""
        there = [where for where in self._presence.all() if where.reach is Reach.REACHABLE]
        deaf = [w.uuid for w in there if not (w.announced and self._greetings.hears_us(w.uuid))]
        with self._lock:
            self._closed = True
            if self._limits.greetings_at_once:
                self._farewells = [uuid for uuid in deaf if self._timetable.knows(uuid)]
            new = min(_FAREWELLS_AT_ONCE, len(self._farewells))
            self._workers += new
        self._start(new)
        with self._ended:
            self._ended.wait_for(lambda: not self._workers, _END_SECONDS)
            self._farewells.clear()

    def _start(self, workers: int) -> None:
        missing = workers - start_workers("greet", self._work, workers)
        if missing:
            with self._lock:
                self._workers -= missing

    def _work(self) -> None:
        try:
            while (uuid := self._next()) is not None:
                self._guarded(uuid)
        finally:
            self._means.store.database.close_thread()
            with self._lock:
                self._workers -= 1
                self._ended.notify_all()
            self._nudge()

    def _next(self) -> PeerId | None:
        """Who is to be greeted now; None, and this worker ends."""
        with self._lock:
            if self._closed:
                return self._farewells.pop() if self._farewells else None
            return self._timetable.begin(time.monotonic())

    def _nudge(self) -> None:
        """Let the clock be looked at, if something is due before it would be."""
        with self._lock:
            now = time.monotonic()
            late = self._timetable.first_after(now) < self._wakes_at or (
                self._timetable.due(now) and not self._workers
            )
        if late:
            self._presence.nudge()

    # One greeting.

    def _guarded(self, uuid: PeerId) -> None:
        try:
            key = self._keys.verified(uuid)
            # Without one the user has taken the yes back, and may say it again.
            self._failed(uuid) if key is None else self._greet(key)
        except CryptoChatError as error:  # our own disk is full, say, which passes
            _log.debug("greeting %s: %s", uuid, error)
            self._failed(uuid)
        except Exception:  # the top of a thread
            _log.exception("a greeting failed")
            self._failed(uuid)
        finally:
            with self._lock:
                self._timetable.ended(uuid)

    def _greet(self, key: KnownKey) -> None:
        began = time.monotonic()
        try:
            reply = self._post(key)
        except TlsRefused:  # it does not know our certificate, and looks at us now
            self._undecided(key.uuid)
        except NotAllowed as error:
            if isinstance(error, CertificateChanged):
                self._looker.look(key.uuid, again=True)
            self._lost(key.uuid, began)
        except NoConnection:
            self._lost(key.uuid, began)
        except Unreachable:
            self._cut(key.uuid, began)
        else:
            self._judge(key, reply, began)

    def _post(self, key: KnownKey) -> Reply:
        """Its whole answer. Raises what `PeerClient.post` does."""

        def where() -> tuple[Endpoint, ...]:
            found = self._presence.of(key.uuid)
            return () if found is None else found.endpoints

        body = greeting.dump(self._greetings.say(key.uuid, leaving=self._closed))
        client = self._take_client(key)
        try:
            reply = client.post(where, PATH, body, self._limits.greeting_seconds)
        finally:
            client.close()
        with self._lock:
            self._clients[key.uuid] = client
        self._presence.reached(key.uuid, reply.endpoint)
        if reply.endpoint != key.answered_at:
            self._keys.set_answered(key, reply.endpoint)
        return reply

    def _take_client(self, key: KnownKey) -> PeerClient:
        """The one that was kept, or a new one."""
        with self._lock:
            kept = self._clients.pop(key.uuid, None)
        if kept is not None and kept.key.certificate == key.certificate:
            return kept
        return self._means.client(key)

    def _judge(self, key: KnownKey, reply: Reply, began: float) -> None:
        """What its answer means."""
        if reply.status == 200:
            try:
                said = greeting.parse(reply.body, self._limits)
            except CryptoChatError:  # a server that says yes to everything
                self._unknown(key.uuid)
            else:
                self._take(key, said, reply.endpoint.host, began)
        elif reply.status in _UNKNOWN_REQUEST:
            self._unknown(key.uuid)
        elif reply.status == 403:
            self._means.attempts.note(reply.endpoint, UNDECIDED)
            self._undecided(key.uuid)
        else:
            self._failed(key.uuid)

    def _take(self, key: KnownKey, said: Greeting, address: str, began: float, by_us: bool = True) -> None:
        """An exchange has taken place, whoever began it: the next is due after the usual time.

        First the time, then what it says: what changes here from now on is due by itself.
        """
        before = self._presence.of(key.uuid)
        announced = before is not None and before.announced and not said.leaving
        in_vain = before is not None and before.doubted and before.rooms == said.rooms
        with self._lock:
            self._timetable.exchanged(key.uuid, announced, in_vain, time.monotonic(), by_us)
        self._greetings.take(key, said, address, began)
        self._nudge()

    def _unknown(self, uuid: PeerId) -> None:
        self._means.attempts.decide(uuid, verified_us=True)
        with self._lock:
            self._timetable.unknown(uuid)
        self._presence.untell(uuid)

    def _undecided(self, uuid: PeerId) -> None:
        self._means.attempts.decide(uuid, verified_us=False)
        self._presence.untell(uuid)
        self._presence.touch(uuid)
        self._failed(uuid)

    def _lost(self, uuid: PeerId, began: float) -> None:
        """It was not reached by a try that `began` then: it is away."""
        if not self._closed:
            self._presence.failed(uuid, began)
        self._failed(uuid)

    def _cut(self, uuid: PeerId, began: float) -> None:
        """It answered, and went no further: once that says nothing."""
        with self._lock:
            first = not self._timetable.failures(uuid)
            if first:
                self._timetable.failed_once(uuid, time.monotonic())
        if not first:
            self._lost(uuid, began)

    def _failed(self, uuid: PeerId) -> None:
        with self._lock:
            self._timetable.failed(uuid, time.monotonic())
