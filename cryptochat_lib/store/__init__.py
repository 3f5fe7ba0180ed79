"""Everything that survives a restart, in one SQLite file.

`opening` opens the file and brings it up to date; `database` owns its
transactions, which share `commits`; `schema` says what is in it; the others each
know a few tables and speak in `model`'s values.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from ..identity import Identity
from ..limits import Limits
from ..sealing import SealedIdentity
from .contacts import Contacts
from .copies import copies_of
from .database import Database
from .keys import CODE, Keys
from .messages import Messages
from .opening import explaining, open_as_it_is, open_database
from .queue import Queue
from .reads import Reads
from .recipients import Recipients
from .records import Records
from .settings import Settings, store_identity
from .wiping import Contents, contents, wipe

__all__ = ["CODE", "Contents", "Keys", "Store"]


class Store:
    """The file and its tables. Usable from `open` to `close`."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.database = Database(path, limits)
        self.settings = Settings(self.database)
        self.contacts = Contacts(self.database, limits)
        self.keys = Keys(self.database, self.contacts)
        self.records = Records(self.database)
        self._recipients = Recipients(self.database)
        self.reads = Reads(self.database)
        self.messages = Messages(self.database, self._recipients, self.reads)
        self.queue = Queue(self.database, self._recipients)

    def open(self, make_identity: Callable[[], Identity | SealedIdentity]) -> None:
        """Open or create the file; a new one gets what `make_identity` returns. Raises StartupError."""
        open_database(self.database, store_identity(make_identity))
        self.settings.load()
        self.contacts.load()
        self.keys.load()
        self._recipients.load()
        self.messages.load()

    def copies(self) -> list[Path]:
        """The copies that migrations have made of it."""
        return copies_of(self.database.path)

    def open_to_wipe(self) -> Contents:
        """Lock the file as it is, and say what is in it. Raises StartupError."""
        open_as_it_is(self.database)
        return contents(self.database)

    def wipe(self) -> None:
        """Remove the file, and all that is ours beside it, for good."""
        wipe(self.database)

    def explaining(self) -> contextlib.AbstractContextManager[None]:
        """While the program starts: what goes wrong with files only now is a StartupError too."""
        return explaining(self.database)

    def close(self) -> None:
        self.database.close()
