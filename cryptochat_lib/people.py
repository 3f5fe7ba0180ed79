"""What the user does about people: verify, withdraw, look, forget.

`verification` decides; here is what follows from a decision: what waited is
sent, or withheld. Threads: UI workers.
"""

from __future__ import annotations

from .errors import UnknownUser
from .looker import Looker
from .model import PeerId, Trust
from .outbox import Outbox
from .presence import Presence
from .store import Store
from .verification import Verification


class People:
    """The user's side of verification."""

    def __init__(
        self, store: Store, presence: Presence, verification: Verification, looker: Looker, outbox: Outbox
    ) -> None:
        self._store = store
        self._presence = presence
        self._verification = verification
        self._looker = looker
        self._outbox = outbox

    def verify(self, uuid: PeerId, fingerprint: str | None, method: str) -> None:
        """Yes to one key: everyone who waits for it goes on, what is queued is sent.

        Raises UnknownUser, FingerprintDiffers, NoSingleCertificate.
        """
        self._require_known(uuid)
        self._verification.say_yes(uuid, fingerprint, method)
        self._looker.look(uuid)
        self._outbox.wake(uuid)

    def withdraw(self, uuid: PeerId, fingerprint: str | None) -> None:
        """One step back: verified becomes unverified, unverified rejected.

        Raises UnknownUser, FingerprintDiffers, NoSingleCertificate.
        """
        self._require_known(uuid)
        withdrawn = self._verification.say_no(uuid, fingerprint)
        left = self._store.keys.of(uuid)
        was_verified = any(key.trust is Trust.VERIFIED for key in withdrawn)
        if was_verified or not any(key.trust is Trust.UNVERIFIED for key in left):
            self._outbox.withhold(uuid)  # else one of two keys was an impostor's, and the other still waits

    def look(self, uuid: PeerId) -> None:
        """The user wants to reach `uuid`: look at its certificate now, and ask. UnknownUser."""
        self._require_known(uuid)
        self._looker.look(uuid, asked=True)

    def forget(self, uuid: PeerId) -> None:
        """Forget `uuid` and its keys; what waits for it is withheld. UnknownUser."""
        self._require_known(uuid)
        self._verification.forget(uuid)
        self._outbox.withhold(uuid)
        self._looker.forgotten(uuid)

    def _require_known(self, uuid: PeerId) -> None:
        if self._presence.of(uuid) is None and not self._store.keys.of(uuid):
            raise UnknownUser()
