"""The shapes that the page and scripts see: model values as JSON objects.

The counterpart of `wire` towards the user: `docs/API.md` names these objects
USER, MEMBER, ROOM and MESSAGE.
Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from .ceremony import Comparison, Phase
from .model import Contact, DeliveryState, KnownKey, Message, PeerId, ReadMark, RoomName, Trust, trust_of


@lru_cache(maxsize=256)  # one message's times are asked for again and again
def rfc3339(milliseconds: int) -> str:
    """A time as RFC 3339 in UTC with milliseconds.

    >>> rfc3339(0)
    '1970-01-01T00:00:00.000Z'
    """
    try:
        at = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    except (OverflowError, ValueError, OSError):  # a sender may claim the year 300,000
        return "9999-12-31T23:59:59.999Z"
    return f"{at.isoformat()[:19]}.{milliseconds % 1000:03d}Z"


def message(value: Message) -> dict[str, Any]:
    """MESSAGE."""
    shape: dict[str, Any] = {
        "id": str(value.number),
        "room": value.room,
        "content": value.content,
        "sender": {"uuid": value.sender, "username": value.username},
        "time": rfc3339(value.time),
        "sent": None if value.sent is None else rfc3339(value.sent),
        "kind": value.kind,
        "own": value.own,
        "method": value.method,
        "deliveries": [
            {"uuid": uuid, "state": state, "reason": reason} for uuid, state, reason in value.deliveries
        ],
    }
    if value.drawing is not None:
        shape["drawing"] = json.loads(value.drawing)
    return shape


def size(value: Message) -> int:
    """About how many bytes MESSAGE has as JSON in ASCII, at the most."""
    drawing = value.drawing or ""
    drawn = len(drawing) * (1 if drawing.isascii() else 6)
    return 1024 + 6 * len(value.content) + drawn + 128 * len(value.deliveries)


def read_mark(value: ReadMark) -> dict[str, Any]:
    """READ: how far the user has read in a room."""
    return {
        "room": value.room,
        "read": None if value.number is None else str(value.number),
        "unread": value.unread,
    }


def delivery(
    uuid: PeerId, number: int, room: RoomName, state: DeliveryState, reason: str | None
) -> dict[str, Any]:
    """A `delivery` event: how far a message of ours got on its way to one person."""
    return {"id": str(number), "room": room, "uuid": uuid, "state": state.value, "reason": reason}


def question(
    key: KnownKey, username: str | None, address: str | None, reason: str, time: int
) -> dict[str, Any]:
    """A `verification` event: somebody is pending since `time`."""
    return {
        "uuid": key.uuid,
        "fingerprint": key.certificate.fingerprint,
        "fingerprint_sha256": key.certificate.fingerprint_sha256,
        "safety_number": key.safety_number,
        "username": username,
        "address": address,
        "reason": reason,
        "time": rfc3339(time),
    }


def comparison(value: Comparison) -> dict[str, Any]:
    """COMPARISON: how far a live comparison has got."""
    result = value.result
    return {
        "fingerprint_sha256": value.key.certificate.fingerprint_sha256,
        "state": value.phase.value,
        "digits": None if result is None else result.digits,
        "picture": None if result is None else [part._asdict() for part in result.picture],
        "reason": value.reason if value.phase is Phase.FAILED else None,
    }


def contact(value: Contact, found: bool, trouble: str | None) -> dict[str, Any]:
    """CONTACT: somebody whom the user has added."""
    return {
        "id": str(value.number),
        "uuid": value.uuid,
        "by": "address" if value.key is None else "code",
        "addresses": list(value.addresses),
        "state": "found" if found else "looking",
        "reason": trouble,
        "added": rfc3339(value.added),
    }


def user(
    keys: Sequence[KnownKey],
    uuid: PeerId,
    announced_name: str | None,
    online: bool,
    pending: bool,
    compared: dict[str, Any] | None = None,
    *,
    reachability: str = "away",
    seen: int | None = None,
    trouble: str | None = None,
) -> dict[str, Any]:
    """USER: one row for a UUID, whatever has been seen under it.

    `username_verified`: the name came in a message under the verified key; else
    it is only what somebody announced ("calls itself ..."). `resembles` takes the whole list: `roster`.
    `seen`: our last contact in this run; without one the key was last seen in an earlier run.
    """
    shown = sorted(keys, key=lambda k: (k.trust is Trust.REJECTED, k.trust is not Trust.VERIFIED))
    first = shown[0] if shown else None
    named = first is not None and first.trust is Trust.VERIFIED and first.username is not None
    other = next((k for k in shown[1:] if k.trust is Trust.UNVERIFIED), None)
    reachable = reachability == "reachable"
    last = seen if seen is not None or first is None else first.last_seen
    return {
        "uuid": uuid,
        "username": first.username if named and first else announced_name,
        "username_verified": named,
        "resembles": None,
        "fingerprint": first.certificate.fingerprint if first else None,
        "fingerprint_sha256": first.certificate.fingerprint_sha256 if first else None,
        "safety_number": first.safety_number if first else None,
        "status": trust_of(keys),
        "online": online,
        "reachability": reachability,
        "seen": None if reachable or last is None else rfc3339(last),
        "trouble": trouble,
        "pending": pending,
        "comparison": compared,
        "conflict": None if other is None else _conflict(other),
    }


def _conflict(key: KnownKey) -> dict[str, Any]:
    return {
        "fingerprint": key.certificate.fingerprint,
        "fingerprint_sha256": key.certificate.fingerprint_sha256,
        "address": key.address,
        "first_seen": rfc3339(key.first_seen),
    }
