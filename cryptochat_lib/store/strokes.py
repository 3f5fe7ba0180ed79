"""Who drew what: the strokes of our own history, by which a copied stroke's author is known.

A stroke keeps its author when it is copied into another drawing, but that is only what the sender of
the copy says. So of each drawing the strokes of its sender are remembered, by digest; a stroke that is
said to be of somebody, and came here before under that very key, is known to be theirs.

What was known when a message was stored stays said in it, as does how its sender had been verified.

Threads: any; a transaction is its caller's.
"""

from __future__ import annotations

from ..drawing import Drawing
from .database import Transaction

_FROM_THEM = """SELECT 1 FROM strokes s JOIN messages m ON m.number = s.message
    WHERE s.digest = ? AND m.sender_key = ? LIMIT 1"""


def remember(tx: Transaction, message: int, drawing: Drawing) -> None:
    """The strokes of `drawing` that the sender of `message` drew."""
    own = ((stroke.digest, message) for stroke in drawing.strokes if stroke.author is None)
    tx.executemany("INSERT OR IGNORE INTO strokes (digest, message) VALUES (?, ?)", own)


def known(tx: Transaction, drawing: Drawing) -> frozenset[int]:
    """Which strokes of `drawing` are said to be of somebody under whose key they came before."""
    return frozenset(
        at
        for at, stroke in enumerate(drawing.strokes)
        if stroke.author is not None
        and tx.execute(_FROM_THEM, (stroke.digest, drawing.authors[stroke.author].key)).fetchone()
    )
