"""A history as years of chatting leave it, made by the program's own store.

    maker = HistoryMaker(path, people)
    maker.grow_to(10_000)            # and on, to 100,000
    copy = maker.copy_to(other)      # the file, between two growths

Rooms differ in size, senders in how much they say, words in how often they are said (the
n-th has the weight 1/n, as in languages). Some are ours, with recipients. Two words are
there to be searched for: `COMMON` is in every third message, `RARE` in 20, which are among
the oldest of every size, so that each size finds the same ones.
"""

from __future__ import annotations

import itertools
import random
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from community import People, write_database

from cryptochat_lib import shapes
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Delivery, DeliveryState, KnownKey, Message, RoomName
from cryptochat_lib.store import Store
from cryptochat_lib.store.messages import OwnMessage
from cryptochat_lib.wire import Incoming

COMMON, RARE, RARE_COUNT = "teapot", "zanzibar", 20
ROOMS = tuple(RoomName(f"room {letter}") for letter in "abcdefgh")
ROOM_WEIGHTS = (50, 20, 10, 8, 5, 4, 2, 1)
_FRIENDS = 5
_OWN_EVERY = 50
_MARKED_EVERY = 29
_BATCH = 500
_SYLLABLES = "ka re mi to sul ven dor ai pel nu gra shi lo ma ter bri jo fen wy ost"
_BUSY_WORDS = (
    "the I you it to and a is that of we in not do on what this have be for no can so are with me at"
    " one there if but was they all here will like how from as just know about when good time more"
)


class HistoryMaker:
    """One database that grows. Every message that it makes comes from one seed: runs have the same."""

    def __init__(self, path: Path, people: People) -> None:
        self.path = path
        self.count = 0
        self.marked: dict[RoomName, list[str]] = {room: [] for room in ROOMS}
        """For each room the ids of messages all along its history, oldest first."""
        own, *others = people.identities(1 + _FRIENDS)
        numbers = people.safety_numbers(range(1 + _FRIENDS))
        write_database(path, own, {other: numbers[0, i] for i, other in enumerate(others, 1)}, ROOMS)
        self._own = own.certificate
        self._friends = [other.certificate for other in others]
        self._random = random.Random(1987)
        self._texts = self._make_texts()
        self._rare_every = 0
        self._numbers = itertools.count(1)

    def grow_to(self, count: int) -> None:
        """Until there are `count` messages."""
        if not self._rare_every:
            self._rare_every = max(1, count // RARE_COUNT)
        store = Store(self.path, Limits())
        store.open(lambda: None)  # type: ignore[arg-type, return-value]  # the file has an identity
        keys = [key for c in self._friends if (key := store.keys.find(c)) is not None]
        while self.count < count:
            key = self._random.choices(keys, (40, 25, 20, 10, 5))[0]
            size = min(_BATCH, count - self.count)
            incoming = [self._incoming() for _ in range(max(1, size - size // _OWN_EVERY))]
            store.messages.add_received(key, incoming, lambda: None, self._stored)
            for _ in range(size - len(incoming)):
                store.messages.add_own(self._own_message(keys), lambda message: self._stored([message]))
        store.close()

    def copy_to(self, path: Path) -> None:
        shutil.copyfile(self.path, path)  # closed, so the journal has been written back

    def _stored(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.count += 1
            if self.count % _MARKED_EVERY == 0:
                self.marked[message.room].append(shapes.message(message)["id"])

    def _incoming(self) -> Incoming:
        number = next(self._numbers)
        return Incoming(
            room=self._room(),
            username="Bob",
            content=self._content(number),
            wire_id=uuid.UUID(int=number).hex,
            sent=time.time_ns() // 1_000_000,
        )

    def _own_message(self, keys: Sequence[KnownKey]) -> OwnMessage:
        number = next(self._numbers)
        return OwnMessage(
            room=self._room(),
            content=self._content(number),
            sender=self._own.uuid,
            sender_key=self._own.fingerprint_sha256,
            username="Ada",
            wire_id=uuid.UUID(int=number).hex,
            recipients=tuple(Delivery(key.uuid, DeliveryState.DELIVERED, None) for key in keys),
        )

    def _room(self) -> RoomName:
        return self._random.choices(ROOMS, ROOM_WEIGHTS)[0]

    def _content(self, number: int) -> str:
        words = next(self._texts)
        if number % 3 == 0:
            words += f" {COMMON}"
        if number % self._rare_every == 0 and number // self._rare_every <= RARE_COUNT:
            words += f" {RARE}"
        return words

    def _make_texts(self) -> Iterator[str]:
        """Messages of 2 to 25 words, without end."""
        pairs = itertools.product(_SYLLABLES.split(), repeat=3)
        words = [*_BUSY_WORDS.split(), *("".join(parts) for parts in pairs)]
        weights = list(itertools.accumulate(1 / rank for rank in range(1, len(words) + 1)))
        while True:
            said = self._random.choices(words, cum_weights=weights, k=20_000)
            at = 0
            while at < len(said) - 25:
                length = 2 + int(self._random.expovariate(1 / 7)) % 24
                yield " ".join(said[at : at + length])
                at += length
