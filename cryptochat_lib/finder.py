"""Finding whoever is at an address that the user has typed.

`looker` looks for somebody whose UUID is known, and refuses everybody else who answers. Here
nobody is expected: whoever shows a certificate that we could accept is remembered as
unverified, where it was found, and the user is asked. Trust comes as it always does.

    1. a name is looked up, anew at each try: what it means today may be another machine.
       Link-local IPv6 without a scope is tried on each of our links
    2. a look at all that it can mean, side by side
    3. it is ourselves, a copy of us, or somebody

What came of it is noted at the typed address, too (`attempts`).

Threads: `find` and `where` on any; up to 2 workers named `find`, so that names that nobody
answers for hold up no look. `_lock` guards what is due, what names meant, and how many workers there are.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading

from . import peer_client
from .attempts import ITSELF, NO_ROUTE, NO_SUCH_NAME, WRONG_KEY, Attempts
from .contact_code import MOST_ADDRESSES, TypedAddress, parse_address
from .errors import CryptoChatError, UnacceptableCertificate, Unreachable
from .limits import Limits
from .looker import Looker
from .model import Certificate, Contact, Endpoint, is_of_a_machine
from .neighbourhood import Neighbourhood
from .presence import Presence
from .store import Store
from .workers import start_workers

_log = logging.getLogger(__name__)


class Finder:
    """Finds people by addresses. Make it, `find`, `close` it."""

    def __init__(
        self,
        own: Certificate,
        store: Store,
        presence: Presence,
        looker: Looker,
        neighbourhood: Neighbourhood,
        attempts: Attempts,
        limits: Limits,
    ) -> None:
        self._own = own
        self._store = store
        self._presence = presence
        self._looker = looker
        self._neighbourhood = neighbourhood
        self._attempts = attempts
        self._limits = limits
        self._lock = threading.Lock()
        self._due: dict[int, Contact] = {}
        self._meant: dict[str, tuple[str, ...]] = {}  # the addresses of each name, when last looked up
        self._workers = 0
        self._closed = False

    def find(self, contact: Contact) -> None:
        """Look soon who is at the address of `contact`."""
        with self._lock:
            self._due[contact.number] = contact
            if self._closed or self._workers >= self._limits.contacts_at_once:
                return
            self._workers += 1
        if not start_workers("find", self._work, 1):  # the next `find` tries again
            with self._lock:
                self._workers -= 1

    def where(self, contact: Contact) -> list[Endpoint]:
        """What the addresses of `contact` mean here: names what they meant when last looked up."""
        found = []
        for typed in map(parse_address, contact.addresses):
            if typed.is_name:
                with self._lock:
                    hosts = list(self._meant.get(typed.host, ()))
            else:
                hosts = self._neighbourhood.places(typed.host)
            found += [Endpoint(host, typed.port) for host in hosts]
        return found

    def typed(self, contact: Contact) -> list[Endpoint]:
        """Where what came of the last tries is noted, while nobody has been found."""
        return [_as_typed(typed) for typed in map(parse_address, contact.addresses)]

    def close(self) -> None:
        """Begin nothing more; what runs ends by its own deadlines."""
        with self._lock:
            self._closed = True

    def _work(self) -> None:
        try:
            while (contact := self._next()) is not None:
                self._guarded(contact)
        finally:
            self._store.database.close_thread()

    def _next(self) -> Contact | None:
        with self._lock:
            if self._closed or not self._due:
                self._workers -= 1
                return None
            return self._due.pop(next(iter(self._due)))

    def _guarded(self, contact: Contact) -> None:
        typed = parse_address(contact.addresses[0])
        trouble: str | None = None
        try:
            self._find(contact, typed)
        except Unreachable as error:
            trouble = error.why
        except UnacceptableCertificate:
            trouble = WRONG_KEY
        except CryptoChatError as error:
            _log.debug("finding %s: %s", typed, error)
            return
        except Exception:  # the top of a thread; a full disk, say, which passes
            _log.exception("finding somebody failed")
            return
        self._attempts.note(_as_typed(typed), trouble)
        self._presence.touch(contact.uuid or self._own.uuid)  # the user sees why

    def _find(self, contact: Contact, typed: TypedAddress) -> None:
        """Raises Unreachable, UnacceptableCertificate."""
        endpoint, certificate = peer_client.look_at_any(self._places(typed), self._limits, self._attempts)
        if certificate == self._own:
            self._attempts.note(endpoint, ITSELF)
            self._looker.look_at_claim(endpoint)
            raise Unreachable("we have reached ourselves", why=ITSELF)
        if contact.uuid not in (None, certificate.uuid):  # it was found; this says where it is today
            self._attempts.note(endpoint, WRONG_KEY)
            raise UnacceptableCertificate("somebody else answers there now")
        if self._looker.meet(certificate, endpoint, asked=contact.uuid is None):
            self._store.contacts.found(contact.number, certificate.uuid)
            self._presence.touch(certificate.uuid)

    def _places(self, typed: TypedAddress) -> tuple[Endpoint, ...]:
        """All that `typed` means now. Unreachable if that is nothing."""
        if not typed.is_name:
            hosts = self._neighbourhood.places(typed.host)
            why = NO_ROUTE
        else:
            hosts, why = _looked_up(typed.host), NO_SUCH_NAME
            with self._lock:
                self._meant[typed.host] = tuple(hosts)
        if not hosts:
            raise Unreachable(f"{typed} is nowhere", why=why)
        return tuple(Endpoint(host, typed.port) for host in hosts)


def _as_typed(typed: TypedAddress) -> Endpoint:
    return Endpoint(typed.host, typed.port)


def _looked_up(name: str) -> list[str]:
    """The IP addresses of `name`, in the order in which the system prefers them (RFC 6724): the first eight.

    A name server can answer with anything. Only what one machine can have is connected to.
    """
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    hosts = dict.fromkeys(str(address[0]).removeprefix("::ffff:") for *_, address in found)
    return [host for host in hosts if is_of_a_machine(ipaddress.ip_address(host))][:MOST_ADDRESSES]
