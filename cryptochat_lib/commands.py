"""The sub-commands beside `run`: each does one thing to a database that no CryptoChat is using.

`passphrase` seals our key, seals it anew, or takes the seal away. `wipe` removes
everything. Both hold the lock of the database from before the first question to
the end, so what was shown is what is changed.

All questions come first: a signal ends the command at a question, with identity and
history as they were. By then `passphrase` has opened the database as a start does:
one of an older version is up to date, the copy that `opening` makes beside it. What
follows is short, and is not interrupted; should it be killed, the next start of any
command finishes it (`Database.erase`, `store/wiping.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import StartupError, StorageFailed, StorageFull
from .identity import Identity, create_identity
from .limits import Limits
from .options import PassphraseOptions, WipeOptions
from .screen import tell
from .sealing import SealedIdentity, seal
from .store import Contents, Store
from .terminal import Terminal


def perform(asked: PassphraseOptions | WipeOptions, terminal: Terminal) -> None:
    """Do what was asked for, and say so on stdout; StartupError if that cannot be."""
    if isinstance(asked, WipeOptions):
        _wipe(asked, terminal)
    elif not _is_new(asked.db):
        _change_passphrase(asked, terminal)
    elif asked.remove:
        raise StartupError(f"there is no database {asked.db}")
    else:
        _begin_sealed(asked, terminal)


def _is_new(path: Path) -> bool:
    """Not there, or empty, as a first start that was killed leaves it."""
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True
    except OSError:  # opening it will say why
        return False


def _begin_sealed(asked: PassphraseOptions, terminal: Terminal) -> None:
    """A new database, on whose disk the key has never been in the clear."""
    chosen = terminal.choose(asked.new_passphrase_fd)
    store = Store(asked.db, Limits())
    made: list[SealedIdentity] = []

    def make() -> SealedIdentity:
        made.append(seal(create_identity(), chosen))
        return made[0]

    with _opened(store, make):
        if not made:
            raise StartupError(f"somebody else has just made {asked.db}: start again")
    tell(f"A new identity is in {asked.db}, its key sealed under this passphrase.")


def _change_passphrase(asked: PassphraseOptions, terminal: Terminal) -> None:
    tell(*_changed(asked, terminal))


def _changed(asked: PassphraseOptions, terminal: Terminal) -> list[str]:
    """What has been done."""
    store = Store(asked.db, Limits())
    with _opened(store, create_identity):
        stored = store.settings.identity()
        if isinstance(stored, Identity) and asked.remove:
            return ["No passphrase is set."]
        identity = (
            terminal.open(stored, asked.passphrase_fd) if isinstance(stored, SealedIdentity) else stored
        )
        chosen = None if asked.remove else terminal.choose(asked.new_passphrase_fd)
        copies = store.copies()
        _replace(store, identity if chosen is None else seal(identity, chosen))
    return [
        f"The passphrase is removed: the key is in {asked.db} in the clear."
        if chosen is None
        else f"The key in {asked.db} is sealed under this passphrase from now on.",
        *(f"Removed, since it held the key as it was before: {copy}" for copy in copies),
    ]


def _replace(store: Store, identity: Identity | SealedIdentity) -> None:
    try:
        store.settings.replace_identity(identity)
    except StorageFull as error:
        raise StartupError("the disk is full: the key is stored as it was") from error
    except StorageFailed as error:
        raise StartupError(
            f"the passphrase is changed, but {error}: the next start tries to remove them"
        ) from error


def _wipe(asked: WipeOptions, terminal: Terminal) -> None:
    store = Store(asked.db, Limits())
    with contextlib.closing(store):
        with store.explaining():
            found = store.open_to_wipe()
        tell(*_what_goes(found))
        word = found.path.name
        if terminal.confirm(f"Type {word} to confirm: ") != word:
            raise StartupError(f"this was not {word}: nothing was removed")
        with store.explaining():
            store.wipe()
    tell("It is gone. Copies of it elsewhere are not: see SECURITY.md.")


def _what_goes(found: Contents) -> list[str]:
    messages = "messages that cannot be counted" if found.messages is None else f"{found.messages} messages"
    return [
        f"This removes, for good, {found.path}",
        f"  the identity: {found.username or 'no name'}, {found.uuid or 'an identity that cannot be read'}",
        f"  the history: {messages}",
        *(f"  and its copy {copy.name}" for copy in found.copies),
        "Friends will meet a stranger: they have to compare keys with you anew.",
    ]


@contextlib.contextmanager
def _opened(store: Store, make: Callable[[], Identity | SealedIdentity]) -> Iterator[None]:
    """`store`, opened and at last closed; what goes wrong with its file is a StartupError."""
    with store.explaining(), contextlib.closing(store):
        store.open(make)
        yield
