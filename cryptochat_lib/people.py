"""What the user does about people: verify, compare live, withdraw, look, forget.

`verification` decides; here is what follows from a decision: what waited is
sent, or withheld. Threads: UI workers.
"""

from __future__ import annotations

from .comparer import Comparer
from .comparisons import Comparisons
from .errors import UnknownUser
from .looker import Looker
from .model import KnownKey, PeerId, Trust
from .outbox import Outbox
from .presence import Presence
from .store import CODE, Store
from .verification import Verification


class People:
    """The user's side of verification."""

    def __init__(
        self,
        store: Store,
        presence: Presence,
        verification: Verification,
        comparisons: Comparisons,
        comparer: Comparer,
        looker: Looker,
        outbox: Outbox,
    ) -> None:
        self._store = store
        self._presence = presence
        self._verification = verification
        self._comparisons = comparisons
        self._comparer = comparer
        self._looker = looker
        self._outbox = outbox

    def verify(self, uuid: PeerId, fingerprint: str | None, method: str) -> None:
        """Yes to one key: everyone who waits for it goes on, what is queued is sent.

        Raises UnknownUser, FingerprintDiffers, NoSingleCertificate; Conflict for a live comparison
        that has not taken place.
        """
        self._require_known(uuid)
        if method == "ceremony":
            self._comparisons.require_shown(uuid, fingerprint)
        self._say_yes(uuid, fingerprint, method)

    def verify_by_code(self, key: KnownKey) -> None:
        """Yes to the key that a contact code names: the user's, who has entered that. SpentCode."""
        self._say_yes(key.uuid, key.certificate.fingerprint_sha256, CODE)

    def withdraw(self, uuid: PeerId, fingerprint: str | None) -> None:
        """One step back: verified becomes unverified, unverified rejected.

        Raises UnknownUser, FingerprintDiffers, NoSingleCertificate.
        """
        self._require_known(uuid)
        withdrawn = self._verification.say_no(uuid, fingerprint)
        self._comparisons.end(uuid)
        left = self._store.keys.of(uuid)
        was_verified = any(key.trust is Trust.VERIFIED for key in withdrawn)
        if was_verified or not any(key.trust is Trust.UNVERIFIED for key in left):
            self._outbox.withhold(uuid)  # else one of two keys was an impostor's, and the other still waits

    def compare(self, uuid: PeerId, fingerprint: str | None) -> None:
        """The user has pressed "compare now". Raises what `verify` does, and TooManyRequests."""
        self._require_known(uuid)
        self._comparer.begin(uuid, fingerprint)

    def end_comparison(self, uuid: PeerId) -> None:
        """The user has seen enough of it. UnknownUser."""
        self._require_known(uuid)
        self._comparer.end(uuid)

    def look(self, uuid: PeerId) -> None:
        """The user wants to reach `uuid`: look at its certificate now, and ask. UnknownUser."""
        self._require_known(uuid)
        self._looker.look(uuid, asked=True)

    def forget(self, uuid: PeerId) -> None:
        """Forget `uuid`, its keys and how it was added; what waits for it is withheld. UnknownUser."""
        self._require_known(uuid)
        self._store.contacts.forget(uuid)  # first: what a code verifies until here is forgotten below
        self._verification.forget(uuid)
        self._comparisons.end(uuid)
        self._outbox.withhold(uuid)
        self._looker.forgotten(uuid)

    def _say_yes(self, uuid: PeerId, fingerprint: str | None, method: str) -> None:
        self._verification.say_yes(uuid, fingerprint, method)
        self._comparer.end(uuid)
        self._looker.look(uuid)
        self._outbox.wake(uuid)

    def _require_known(self, uuid: PeerId) -> None:
        if self._presence.of(uuid) is None and not self._store.keys.of(uuid):
            raise UnknownUser()
