"""The peer API: HTTPS between machines, with client certificates.

The other half of `peer_client`. For each connection, in its own thread:

    1. a place among the connections (`serving`, `connections`);
    2. the TLS handshake, under its deadline. A client whose certificate we have
       not seen is refused by OpenSSL; we take that as a hint to look at whoever
       is announced at its address, and it comes again;
    3. for every request: `verification.admit`, which may wait at the gate for
       the user while the body stays unread. For who is not next to us it neither
       waits nor asks: a question is never a stranger's from behind a router;
    4. the route, the key's rate, its turn, the body, and the answer.

A greeting (`greeter`) of a key that is not verified neither waits nor asks: its sender has only
verified us, and wants nothing of our user. One thing is answered to such a key: the live
comparison, once our user has asked for it with that very key (`comparisons`).

The sender of a message is the certificate of its connection, never a field of
the body (`test/attacks/loopback/test_the_peer_api.py`).
"""

from __future__ import annotations

import logging

from . import tls, wire
from .chat import Chat
from .comparisons import Comparisons
from .connections import Connection, Connections
from .errors import CryptoChatError, NotAMember, TlsRefused
from .gates import Gates
from .greeter import PATH as PRESENCE
from .greeter import Greeter
from .http_head import Head
from .limits import Limits
from .looker import Looker
from .model import Certificate, Endpoint, KnownKey, Trust, parse_room_name
from .neighbourhood import Neighbourhood
from .presence import Presence
from .rates import Rates
from .routing import JSON, Reply, Request, Route, Routes
from .serving import Handler, Server
from .store import Store
from .turns import Turns
from .verification import Verification

_log = logging.getLogger(__name__)


class PeerApi:
    """What the peer API does, behind the handshake; shared by all listening addresses."""

    def __init__(
        self,
        store: Store,
        chat: Chat,
        presence: Presence,
        verification: Verification,
        comparisons: Comparisons,
        gates: Gates,
        looker: Looker,
        server_tls: tls.ServerTls,
        neighbourhood: Neighbourhood,
        greeter: Greeter,
        limits: Limits,
    ) -> None:
        self.greeter = greeter
        self.presence = presence
        self.verification = verification
        self.gates = gates
        self.looker = looker
        self.server_tls = server_tls
        self.neighbourhood = neighbourhood
        self._keys = store.keys
        self._chat = chat
        self._rates = Rates(limits)
        self.turns = Turns(limits)
        self._limits = limits
        self.routes = Routes(
            Route("POST", "/rooms/{room}/message", self._seed_message),
            Route("POST", "/v1/messages", self._messages),
            Route("POST", PRESENCE, self._presence_of),
        )
        self._comparisons = comparisons
        self.comparison = Routes(
            Route("POST", "/v1/comparison", self._open_comparison),
            Route("POST", "/v1/comparison/reveal", self._reveal),
        )

    def _seed_message(self, request: Request) -> Reply:
        """The seed's form. A reply with a body would cost a seed-only peer its connection."""
        incoming = wire.parse_seed_message(
            parse_room_name(request.params["room"]), request.body, self._limits
        )
        self.spend(request.key, messages=1)
        answer = self._receive(request, [incoming])[0]
        if answer.code == NotAMember.code:
            raise NotAMember()
        return Reply(200)

    def _messages(self, request: Request) -> Reply:
        incoming = wire.parse_batch(request.body, self._limits)
        self.spend(request.key, messages=len(incoming))
        return Reply(200, wire.answers(self._receive(request, incoming)), JSON)

    def _presence_of(self, request: Request) -> Reply:
        """A greeting, which counts as a message for its sender's rate."""
        self.spend(request.key, messages=1)
        assert request.key is not None  # as in `_receive`
        assert request.connection is not None
        answer = self.greeter.answer(request.key, request.body, request.connection.address)
        return Reply(200, answer, JSON)

    def _receive(self, request: Request, incoming: list[wire.Incoming | wire.Answer]) -> list[wire.Answer]:
        assert request.key is not None  # `PeerServer.answer` gives every request its key
        certificate = request.key.certificate
        # Asked once more when it is stored: the user may have said no while the body came, or its turn.
        return self._chat.receive(request.key, incoming, lambda: self.verification.admit(certificate))

    def _open_comparison(self, request: Request) -> Reply:
        """Waits for our user, as at the gate: whoever has not pressed the button is asked."""
        connection, certificate = _sender(request)
        theirs = wire.parse_promise(request.body, self._limits)
        ours = self._comparisons.open(
            certificate, theirs, self.patience(connection), connection.is_gone, connection.address
        )
        return Reply(200, wire.promise(ours), JSON)

    def _reveal(self, request: Request) -> Reply:
        _, certificate = _sender(request)
        theirs = wire.parse_reveal(request.body, self._limits)
        return Reply(200, wire.reveal(self._comparisons.reveal(certificate, theirs)), JSON)

    def patience(self, connection: Connection) -> float:
        """How many seconds whoever is on `connection` may wait for the user's answer."""
        return self._limits.gate_seconds if self.neighbourhood.has(connection.address) else 0.0

    def spend(self, key: KnownKey | None, messages: int = 0, size: int = 0) -> None:
        """Count what a verified key sends; TooManyRequests past its rate."""
        assert key is not None
        self._rates.spend(key.certificate.fingerprint_sha256, messages, size)


class PeerServer(Server):
    """The peer API on one address."""

    thread_name = "peer"

    def __init__(
        self, endpoint: Endpoint, api: PeerApi, connections: Connections, store: Store, limits: Limits
    ) -> None:
        self._api = api
        super().__init__(endpoint, connections, store.database, limits)

    def is_friend(self, host: str) -> bool:
        return self._api.presence.is_pinned_at(host)

    def prepare(self, connection: Connection) -> bool:
        """The handshake. False if it failed, which is nobody's fault but the client's."""
        try:
            connection.socket = sock = self._api.server_tls.wrap(connection.socket)
            self._handshake(connection, sock)
            connection.certificate = certificate = tls.peer_certificate(sock)
        except CryptoChatError as error:
            _log.debug("handshake with %s: %s", connection.address, error)
            if isinstance(error, TlsRefused):
                self._api.looker.look_at_address(connection.address)
            return False
        key = self._api.verification.find(certificate)
        friend = key is not None and key.trust is Trust.VERIFIED
        return self.connections.identify(connection, certificate.fingerprint_sha256, friend)

    def answer(self, handler: Handler, head: Head) -> Reply:
        """Steps 3 and 4: nothing of the request is looked at before its sender is admitted."""
        if head.segments[:2] == ("v1", "comparison"):
            return self._compare(handler, head)
        certificate = handler.request.certificate
        assert certificate is not None  # `prepare` has set it
        greets = head.segments == ("v1", "presence")
        at_once = greets or handler.request.friend
        key = self._api.verification.admit(
            certificate,
            patience=0.0 if at_once else self._api.patience(handler.request),
            gone=handler.request.is_gone,
            address=handler.request.address,
        )
        handler.deadline.restart(self.limits.request_seconds)
        self.connections.identify(handler.request, certificate.fingerprint_sha256, friend=True)
        self._api.presence.reached(key.uuid, None)
        handler.request.spoke |= not greets
        route, params = self._api.routes.find(head)
        length = head.content_length(self.limits.body_bytes)
        self._api.spend(key, size=length)  # before it costs anything to read and to parse
        with self._api.turns.turn(certificate.fingerprint_sha256):
            body = handler.read_body(length)
            return route.handle(Request(head, params, body, key, handler.request))

    def _compare(self, handler: Handler, head: Head) -> Reply:
        """The live comparison, which asks for itself whether its sender may."""
        route, params = self._api.comparison.find(head)
        certificate = handler.request.certificate
        key = self._api.verification.find(certificate) if certificate is not None else None
        if key is not None and key.trust is Trust.VERIFIED and head.segments[-1] == "comparison":
            self._api.spend(key, messages=1)  # not of a reveal, which has one try
        body = handler.read_body(head.content_length(self.limits.comparison_bytes))
        return route.handle(Request(head, params, body, connection=handler.request))

    def ended(self, connection: Connection) -> None:
        if connection.friend and connection.spoke and connection.certificate is not None:
            self._api.greeter.hung_up(connection.certificate.uuid)

    def _handshake(self, connection: Connection, sock: tls.Socket) -> None:
        """Under a short deadline, or a long one where a seed-only peer may be asking its user meanwhile."""
        around = self._api.presence.expected_at(connection.address)
        seed_only = any(where.announced and where.version == 0 for where in around)
        if not seed_only:
            tls.handshake(sock, self.limits.handshake_seconds)
            return
        with self._api.gates.place(connection.address) as place:
            seconds = self.limits.seed_handshake_seconds if place else self.limits.handshake_seconds
            tls.handshake(sock, seconds)


def _sender(request: Request) -> tuple[Connection, Certificate]:
    """Who sent a request that nobody has admitted."""
    assert request.connection is not None  # `PeerServer._compare` gives it
    assert request.connection.certificate is not None  # `prepare` has set it
    return request.connection, request.connection.certificate
