"""What a message does: from our user to the members of a room, and from a member to our user.

Sending stores the message with a row for each member that is seen or away, and
answers: it never waits for the network or for a person. The outbox moves the
rows on. Receiving stores what a verified key has sent, and publishes it; the
sender's answer waits for the disk, so "delivered" means stored.

Threads: `send` runs on UI workers, `receive` on peer-server workers.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from . import shapes
from .delivery import AWAY
from .errors import NotAMember, NotJoined
from .events import EventLog
from .looker import Looker
from .model import Delivery, DeliveryState, KnownKey, Message, RoomName, Trust
from .outbox import Outbox
from .presence import Presence, Whereabouts
from .profile import Profile
from .sender import UNDECIDED_HERE
from .store import Store
from .store.messages import OwnMessage
from .verification import QUEUED, Verification
from .wire import Answer, Incoming


class Chat:
    """Rooms and messages of one node."""

    def __init__(
        self,
        profile: Profile,
        store: Store,
        events: EventLog,
        presence: Presence,
        verification: Verification,
        looker: Looker,
        outbox: Outbox,
    ) -> None:
        self._profile = profile
        self._store = store
        self._events = events
        self._presence = presence
        self._verification = verification
        self._looker = looker
        self._outbox = outbox

    def join(self, room: RoomName) -> None:
        """Join `room` and look at who is in it; TooManyRooms if the announcement is full."""
        self._profile.join(room)
        for where in self._presence.in_room(room):
            self._looker.look(where.uuid)

    def leave(self, room: RoomName) -> None:
        self._profile.leave(room)

    def send(self, room: RoomName, content: str, username: str | None) -> Message:
        """Store a message of ours to `room`; NotJoined, StorageFull. `username`: for it alone."""
        if room not in self._profile.rooms():
            raise NotJoined()
        members = self._presence.in_room(room)
        recipients = tuple(d for where in members if (d := self._recipient(where)) is not None)
        message = self._store.messages.add_own(
            OwnMessage(
                room=room,
                content=content,
                sender=self._profile.uuid,
                sender_key=self._profile.certificate.fingerprint_sha256,
                username=username or self._profile.username,
                wire_id=uuid.uuid4().hex,
                recipients=recipients,
            ),
            self._publish,
        )
        for recipient in recipients:
            self._outbox.wake(recipient.uuid)
            self._ask_about(recipient)
        return message

    def receive(self, key: KnownKey, incoming: Sequence[Incoming | Answer]) -> list[Answer]:
        """Store what came under a verified `key`; the answer to each, in order. StorageFull."""
        joined = set(self._profile.rooms())
        wanted = [m for m in incoming if isinstance(m, Incoming) and m.room in joined]
        if wanted:
            self._store.messages.add_received(key, wanted, self._publish_all)
            self._remember_name(key, wanted[-1].username)
        return [m if isinstance(m, Answer) else _answer(m, m.room in joined) for m in incoming]

    def _recipient(self, where: Whereabouts) -> Delivery | None:
        """The row for a member; None for one that the user has rejected."""
        keys = self._store.keys.of(where.uuid)
        if any(key.trust is Trust.VERIFIED for key in keys):
            return Delivery(where.uuid, DeliveryState.WAITING, None if where.online else AWAY)
        if keys and all(key.trust is Trust.REJECTED for key in keys):
            return None
        return Delivery(where.uuid, DeliveryState.WAITING, UNDECIDED_HERE)

    def _ask_about(self, recipient: Delivery) -> None:
        """Something waits for somebody whom the user has not verified: ask, or look first."""
        if recipient.reason != UNDECIDED_HERE:
            return
        keys = self._store.keys.of(recipient.uuid)
        where = self._presence.of(recipient.uuid)
        name = where.name if where else None
        for key in keys:
            self._verification.ask(key, QUEUED, name)
        if not keys:
            self._looker.look(recipient.uuid)

    def _remember_name(self, key: KnownKey, username: str) -> None:
        """A name in a message under the verified key: from now on mDNS cannot change it."""
        if username and username != key.username:
            self._store.keys.set_username(key, username)
            self._presence.touch(key.uuid)

    def _publish(self, message: Message) -> None:
        self._events.publish_message(message.number, shapes.message(message))

    def _publish_all(self, messages: list[Message]) -> None:
        for message in messages:
            self._publish(message)


def _answer(message: Incoming, joined: bool) -> Answer:
    """200: stored, or known already."""
    if joined:
        return Answer(message.wire_id or "", 200)
    return Answer(message.wire_id or "", NotAMember.status, NotAMember.code)
