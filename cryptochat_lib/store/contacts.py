"""Whom the user has added, by a contact code or by an address.

A code verifies the key that it names, once. Whether it still may is in the same file as
trust, and changes with it in one transaction (`Keys.set_trust`):

- a yes that a code gives is stored only while that very code is there and unused;
- every decision of the user about somebody uses up the codes of that person, whatever it is.

So a code never undoes a no that came after it, whoever was faster, and wherever we crashed.

They are few, and asked about whenever anything changes around us: all are in memory too.
Threads: any reads; `_all` is replaced as one, right after a commit (`Database.write`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence

from ..errors import SpentCode, TooManyContacts, UnknownContact
from ..limits import Limits
from ..model import Certificate, Contact, PeerId
from .database import Database, Transaction


class Contacts:
    """The rows of `contacts`."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self._all: tuple[Contact, ...] = ()

    def load(self) -> None:
        """Read them: at the start, and after each commit that has changed one."""
        rows = self._database.read().execute("SELECT * FROM contacts ORDER BY id").fetchall()
        self._all = tuple(
            Contact(
                number=row["id"],
                uuid=row["uuid"] and PeerId(row["uuid"]),
                key=row["key"],
                verifies=bool(row["verifies"]),
                addresses=tuple(json.loads(row["addresses"])),
                added=row["added"],
            )
            for row in rows
        )

    def all(self) -> tuple[Contact, ...]:
        """Every contact, in the order in which they were added first."""
        return self._all

    def of(self, uuid: PeerId) -> list[Contact]:
        """How `uuid` was added."""
        return [contact for contact in self._all if contact.uuid == uuid]

    def get(self, number: int) -> Contact:
        """One of them; UnknownContact."""
        for contact in self._all:
            if contact.number == number:
                return contact
        raise UnknownContact()

    def add_code(self, uuid: PeerId, key: str, addresses: Sequence[str]) -> Contact:
        """Remember a code that the user has entered: it verifies, again if it was entered before.

        Raises TooManyContacts, StorageFull.
        """
        same = next((one for one in self.of(uuid) if one.key is not None), None)
        return self._put(same, (uuid, key, 1, json.dumps(addresses), _now()))

    def add_address(self, address: str) -> Contact:
        """Remember an address at which nobody has been found yet. Raises TooManyContacts, StorageFull."""
        same = (one for one in self._all if one.uuid is None and one.addresses == (address,))
        return self._put(next(same, None), (None, None, 0, json.dumps([address]), _now()))

    def found(self, number: int, uuid: PeerId) -> None:
        """At the address that is contact `number` it was `uuid` who answered."""

        def work(tx: Transaction) -> None:
            tx.execute(  # it was found there before, and the address entered again
                "DELETE FROM contacts WHERE key IS NULL AND uuid = ? AND id <> ?"
                " AND addresses = (SELECT addresses FROM contacts WHERE id = ?)",
                (uuid, number, number),
            )
            tx.execute("UPDATE contacts SET uuid = ? WHERE id = ? AND key IS NULL", (uuid, number))

        self._write(work)

    def remove(self, number: int) -> None:
        self._write(lambda tx: tx.execute("DELETE FROM contacts WHERE id = ?", (number,)))

    def forget(self, uuid: PeerId) -> None:
        """Forget how `uuid` was added: from now on none of its codes verifies anything."""
        if self.of(uuid):
            self._write(lambda tx: tx.execute("DELETE FROM contacts WHERE uuid = ?", (uuid,)))

    # Within the transactions of `Keys.set_trust`.

    def require(self, tx: Transaction, certificate: Certificate) -> None:
        """SpentCode unless an unused code names the very key of `certificate`."""
        row = tx.execute(
            "SELECT 1 FROM contacts WHERE uuid = ? AND key = ? AND verifies",
            (certificate.uuid, certificate.key_sha256),
        )
        if row.fetchone() is None:
            raise SpentCode()

    def spend(self, tx: Transaction, uuids: Iterable[PeerId]) -> None:
        """The user has decided about these: no earlier code does any more."""
        tx.executemany("UPDATE contacts SET verifies = 0 WHERE uuid = ?", [(uuid,) for uuid in uuids])

    def _put(self, same: Contact | None, row: tuple[object, ...]) -> Contact:
        """Write `row` in the place of the `same` contact, or as a new one."""
        self._database.require_space()

        def work(tx: Transaction) -> int:
            if same is not None:
                tx.execute("DELETE FROM contacts WHERE id = ?", (same.number,))
            elif tx.execute("SELECT count(*) FROM contacts").fetchone()[0] >= self._limits.contacts:
                raise TooManyContacts()
            row_with_number = (None if same is None else same.number, *row)
            return int(
                tx.execute("INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?)", row_with_number).lastrowid or 0
            )

        return self.get(self._database.write(work, lambda _: self.load()))

    def _write(self, work: Callable[[Transaction], object]) -> None:
        self._database.write(work, lambda _: self.load())


def _now() -> int:
    return time.time_ns() // 1_000_000
