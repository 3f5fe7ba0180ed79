"""Everybody else's keys: which certificates we have seen, and what the user said of each.

Only `verification` changes trust, and at most one key of a UUID is verified
(the table's own index holds that). Who was in which room is remembered for
verified keys, so that somebody who is away is still a member after a restart.

Every request asks about keys, and few change them: they are all in memory too.
Threads: any reads; `_of` is changed only right after a commit, in their order
(`Database.write`), and replaced as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..identity import parse_certificate
from ..model import Certificate, Endpoint, KnownKey, PeerId, RoomName, Trust
from .contacts import Contacts
from .database import Database, Row, Transaction

CODE = "code"
"""The method of a yes that a contact code has given."""


class Keys:
    """The rows of `keys` and `members`."""

    def __init__(self, database: Database, contacts: Contacts) -> None:
        self._database = database
        self._contacts = contacts
        self._of: dict[PeerId, tuple[KnownKey, ...]] = {}

    def load(self) -> None:
        """Read every key, once: from then on the memory follows each commit. UnacceptableCertificate."""
        rows = self._database.read().execute("SELECT DISTINCT uuid FROM keys").fetchall()
        self._reload(PeerId(row["uuid"]) for row in rows)

    def all(self) -> list[KnownKey]:
        """Every key, by UUID and then the order in which they were first seen."""
        return [key for _, keys in sorted(self._of.items()) for key in keys]

    def of(self, uuid: PeerId) -> list[KnownKey]:
        """The keys seen under `uuid`, first seen first."""
        return list(self._of.get(uuid, ()))

    def verified(self, uuid: PeerId) -> KnownKey | None:
        """The one verified key of `uuid`."""
        for key in self._of.get(uuid, ()):
            if key.trust is Trust.VERIFIED:
                return key
        return None

    def find(self, certificate: Certificate) -> KnownKey | None:
        """What is stored of this very certificate, compared byte for byte."""
        for key in self._of.get(certificate.uuid, ()):
            if key.certificate.der == certificate.der:
                return key
        return None

    def add(self, certificate: Certificate, safety_number: str, address: str | None, now: int) -> KnownKey:
        """Remember a new key as unverified, or that a known one was seen again."""
        row = (
            certificate.uuid,
            certificate.fingerprint_sha256,
            certificate.der,
            safety_number,
            address,
            now,
            now,
        )
        self._write(
            [certificate.uuid],
            lambda tx: tx.execute(
                "INSERT INTO keys (uuid, fingerprint, certificate, trust, safety_number, address,"
                " first_seen, last_seen) VALUES (?, ?, ?, 'unverified', ?, ?, ?, ?)"
                " ON CONFLICT (fingerprint) DO UPDATE"
                " SET last_seen = excluded.last_seen, address = coalesce(excluded.address, address)",
                row,
            ),
        )
        found = self.find(certificate)
        assert found is not None  # what we have just written
        return found

    def set_trust(self, changes: Iterable[tuple[KnownKey, Trust, str | None, bool]]) -> None:
        """Each key's new trust, the method, and whether the user took a yes back; all at once.

        By CODE only with an unused one, else SpentCode; and whatever is decided uses it up (`contacts`).
        """
        changes = list(changes)
        uuids = list(dict.fromkeys(key.uuid for key, *_ in changes))
        rows = [(t.value, m, int(d), k.certificate.fingerprint_sha256) for k, t, m, d in changes]
        # Withdrawals first: at no moment may two keys of one UUID be verified.
        rows.sort(key=lambda row: row[0] == Trust.VERIFIED.value)

        def work(tx: Transaction) -> None:
            for key, _, method, _ in changes:
                if method == CODE:
                    self._contacts.require(tx, key.certificate)
            self._contacts.spend(tx, uuids)
            tx.executemany("UPDATE keys SET trust = ?, method = ?, declined = ? WHERE fingerprint = ?", rows)

        def committed(_: None) -> None:
            self._contacts.load()
            self._reload(uuids)

        self._database.write(work, committed)

    def set_username(self, key: KnownKey, username: str) -> None:
        """The name that a message under this verified key carried."""
        self._update(key, "UPDATE keys SET username = ? WHERE fingerprint = ?", username)

    def set_answered(self, key: KnownKey, endpoint: Endpoint) -> None:
        """This key completed a handshake at `endpoint`."""
        self._update(
            key,
            "UPDATE keys SET answered_host = ?, answered_port = ? WHERE fingerprint = ?",
            endpoint.host,
            endpoint.port,
        )

    def set_seen(self, contacts: Sequence[tuple[KnownKey, int]]) -> None:
        """When we were last in contact with each of these keys, in milliseconds since 1970; all at once."""
        rows = [(at, key.certificate.fingerprint_sha256) for key, at in contacts]
        statement = "UPDATE keys SET last_seen = ? WHERE fingerprint = ?"
        self._write([key.uuid for key, _ in contacts], lambda tx: tx.executemany(statement, rows))

    def set_speaks_v1(self, key: KnownKey) -> None:
        """This key has accepted our form of a message."""
        self._update(key, "UPDATE keys SET speaks_v1 = ? WHERE fingerprint = ?", 1)

    def forget(self, keys: Iterable[KnownKey]) -> None:
        """Remove these keys, and the memberships and records of UUIDs that have none left."""
        keys = list(keys)
        rows = [(key.certificate.fingerprint_sha256,) for key in keys]

        def work(tx: Transaction) -> None:
            tx.executemany("DELETE FROM keys WHERE fingerprint = ?", rows)
            tx.execute("DELETE FROM members WHERE uuid NOT IN (SELECT uuid FROM keys)")
            tx.execute("DELETE FROM records WHERE uuid NOT IN (SELECT uuid FROM keys)")

        self._write([key.uuid for key in keys], work)

    def rooms_of_all(self) -> dict[PeerId, dict[RoomName, str]]:
        """The remembered memberships: for each peer its rooms, with the form that it announced."""
        found: dict[PeerId, dict[RoomName, str]] = {}
        for row in self._database.read().execute("SELECT * FROM members"):
            found.setdefault(PeerId(row["uuid"]), {})[RoomName(row["room"])] = row["form"]
        return found

    def set_rooms(self, uuid: PeerId, rooms: dict[RoomName, str]) -> None:
        """Replace what is remembered of the rooms of `uuid`."""

        def work(tx: Transaction) -> None:
            tx.execute("DELETE FROM members WHERE uuid = ?", (uuid,))
            tx.executemany("INSERT INTO members VALUES (?, ?, ?)", [(uuid, r, f) for r, f in rooms.items()])

        self._database.write(work)

    def _update(self, key: KnownKey, statement: str, *values: object) -> None:
        """Run `statement`, whose last parameter is the key's fingerprint."""
        parameters = (*values, key.certificate.fingerprint_sha256)
        self._write([key.uuid], lambda tx: tx.execute(statement, parameters))

    def _write(self, uuids: Sequence[PeerId], work: Callable[[Transaction], object]) -> None:
        """Run `work`, which changes keys of `uuids`, and let the memory follow before the next commit."""
        self._database.write(work, lambda done: self._reload(uuids))

    def _reload(self, uuids: Iterable[PeerId]) -> None:
        of = dict(self._of)
        for uuid in uuids:
            rows = self._database.read().execute("SELECT * FROM keys WHERE uuid = ? ORDER BY id", (uuid,))
            keys = tuple(_key(row) for row in rows)
            if keys:
                of[uuid] = keys
            else:
                of.pop(uuid, None)
        self._of = of


def _key(row: Row) -> KnownKey:
    host = row["answered_host"]
    return KnownKey(
        certificate=parse_certificate(row["certificate"]),
        trust=Trust(row["trust"]),
        safety_number=row["safety_number"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        address=row["address"],
        declined=bool(row["declined"]),
        method=row["method"],
        username=row["username"],
        answered_at=None if host is None else Endpoint(host, row["answered_port"]),
        speaks_v1=bool(row["speaks_v1"]),
    )
