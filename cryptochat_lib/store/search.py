"""The full-text index: which messages hold which words.

What is indexed are the words of `words`, one space between them: letters and
digits and nothing else, so what FTS5 is asked consists of such words too, and no
query of a user is ever parsed by it. A message's room and sender are two words
more, of a form that no text has, so that a common word in a quiet room is found
as fast as a rare one.

The newest messages are read, not indexed: those behind `search_state.indexed`,
`STRETCH` of them or a few more. What fills a stretch indexes all of it, in its
own transaction, which costs a commit much less than a row of its own would
(FTS5 writes a segment for each commit, and merges them again and again).

The index keeps no copy of the text ("contentless"), so to delete from it one must
say exactly what was indexed. That is why it is made anew when the rules by which
text is cut have changed (`is_current`).

Of the beginning of a word, FTS5 keeps the first three signs. A longer one is
looked up as the words that there are with that beginning, if these are few:
else FTS5 would read all of their rows, of which there may be a million.

Threads: any; a transaction is its caller's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from .. import words
from ..model import Message, PeerId, RoomName
from .database import Transaction

STRETCH = 128
_LONGEST_READ = 4_096  # characters: a longer message is indexed at once, or reading it would take long
_KEPT_BEGINNING = 3
_MOST_ENDINGS = 40


def is_due(messages: Sequence[Message], indexed: int) -> bool:
    """Whether `messages`, which have just been stored, fill a stretch if the index goes to `indexed`."""
    return messages[-1].number - indexed >= STRETCH or any(len(m.content) > _LONGEST_READ for m in messages)


def catch_up(tx: Transaction) -> None:
    """Index what is stored and not indexed yet."""
    rows = tx.execute(
        "SELECT number, room, sender, content FROM messages"
        " WHERE number > (SELECT indexed FROM search_state) ORDER BY number"
    )
    tx.executemany("INSERT INTO search (rowid, words) VALUES (?, ?)", _indexed(rows))
    tx.execute(
        "UPDATE search_state SET indexed = max(indexed, (SELECT coalesce(max(number), 0) FROM messages))"
    )


def reaches(reader: Transaction) -> int:
    """The number of the last message that is indexed."""
    number: int = reader.execute("SELECT indexed FROM search_state").fetchone()[0]
    return number


def is_current(tx: Transaction) -> bool:
    """Whether the index was made by the rules that hold now."""
    row = tx.execute("SELECT rules FROM search_state").fetchone()
    return row is not None and row["rules"] == words.RULES


def rebuild(tx: Transaction) -> None:
    """Index every message anew, by the rules that hold now."""
    tx.execute("INSERT INTO search (search) VALUES ('delete-all')")
    tx.execute("INSERT OR REPLACE INTO search_state VALUES (1, 0, ?)", (words.RULES,))
    catch_up(tx)


def forget(tx: Transaction, room: RoomName) -> None:
    """Take the messages of `room`, which are still stored, out of the index, and all traces of them."""
    rows = tx.execute(
        "SELECT number, room, sender, content FROM messages WHERE room = ?"
        " AND number <= (SELECT indexed FROM search_state)",
        (room,),
    )
    tx.executemany("INSERT INTO search (search, rowid, words) VALUES ('delete', ?, ?)", _indexed(rows))
    # Until segments are merged, a deleted row is only covered by another one.
    tx.execute("INSERT INTO search (search) VALUES ('optimize')")


def numbers(
    reader: Transaction,
    query: words.Query,
    room: RoomName | None,
    sender: PeerId | None,
    before: int,
    limit: int,
) -> list[int]:
    """The newest `limit` messages before number `before` with all words of `query`, newest first."""
    if not query.phrases:
        return []
    # First how far the index goes: should it grow meanwhile, nothing is found twice or missed.
    indexed = reaches(reader)
    found = list(_read(reader, query, room, sender, indexed, before))[:limit]
    if len(found) < limit:
        filters = [_filter("r", room), _filter("s", sender)]
        rows = reader.execute(
            "SELECT rowid FROM search WHERE search MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
            (_match(reader, query, filters), min(before, indexed + 1), limit - len(found)),
        )
        found += [row[0] for row in rows]
    return found


def _read(
    reader: Transaction,
    query: words.Query,
    room: RoomName | None,
    sender: PeerId | None,
    after: int,
    before: int,
) -> Iterator[int]:
    """Among the messages that are not indexed yet, newest first."""
    rows = reader.execute(
        "SELECT number, content FROM messages WHERE number > ? AND number < ?"
        " AND coalesce(room = ?, 1) AND coalesce(sender = ?, 1) ORDER BY number DESC",
        (after, before, room, sender),
    )
    return (row["number"] for row in rows.fetchall() if words.find(query, row["content"]))


def _match(reader: Transaction, query: words.Query, filters: Iterable[str]) -> str:
    """What FTS5 is asked: words in quotes, and what is ours between them."""
    *whole, last = query.phrases
    asked = [_phrase([word]) for word in filters if word] + [_phrase(phrase) for phrase in whole]
    return " AND ".join([*asked, _beginning(reader, last) if query.open_ended else _phrase(last)])


def _beginning(reader: Transaction, phrase: tuple[str, ...]) -> str:
    """A phrase whose last word may go on."""
    *firsts, last = phrase
    if len(last) > _KEPT_BEGINNING:
        known = _known_words(reader, last)
        if len(known) <= _MOST_ENDINGS:
            return "(" + " OR ".join(_phrase((*firsts, word)) for word in known or [last]) + ")"
    return f"{_phrase(phrase)} *"


def _known_words(reader: Transaction, beginning: str) -> list[str]:
    """The words of the index with that beginning; of more than `_MOST_ENDINGS`, one more than these."""
    known: list[str] = []
    at = beginning
    while len(known) <= _MOST_ENDINGS:
        row = reader.execute("SELECT term FROM search_words WHERE term >= ? LIMIT 1", (at,)).fetchone()
        if row is None or not row["term"].startswith(beginning):
            break
        known.append(row["term"])
        at = row["term"] + "0"  # no sign of a word comes before 0: this is the next one
    return known


def _phrase(phrase: Iterable[str]) -> str:
    return '"' + " ".join(phrase) + '"'


@lru_cache(maxsize=1024)
def _filter(kind: str, value: str | None) -> str:
    """A room or a sender as a word of the index: no text has one with that first sign. Empty for none."""
    if value is None:
        return ""
    return f"_{kind}{hashlib.sha256(value.encode()).hexdigest()[:32]}"


def _indexed(rows: Iterable[tuple[int, RoomName, PeerId, str]]) -> Iterator[tuple[int, str]]:
    """What the index holds of each of these messages: the same whenever it is asked, by the same rules."""
    for number, room, sender, content in rows:
        yield number, " ".join([_filter("r", room), _filter("s", sender), *words.cut(content)])
