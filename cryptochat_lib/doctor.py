"""The doctor: why somebody is not seen here, or does not see us.

An examination goes like this, and is over within about 2 seconds:

    1. mDNS is asked, on every link, who is here
    2. whoever should be there and does not answer is tried once more: a look, without our
       certificate, that teaches nobody anything (`attempts` notes what came of it)
    3. what is known then is collected, and `diagnosis` makes sentences of it

It must be possible whatever is broken: what cannot be collected is itself a finding. Nothing is
examined twice in 5 seconds: who asks so soon gets the last result, and who asks meanwhile waits for it.

Threads: any; what is tried again has threads of its own, named `examine`, which end by the deadlines of
`dialing`. `_changed` guards the last result and whether an examination goes on; it is not held during one.
"""

from __future__ import annotations

import contextlib
import logging
import platform
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from . import __version__, diagnosis, tls
from .attempts import UNDECIDED, WRONG_KEY, Attempts
from .clones import Clones
from .dialing import dial
from .discovery import LinkHealth
from .errors import CryptoChatError
from .finding import ANSWERED, Examined, Person, Said
from .greetings import Greetings
from .identity import parse_certificate
from .interfaces import present
from .limits import Limits
from .model import Endpoint, PeerId
from .neighbourhood import Neighbourhood
from .presence import Presence
from .profile import Profile
from .roster import Roster
from .store.database import sqlite_version
from .store.keys import Keys
from .whereabouts import Reach, Whereabouts

_log = logging.getLogger(__name__)

_OF_PATIENCE = 0.4  # a try's part of the time: two fit, one after the other
_WAITS_OF_PATIENCE = 3.0  # for an examination that somebody else has begun

T = TypeVar("T")
Contact = Mapping[str, Any]
"""CONTACT of docs/API.md."""


class KnowsLinks(Protocol):
    """What the doctor needs of discovery."""

    def ask(self) -> None: ...
    def health(self) -> list[LinkHealth]: ...


class Doctor:
    """`examine`s this node. `contacts`: what the user has added."""

    def __init__(
        self,
        discovery: KnowsLinks,
        interface_names: Sequence[str],
        roster: Roster,
        presence: Presence,
        keys: Keys,
        attempts: Attempts,
        profile: Profile,
        clones: Clones,
        neighbourhood: Neighbourhood,
        greetings: Greetings,
        limits: Limits,
        contacts: Callable[[], Sequence[Contact]],
    ) -> None:
        self._discovery = discovery
        self._names = tuple(interface_names)
        self._roster = roster
        self._presence = presence
        self._keys = keys
        self._attempts = attempts
        self._profile = profile
        self._clones = clones
        self._neighbourhood = neighbourhood
        self._limits = limits
        self._greetings = greetings
        self._contacts = contacts
        self._changed = threading.Condition()
        self._examining = False
        self._last: tuple[float, dict[str, Any]] | None = None  # when, and what was found

    def examine(self) -> dict[str, Any]:
        """DOCTOR of docs/API.md."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self._examining, _WAITS_OF_PATIENCE * self._limits.doctor_seconds
            )
            if self._last and time.monotonic() - self._last[0] < self._limits.doctor_again_seconds:
                return self._last[1]
            self._examining = True
        found: dict[str, Any] | None = None
        try:
            with _surviving():
                self._ask()
            found = self._found()
        finally:
            with self._changed:
                self._examining = False
                if found is not None:
                    self._last = (time.monotonic(), found)
                self._changed.notify_all()
        return found

    # Steps 1 and 2.

    def _ask(self) -> None:
        """Ask mDNS, and try again whoever does not answer; all of it within `doctor_seconds`."""
        ends = time.monotonic() + self._limits.doctor_seconds
        self._discovery.ask()
        silent = [where for where in self._presence.all() if self._is_to_be_tried(where)]
        threads = [
            threading.Thread(target=self._try_again, args=(where,), name="examine", daemon=True)
            for where in silent[: self._limits.looks_at_once]
        ]
        with contextlib.suppress(RuntimeError):  # the system has no thread for this
            for thread in threads:
                thread.start()
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, ends - time.monotonic()))
        left = ends - self._limits.doctor_seconds / 2 - time.monotonic()
        if left > 0:  # so long answers over mDNS may take
            time.sleep(left)

    def _is_to_be_tried(self, where: Whereabouts) -> bool:
        """Whether somebody should be there, and has not answered the last time."""
        trouble = self._attempts.trouble(where.endpoints)
        return where.announced and where.reach is not Reach.REACHABLE and trouble not in (None, UNDECIDED)

    def _try_again(self, where: Whereabouts) -> None:
        """One look, at all addresses, for the one whom we know, or for who is announced there."""
        key = next(iter(self._keys.of(where.uuid)), None)
        patience = self._limits.doctor_seconds * _OF_PATIENCE
        limits = replace(self._limits, connect_seconds=patience, handshake_seconds=patience)
        try:
            handshake = tls.looking(pinned=key.certificate if key else None)
            endpoint, sock = dial(lambda: where.endpoints, handshake, limits, self._attempts)
            with sock:
                if parse_certificate(sock.getpeercert(binary_form=True) or b"").uuid != where.uuid:
                    self._attempts.note(endpoint, WRONG_KEY)
        except CryptoChatError as error:
            _log.debug("examination of %s: %s", where.uuid, error)
        except Exception:  # the top of a thread
            _log.exception("an examination failed")
        self._presence.touch(where.uuid)

    # Step 3.

    def _found(self) -> dict[str, Any]:
        examined = self._collect()
        return {
            "findings": [finding.shape() for finding in diagnosis.find(examined, _call)],
            "visible": diagnosis.visible(self._shown(examined)),
            "report": diagnosis.report(examined, _versions()),
        }

    def _collect(self) -> Examined:
        """What is known now; what fails is named in it."""
        unknown: list[str] = []

        def known(what: str, ask: Callable[[], Sequence[T]]) -> Sequence[T]:
            return _known(ask, lambda: unknown.append(what))

        links = known("discovery", self._discovery.health)
        users = known("people", self._users)
        contacts = known("contacts", self._added)
        rooms = known("rooms", self._profile.rooms)
        here = known("interfaces", lambda: present(self._names))
        clone = self._clones.found
        return Examined(
            links=tuple(links),
            has_interface=bool(here) or "interfaces" in unknown or any(link.addresses for link in links),
            people=(*users, *contacts),
            rooms=len(rooms),
            port=self._profile.port,
            clone=clone.address if clone else None,
            unknown=tuple(unknown),
            now=time.monotonic(),
            wall=time.time(),
        )

    def _users(self) -> list[Person]:
        """Everybody of whom the page knows, but those to whom the user has said no."""
        around = {where.uuid: where for where in self._presence.all()}
        added = {contact["uuid"] for contact in self._contacts() if contact["uuid"]}
        return [
            self._person(user, around.get(user["uuid"]), user["uuid"] in added)
            for user in self._roster.users()
            if user["status"] != "rejected"
        ]

    def _person(self, user: Mapping[str, Any], where: Whereabouts | None, added: bool) -> Person:
        endpoints = where.endpoints if where else ()
        return Person(
            uuid=user["uuid"],
            name=user["username"],
            reach=Reach(user["reachability"]),
            announced=where.announced if where else False,
            added=added,
            near=self._is_near(endpoints[:1]),
            trouble=user["trouble"],
            addresses=tuple(map(str, endpoints)),
            verified=user["status"] == "verified",
            said=self._said(user["uuid"]) if user["status"] == "verified" else None,
        )

    def _is_near(self, likeliest: Sequence[Endpoint]) -> bool:
        """Whether somebody answers at an address on one of our links: there mDNS should be heard."""
        return any(
            self._neighbourhood.is_next_to(endpoint.host)
            and (last := self._attempts.at(endpoint)) is not None
            and last.trouble is None
            for endpoint in likeliest
        )

    def _said(self, uuid: PeerId) -> Said | None:
        """What its last greeting said, if that is not long ago, and the network is still the same.

        That it cannot reach us is no longer so, or was never, if it has come by itself meanwhile.
        """
        counts_from = max(time.monotonic() - self._limits.contact_seconds, self._presence.moved_at)
        last = self._greetings.last(uuid)
        if last is None or last.at < counts_from:
            return None
        came = self._greetings.came_at(uuid) >= counts_from
        return Said(last.offset_seconds, last.heard_us, ANSWERED if came else last.reach_us)

    def _added(self) -> list[Person]:
        """What the user has added that is nobody yet."""
        users = {user["uuid"] for user in self._roster.users()}
        return [
            Person(None, None, added=True, trouble=one["reason"], addresses=tuple(one["addresses"]))
            for one in self._contacts()
            if one["state"] == "looking" and one["uuid"] not in users
        ]

    def _shown(self, examined: Examined) -> diagnosis.Shown:
        profile = self._profile
        return diagnosis.Shown(
            profile.uuid,
            profile.certificate.fingerprint_sha256,
            profile.announced_name,
            tuple(_known(profile.rooms)),
            tuple(host for link in examined.links if link.open for host in link.addresses),
            profile.port,
        )


def _call(person: Person) -> str:
    """A person's name, for the user; else where they are. A stranger's name is only what it chose."""
    if person.name and not person.verified:
        return f"somebody who calls itself “{person.name}”"
    return person.name or next(iter(person.addresses), "somebody")


@contextlib.contextmanager
def _surviving() -> Iterator[None]:
    """Whatever fails in here, an examination goes on: it is for when things do."""
    try:
        yield
    except Exception:
        _log.exception("something could not be examined")


def _known(ask: Callable[[], Sequence[T]], failed: Callable[[], None] = lambda: None) -> Sequence[T]:
    """What `ask` returns; nothing if it fails, for whatever reason."""
    with _surviving():
        return ask()
    failed()
    return ()


def _versions() -> list[str]:
    return [
        f"CryptoChat {__version__}, Python {platform.python_version()}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        f"SQLite {'.'.join(map(str, sqlite_version()))}, {tls.VERSION}",
    ]
