"""What a message does: from our user to the members of a room, and from a member to our user.

Sending stores the message with a row for each member that is seen or away, and
answers: it never waits for the network or for a person. The outbox moves the
rows on. Receiving stores what a verified key has sent, and publishes it; the
sender's answer waits for the disk, so "delivered" means stored.

Threads: `send` runs on UI workers, `receive` on peer-server workers.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

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
from .wire import Answer, Incoming


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

    def join(self, room: RoomName) -> None:
        """Join `room` and look at who is in it; TooManyRooms if the announcement is full."""
        self._profile.join(room)
        for where in self._presence.in_room(room):
            self._looker.look(where.uuid)

    def leave(self, room: RoomName) -> None:
        self._profile.leave(room)

    def erase(self, room: RoomName) -> None:
        """Delete the history of `room` for good; what waits in it is not sent. StorageFull, StorageFailed."""
        self._store.messages.erase(room, lambda _: self._events.forget())

    def send(self, room: RoomName, content: str, username: str | None) -> Message:
        """Store a message of ours to `room`; NotJoined, StorageFull. `username`: for it alone."""
        if room not in self._profile.rooms():
            raise NotJoined()
        trusts = self._store.keys.trusts()
        members = self._presence.in_room(room)
        found = (_recipient(where, trusts.get(where.uuid, ())) for where in members)
        recipients = tuple(recipient for recipient in found if recipient is not None)
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
            if recipient.reason == UNDECIDED_HERE:
                self._presence.touch(recipient.uuid)  # `neighbours` asks, or looks first
            else:
                self._outbox.wake(recipient.uuid)
        return message

    def receive(self, key: KnownKey, incoming: Sequence[Incoming | Answer]) -> list[Answer]:
        """Store what came under a verified `key`; the answer to each, in order. StorageFull."""
        joined = set(self._profile.rooms())
        wanted = [m for m in incoming if isinstance(m, Incoming) and m.room in joined]
        if wanted:
            self._store.messages.add_received(key, wanted, self._publish_all)
            self._remember_name(key, wanted[-1].username)
        return [m if isinstance(m, Answer) else _answer(m, m.room in joined) for m in incoming]

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


def _recipient(where: Whereabouts, trusts: Collection[Trust]) -> Delivery | None:
    """The row for a member whose keys are trusted so; None for one that the user has rejected."""
    if Trust.VERIFIED in trusts:
        return Delivery(where.uuid, DeliveryState.WAITING, None if where.online else AWAY)
    if trusts and all(trust is Trust.REJECTED for trust in trusts):
        return None
    return Delivery(where.uuid, DeliveryState.WAITING, UNDECIDED_HERE)


def _answer(message: Incoming, joined: bool) -> Answer:
    """200: stored, or known already."""
    if joined:
        return Answer(message.wire_id or "", 200)
    return Answer(message.wire_id or "", NotAMember.status, NotAMember.code)
