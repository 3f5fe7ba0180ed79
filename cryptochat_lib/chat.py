"""What a message does: from our user to the members of a room, and from a member to our user.

Sending stores the message with a row for each member that is seen or away, and
answers: it never waits for the network or for a person. The outbox moves the
rows on. Receiving stores what a verified key has sent, and publishes it; the
sender's answer waits for the disk, so "delivered" means stored.

Threads: `send` runs on UI workers, `receive` on peer-server workers.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b

from . import shapes, wire
from .delivery import AWAY
from .errors import NotAMember, NotJoined
from .events import EventLog
from .looker import Looker
from .model import Delivery, DeliveryState, KnownKey, Message, PeerId, ReadMark, RoomName, Trust
from .outbox import Outbox
from .presence import Presence
from .profile import Profile
from .sender import UNDECIDED_HERE
from .store import Store
from .store.messages import OwnMessage
from .whereabouts import Whereabouts
from .wire import Answer, Incoming, Outgoing


class Chat:
    """Rooms and messages of one node."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        events: EventLog,
        presence: Presence,
        looker: Looker,
        outbox: Outbox,
    ) -> None:
        self._profile = profile
        self._store = store
        self._events = events
        self._presence = presence
        self._looker = looker
        self._outbox = outbox
        self._ids = _Ids()

    def join(self, room: RoomName) -> None:
        """Join `room` and look at who is in it; TooManyRooms if the announcement is full."""
        self._profile.join(room)
        for where in self._presence.in_room(room):
            self._looker.look(where.uuid)

    def leave(self, room: RoomName) -> None:
        self._profile.leave(room)

    def erase(self, room: RoomName) -> None:
        """Delete the history of `room` for good; what waits in it is not sent. StorageFull, StorageFailed."""

        def erased(_: None) -> None:
            self._outbox.reread()
            self._events.forget()
            wire.forget_content()

        self._store.messages.erase(room, erased)

    def marks(self) -> list[ReadMark]:
        """How far each room that we are in is read."""
        return [self._store.reads.of(room) for room in self._profile.rooms()]

    def read_to(self, room: RoomName, number: int) -> None:
        """The user has read `room` up to message `number`: every page hears of it. StorageFailed."""
        if self._store.reads.go_on(room, number):
            self._events.publish("read", shapes.read_mark(self._store.reads.of(room)))

    def send(self, room: RoomName, outgoing: Outgoing) -> Message:
        """Store a message of ours to `room`; NotJoined, StorageFull."""
        if room not in self._profile.rooms():
            raise NotJoined()
        found = (self._recipient(where) for where in self._presence.in_room(room))
        recipients = tuple(recipient for recipient in found if recipient is not None)
        return self._store.messages.add_own(
            OwnMessage(
                room=room,
                content=outgoing.content,
                drawing=outgoing.drawing,
                sender=self._profile.uuid,
                sender_key=self._profile.certificate.fingerprint_sha256,
                username=outgoing.username or self._profile.username,
                wire_id=self._ids.next(),
                recipients=recipients,
            ),
            self._publish_own,
        )

    def _recipient(self, where: Whereabouts) -> Delivery | None:
        """The row for a member; None for one that the user has rejected."""
        if self._store.keys.verified(where.uuid) is not None:
            return Delivery(where.uuid, DeliveryState.WAITING, None if where.online else AWAY)
        if self._is_rejected(where.uuid):
            return None
        return Delivery(where.uuid, DeliveryState.WAITING, UNDECIDED_HERE)

    def _is_rejected(self, uuid: PeerId) -> bool:
        """Whether the user has said no to every key of `uuid`."""
        keys = self._store.keys.of(uuid)
        return bool(keys) and all(key.trust is Trust.REJECTED for key in keys)

    def hand_over(self, message: Message) -> None:
        """Let what `send` has stored begin to move: after the user has the answer, which does not wait.

        What the user has said of a recipient may have changed while we stored.
        """
        if message.number % self._outbox.check_every == 0:
            self._outbox.expire()
        for recipient in message.deliveries:
            if self._store.keys.verified(recipient.uuid) is not None:
                self._outbox.wake(recipient.uuid)
            elif recipient.reason == UNDECIDED_HERE and not self._is_rejected(recipient.uuid):
                self._presence.touch(recipient.uuid)  # `neighbours` asks, or looks first
            else:
                self._outbox.withhold(recipient.uuid)

    def receive(
        self, key: KnownKey, incoming: Sequence[Incoming | Answer], admit: Callable[[], object]
    ) -> list[Answer]:
        """Store what came under a verified `key`; the answer to each, in order. StorageFull.

        `admit` raises if that key may not talk to us; asked when all is ready to be stored, after
        whatever the user has said before.
        """
        joined = set(self._profile.rooms())
        wanted = [m for m in incoming if isinstance(m, Incoming) and m.room in joined]
        if wanted:
            self._store.messages.add_received(key, wanted, admit, self._publish_all)
            self._remember_name(key, wanted[-1].username)
        return [m if isinstance(m, Answer) else self._answer(key, m, m.room in joined) for m in incoming]

    def _answer(self, key: KnownKey, message: Incoming, joined: bool) -> Answer:
        """200: stored, or known already, even if we have left the room since."""
        if joined or self._store.messages.knows(key, message):
            return Answer(message.wire_id or "", 200)
        return Answer(message.wire_id or "", NotAMember.status, NotAMember.code)

    def _remember_name(self, key: KnownKey, username: str) -> None:
        """A name in a message under the verified key: from now on mDNS cannot change it."""
        if username and username != key.username:
            self._store.keys.set_username(key, username)
            self._presence.touch(key.uuid)

    def _publish_own(self, message: Message) -> None:
        self._outbox.offer(message)
        self._publish(message)

    def _publish(self, message: Message) -> None:
        self._events.publish_message(message.number, partial(shapes.message, message), shapes.size(message))

    def _publish_all(self, messages: list[Message]) -> None:
        for message in messages:
            self._publish(message)


class _Ids:
    """Ids that nobody else gives, in the manner of a version 7 UUID (RFC 9562, section 5.7).

    Time comes first: ids that grow are the cheapest to look up, here and at the receivers. The
    rest is a counter under a secret of this run: as good as chance to everybody else, whom the
    count itself would tell how much we say to others, and without asking the system for chance
    each time, which lets go of the interpreter's lock.
    """

    def __init__(self) -> None:
        self._secret = blake2b(key=secrets.token_bytes(32), digest_size=10)
        self._count = itertools.count()

    def next(self) -> str:
        rest = self._secret.copy()
        rest.update(b"%d" % next(self._count))
        return f"{time.time_ns() // 1_000_000:012x}{rest.hexdigest()}"
