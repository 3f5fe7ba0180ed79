"""One delivery: messages to one peer, in our form or in the seed's, and what its answer means.

Ours goes to a key that has accepted it before, whose UUID proves itself, or whose
announcement says `v=1`. mDNS can be forged and late, so the word of the key itself
counts: what it once accepted is remembered with its certificate, and if it refuses
the request as unknown, the seed's form is used from then on.

Final answers settle a message (`delivered`, `refused`); all others leave it
waiting, to be tried again (docs/PROTOCOL.md, section 7). No threads: a deliverer
belongs to its sender.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

from . import wire
from .attempts import Attempts
from .connections import Connections
from .errors import BadRequest, NoConnection, PeerRejected, PeerUndecided, TlsRefused, Unreachable
from .identity import Identity, is_self_proving
from .limits import Limits
from .model import DeliveryState, Endpoint, KnownKey, Message, RoomName
from .peer_client import PeerClient, Reply
from .presence import Presence
from .store import Store
from .verification import Verification
from .whereabouts import Whereabouts

AWAY = "asleep or off the network"
UNDECIDED_THERE = "has not verified you yet"
BUSY = "cannot take more at the moment"
NONSENSE = "gave an answer that makes no sense"
LOST = "the connection was lost before the answer"

_UNKNOWN_REQUEST = (404, 405, 501)
_NO_FRIENDS = (PeerUndecided.code, PeerRejected.code)
_REFUSED = {
    "not-a-member": "has left the room",
    "rejected": "has rejected you",
    "malformed": "could not read the message",
    "too-large": "the message is too large for them",
}


class Settled(NamedTuple):
    """A message whose delivery has come to its end."""

    number: int
    state: DeliveryState
    reason: str | None = None


@dataclass(frozen=True)
class Failed:
    """Why the rest still waits, in words, and when the peer wants to be asked again."""

    reason: str
    retry_after: float | None = None


@dataclass
class Outcome:
    """What became of one batch. `knows_ids`: who has answered would know these messages again."""

    settled: list[Settled] = field(default_factory=list)
    failed: Failed | None = None
    knows_ids: bool = False


@dataclass(frozen=True)
class Means:
    """What it takes to deliver anything: the parts of the node that senders use."""

    identity: Identity
    store: Store
    presence: Presence
    verification: Verification
    connections: Connections
    attempts: Attempts
    limits: Limits

    def client(self, key: KnownKey) -> PeerClient:
        """For requests to the holder of one verified key, for as long as it is verified."""
        return PeerClient(
            self.identity,
            key,
            lambda shown: self.verification.admit(shown, meant=key.uuid),
            self.connections,
            self.limits,
            self.attempts,
        )


class Deliverer:
    """Delivers to the holder of one verified key."""

    def __init__(self, means: Means, key: KnownKey) -> None:
        self.key = key
        self._keys = means.store.keys
        self._presence = means.presence
        self._attempts = means.attempts
        self._limits = means.limits
        self._client = means.client(key)
        self._accepted_v1 = key.speaks_v1
        self._refused_v1 = False
        self._answered_at = key.answered_at

    @property
    def most_at_once(self) -> int:
        """How many messages one request takes: the seed's form takes one."""
        where = self._presence.of(self.key.uuid)
        return self._limits.batch_messages if where is not None and self._may_batch(where) else 1

    def deliver(self, messages: list[Message]) -> Outcome:
        """Send the first of `messages`: as many as fit one request. CertificateChanged if only
        somebody else answers. What one answer settles is returned before anything else is sent.
        """
        where = self._presence.of(self.key.uuid)
        if where is None or not where.endpoints:
            return Outcome(failed=Failed(AWAY))
        try:
            if self._may_batch(where):
                outcome = self._deliver_batch(where, messages)
                if outcome is not None:
                    return outcome
                self._refused_v1 = True
            return self._deliver_seed(where, messages[0])
        except TlsRefused:
            return Outcome(failed=Failed(UNDECIDED_THERE))

    def close(self) -> None:
        self._client.close()

    def _may_batch(self, where: Whereabouts) -> bool:
        return not self._refused_v1 and (self._accepted_v1 or knows_ours(self.key, where))

    def _deliver_batch(self, where: Whereabouts, messages: list[Message]) -> Outcome | None:
        """In our form; None if the peer does not know it."""
        body, count = wire.batch(((m, _form(where, m.room)) for m in messages), self._limits)
        chosen = messages[:count]
        reply = self._post("/v1/messages", body)
        if isinstance(reply, Failed):
            return Outcome(failed=reply)
        if reply.status in _UNKNOWN_REQUEST:
            return None
        if reply.status >= 300:
            return self._judged(chosen, reply)
        try:
            answers = wire.parse_answers(reply.body, self._limits)
        except BadRequest:  # a server that says yes to everything knows nothing of our form
            return Outcome(failed=Failed(NONSENSE)) if self._accepted_v1 else None
        self._remember_v1()
        outcome = Outcome(knows_ids=True)
        for message in chosen:
            answer = answers.get(message.wire_id or "")
            settled = None if answer is None else _judge(message, answer.status, answer.code)
            if settled is None:
                outcome.failed = Failed(BUSY)
            else:
                outcome.settled.append(settled)
        return outcome

    def _deliver_seed(self, where: Whereabouts, message: Message) -> Outcome:
        """In the seed's form, with nothing else in its body."""
        path = f"/rooms/{quote(_form(where, message.room), safe='')}/message"
        reply = self._post(path, wire.seed_message(message))
        return Outcome(failed=reply) if isinstance(reply, Failed) else self._judged([message], reply)

    def _where(self) -> tuple[Endpoint, ...]:
        """Where to try, as it is known now."""
        where = self._presence.of(self.key.uuid)
        return () if where is None else where.endpoints

    def _post(self, path: str, body: bytes) -> Reply | Failed:
        """The peer's whole reply, or why there is none; TlsRefused, CertificateChanged."""
        try:
            reply = self._client.post(self._where, path, body)
        except TlsRefused:
            self._decided(verified_us=False)
            raise
        except NoConnection:
            return Failed(AWAY)
        except Unreachable:
            return Failed(LOST)
        self._presence.reached(self.key.uuid, reply.endpoint)
        self._decided(reply.status != 403 or wire.error_code(reply.body, self._limits) not in _NO_FRIENDS)
        if reply.endpoint != self._answered_at:
            self._answered_at = reply.endpoint
            self._keys.set_answered(self.key, reply.endpoint)
        return reply

    def _decided(self, verified_us: bool) -> None:
        """Why a message waits is said of its receiver, too."""
        if self._attempts.decide(self.key.uuid, verified_us):
            self._presence.touch(self.key.uuid)

    def _judged(self, messages: list[Message], reply: Reply) -> Outcome:
        """What one status for a whole request means for its messages."""
        code = wire.error_code(reply.body, self._limits) if reply.status >= 300 else None
        settled = [_judge(message, reply.status, code) for message in messages]
        if any(one is None for one in settled):
            reason = UNDECIDED_THERE if reply.status == 403 else BUSY
            return Outcome(failed=Failed(reason, reply.retry_after))
        return Outcome([one for one in settled if one is not None])

    def _remember_v1(self) -> None:
        if not self._accepted_v1:
            self._accepted_v1 = True
            self._keys.set_speaks_v1(self.key)


def knows_ours(key: KnownKey, where: Whereabouts) -> bool:
    """Whether the holder of `key` knows our additions to the seed protocol, as far as can be told."""
    return where.version >= 1 or key.speaks_v1 or is_self_proving(key.uuid)


def _judge(message: Message, status: int, code: str | None) -> Settled | None:
    """How `status` ends the delivery of `message`; None if it is to be tried again."""
    if 200 <= status < 300:
        return Settled(message.number, DeliveryState.DELIVERED)
    if status == 429 or status >= 500 or (status == 403 and code != "rejected"):
        return None
    reason = _REFUSED.get(code or "", "refused it")
    return Settled(message.number, DeliveryState.REFUSED, reason)


def _form(where: Whereabouts, room: RoomName) -> str:
    """The room's name as the peer announced it."""
    return where.rooms.get(room, room)
