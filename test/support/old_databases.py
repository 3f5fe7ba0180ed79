"""Database files of each version of the schema, for the tests of migrations.

`test/data/version-N.db` was made by the program as it was when N was the newest:

    python test/support/old_databases.py        makes the one of this version

Run it before a new step is added to `store/schema.py`, and commit the file. All in it
is made up, its key too. `fill` has something of everything, and says it the same way
in each version, so that one test can ask all of them for it.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from certificates import make_certificate

from cryptochat_lib.identity import create_identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Delivery, DeliveryState, Endpoint, PeerId, RoomName, Trust
from cryptochat_lib.store import Store
from cryptochat_lib.store.messages import OwnMessage
from cryptochat_lib.store.schema import MIGRATIONS
from cryptochat_lib.wire import Incoming

DATA = Path(__file__).resolve().parents[1] / "data"
OURS = PeerId("00000000-0000-8000-8000-00000000000a")
BOB, CAROL, DORA = (PeerId(f"00000000-0000-4000-8000-00000000000{digit}") for digit in "bcd")
TEA, KITCHEN = RoomName("tea"), RoomName("Teeküche 茶室")

SAID = (
    (TEA, "hello everybody"),
    (TEA, "Grüße aus der Teeküche"),
    (KITCHEN, "京都でお茶を飲みました"),
    (TEA, "a cup \N{TEACUP WITHOUT HANDLE} and a NUL \0 in the middle"),
    (KITCHEN, "the kettle is on"),
)
"""What we said, in this order; then what we heard."""
HEARD = (
    (TEA, "m1", "is there any left?"),
    (KITCHEN, "m2", "Ναι, ΠΟΛΛΆ"),
    (TEA, None, "no id: from a seed peer"),
)
STATES = (
    (DeliveryState.WAITING, "asleep or off the network"),
    (DeliveryState.DELIVERED, None),
    (DeliveryState.REFUSED, "has not joined this room"),
    (DeliveryState.WITHHELD, "you have taken your trust back"),
    (DeliveryState.EXPIRED, "it waited too long"),
)
"""What became of each message of ours on its way to Bob. For Carol all of them wait."""


def fill(path: Path) -> None:
    """A new database at `path`, used and closed."""
    store = Store(path, Limits(free_disk_bytes=0))
    store.open(create_identity)
    try:
        store.settings.set("username", "Ada Ünal")
        store.settings.join(TEA)
        store.settings.join(KITCHEN)
        _fill_keys(store)
        _fill_messages(store)
    finally:
        store.close()


def _fill_keys(store: Store) -> None:
    for uuid, trust in ((BOB, Trust.VERIFIED), (CAROL, Trust.UNVERIFIED), (DORA, Trust.REJECTED)):
        key = store.keys.add(
            make_certificate(uuid), f"{uuid[-1]} 12345 67890", "192.0.2.7:4000", 1_700_000_000_000
        )
        store.keys.set_trust([(key, trust, "number" if trust is Trust.VERIFIED else None, False)])
        if trust is Trust.VERIFIED:
            store.keys.set_username(key, "Bob Öz")
            store.keys.set_answered(key, Endpoint("fe80::1%2", 4000))
            store.keys.set_speaks_v1(key)
            store.keys.set_rooms(uuid, {TEA: "tea", KITCHEN: "Teeküche 茶室"})


def _fill_messages(store: Store) -> None:
    for (room, content), (state, reason) in zip(SAID, STATES, strict=True):
        to = tuple(Delivery(uuid, DeliveryState.WAITING) for uuid in (BOB, CAROL))
        own = OwnMessage(room, content, OURS, "a" * 64, "Ada Ünal", f"{len(content):032x}", to)
        message = store.messages.add_own(own, lambda _: None)
        store.queue.settle(BOB, [message.number], state, reason)
    key = store.keys.verified(BOB)
    assert key is not None
    heard = [Incoming(room, "Bob Öz", text, wire_id, 1_700_000_000_000) for room, wire_id, text in HEARD]
    store.messages.add_received(key, heard, lambda: None, lambda _: None)


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    fill(DATA / f"version-{len(MIGRATIONS)}.db")
    (DATA / f"version-{len(MIGRATIONS)}.db.lock").unlink()
