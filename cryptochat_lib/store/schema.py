"""The tables, as the steps that led to them.

`user_version` counts the steps that a file has taken. A step that has been
released is never changed: a new one is added behind it.

- `identity`: our key and certificate, one row. `sealing`: null, or how the key is
  sealed under a passphrase (`cryptochat_lib/sealing.py`).
- `settings`: the username; `port`: the last one of the peer API; `erasing`: see `Database.erase`.
  `counter`: the next message's number.
- `keys`: each certificate that we have seen, and what the user said of it.
- `contacts`: whom the user has added, by a contact code or an address. `records`: where a peer says
  that it is, signed by its key, the latest of each.
- `rooms`: those we have joined. `members`: who was seen in them, under a verified key.
- `messages`: the history. `number` is its order, and the base of the event ids.
  `sender_key` is the SHA-256 fingerprint of the certificate it came under. `drawing`: of a drawing, its
  strokes in JSON (`cryptochat_lib/drawing.py`).
- `reads`: the last message that the user has read, of each room.
- `strokes`: the digest of each stroke that a message's sender drew: see `store/strokes.py`.
- `recipients`: everybody whom a message of ours is for, with a number that is shorter than a UUID.
- `deliveries`: a row for each recipient of each message of ours; the queue is
  the rows that are `waiting`.
- `search`: the full-text index, `search_words`: the words in it. `search_state`: how
  far it goes, and by which rules. See `store/search.py`, which also fills it.
"""

from __future__ import annotations

APPLICATION_ID = 0x43434861  # "CCha"

_VERSION_1 = (
    """CREATE TABLE identity (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        certificate BLOB NOT NULL,
        private_key BLOB NOT NULL
    ) STRICT""",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE counter (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL) STRICT",
    "INSERT INTO counter VALUES (1, 1)",
    """CREATE TABLE keys (
        id INTEGER PRIMARY KEY,
        uuid TEXT NOT NULL,
        fingerprint TEXT NOT NULL UNIQUE,
        certificate BLOB NOT NULL,
        trust TEXT NOT NULL CHECK (trust IN ('unverified', 'verified', 'rejected')),
        declined INTEGER NOT NULL DEFAULT 0,
        method TEXT,
        safety_number TEXT NOT NULL,
        username TEXT,
        address TEXT,
        answered_host TEXT,
        answered_port INTEGER,
        speaks_v1 INTEGER NOT NULL DEFAULT 0,
        first_seen INTEGER NOT NULL,
        last_seen INTEGER NOT NULL
    ) STRICT""",
    "CREATE UNIQUE INDEX one_verified_key ON keys (uuid) WHERE trust = 'verified'",
    "CREATE INDEX keys_of_uuid ON keys (uuid)",
    "CREATE TABLE rooms (name TEXT PRIMARY KEY, joined INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE members (
        uuid TEXT NOT NULL,
        room TEXT NOT NULL,
        form TEXT NOT NULL,
        PRIMARY KEY (uuid, room)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        room TEXT NOT NULL,
        kind TEXT NOT NULL,
        content TEXT NOT NULL,
        sender TEXT NOT NULL,
        sender_key TEXT NOT NULL,
        username TEXT NOT NULL,
        time INTEGER NOT NULL,
        sent INTEGER,
        own INTEGER NOT NULL,
        wire_id TEXT,
        method TEXT
    ) STRICT""",
    "CREATE UNIQUE INDEX messages_once ON messages (sender_key, wire_id) WHERE wire_id IS NOT NULL",
    "CREATE INDEX messages_of_room ON messages (room, number)",
    """CREATE TABLE deliveries (
        message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
        uuid TEXT NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('waiting', 'delivered', 'refused', 'withheld', 'expired')),
        reason TEXT,
        PRIMARY KEY (message, uuid)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX deliveries_waiting ON deliveries (uuid, message) WHERE state = 'waiting'",
)

_VERSION_2 = (
    # Ours are never looked up: only what comes from others can come twice.
    "DROP INDEX messages_once",
    "CREATE UNIQUE INDEX messages_once ON messages (sender_key, wire_id)"
    " WHERE wire_id IS NOT NULL AND own = 0",
    "CREATE TABLE recipients (number INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE) STRICT",
    "INSERT INTO recipients (uuid) SELECT DISTINCT uuid FROM deliveries ORDER BY uuid",
    "DROP INDEX deliveries_waiting",
    "ALTER TABLE deliveries RENAME TO old_deliveries",
    """CREATE TABLE deliveries (
        message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
        recipient INTEGER NOT NULL REFERENCES recipients,
        state TEXT NOT NULL
            CHECK (state IN ('waiting', 'delivered', 'refused', 'withheld', 'expired')),
        reason TEXT,
        PRIMARY KEY (message, recipient)
    ) STRICT, WITHOUT ROWID""",
    """INSERT INTO deliveries SELECT o.message, r.number, o.state, o.reason
        FROM old_deliveries o JOIN recipients r ON r.uuid = o.uuid""",
    "DROP TABLE old_deliveries",
    "CREATE INDEX deliveries_waiting ON deliveries (recipient, message) WHERE state = 'waiting'",
    "CREATE VIRTUAL TABLE search USING fts5(words, content='', columnsize=0, prefix='1 2 3',"
    " tokenize=\"ascii tokenchars '_'\")",
    "CREATE VIRTUAL TABLE search_words USING fts5vocab(search, instance)",
    """CREATE TABLE search_state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        indexed INTEGER NOT NULL,
        rules TEXT NOT NULL
    ) STRICT""",
)

_VERSION_3 = ("ALTER TABLE identity ADD COLUMN sealing BLOB",)

_VERSION_4 = (
    # `key`: SHA-256 of the public key that a code names, in hex; `verifies`: the code has not been used yet.
    """CREATE TABLE contacts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        uuid TEXT,
        key TEXT,
        verifies INTEGER NOT NULL,
        addresses TEXT NOT NULL,
        added INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE records (
        uuid TEXT PRIMARY KEY,
        record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
)

_VERSION_5 = (
    "ALTER TABLE messages ADD COLUMN drawing TEXT",
    "CREATE INDEX drawings_of_room ON messages (room, number) WHERE drawing IS NOT NULL",
    """CREATE TABLE strokes (
        digest BLOB NOT NULL,
        message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
        PRIMARY KEY (digest, message)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX strokes_of_message ON strokes (message)",
)

_VERSION_6 = (
    "CREATE TABLE reads (room TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    # Nobody knows how far it was: who comes from an earlier version begins with nothing unread.
    "INSERT INTO reads (room, number) SELECT room, max(number) FROM messages GROUP BY room",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
    _VERSION_6,
)
