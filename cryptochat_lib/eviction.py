"""Who makes way when too many strangers are remembered.

Anybody on the network can announce any number of peers, so room for keys that
the user has not decided about is bounded three times: for one UUID, for one
address, and in all. Keys that the user has decided about never make way.

Who is pending makes way last, also by a knock, which anybody can cause: but of
these there are few, 2 of the 8 keys of one address, 32 of the 256 (`questions`).
Where all together are too many, whoever claims the most of them goes first: one
who was here before a flood, or comes during it, has a single key.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from .interfaces import claimant
from .limits import Limits
from .model import KnownKey, PeerId, Trust


def surplus(
    new: KnownKey,
    keys: Sequence[KnownKey],
    pending: Collection[str],
    busy: Callable[[PeerId], bool],
    limits: Limits,
) -> list[KnownKey]:
    """Which unverified `keys` must go, now that `new`, which is among them, has come.

    Out goes the longest unseen of the address that has the most, and last of all those whose
    fingerprint is `pending`, and those for whom something is queued, as `busy` says.
    """

    everybody = [k for k in keys if k.trust is Trust.UNVERIFIED and not k.declined]
    crowds = Counter(claimant(k.address) for k in everybody)

    def worth(key: KnownKey) -> tuple[bool, int, int]:
        is_pending = key.certificate.fingerprint_sha256 in pending or busy(key.uuid)
        return is_pending, -crowds[claimant(key.address)], key.last_seen

    out: list[KnownKey] = []
    for group, most in (
        ([k for k in everybody if k.uuid == new.uuid], limits.keys_of_one_uuid),
        ([k for k in everybody if k.address == new.address], limits.unverified_keys_of_one_address),
        (everybody, limits.unverified_keys),
    ):
        left = [k for k in group if k not in out]
        if len(left) > most:
            out += sorted(left, key=worth)[: len(left) - most]
    return out
