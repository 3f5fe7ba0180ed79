"""Every error that leaves CryptoChat, in one tree.

An error carries its HTTP status and a stable `code` as data; its text is one
sentence a person can act on, and is what that person sees. `routing` turns an
error into a reply, once, for both servers; `cryptochat.py` turns a
`StartupError` into one line on stderr and its exit status.

What belongs here: classes. What does not: handling.
"""

from __future__ import annotations


class CryptoChatError(Exception):
    """The root. Its text is shown to people: one sentence, no secrets."""

    status = 500
    code = "internal"

    def __init__(self, message: str = "", *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").splitlines()[0])
        self.headers = headers or {}


class BadRequest(CryptoChatError):
    """The request is not of a form that we understand."""

    status = 400
    code = "malformed"


class NotAMember(BadRequest):
    """We have not joined that room, so its messages are not for us."""

    code = "not-a-member"


class DamagedCode(BadRequest):
    """A character of this code is missing or wrong: copy it again."""

    code = "damaged-code"


class NewerCode(BadRequest):
    """This code is of a newer CryptoChat than yours: bring yours up to date."""

    code = "newer-code"


class Unauthorized(CryptoChatError):
    """This request needs the session's token: open CryptoChat from its own start page."""

    status = 401
    code = "unauthorized"


class Forbidden(CryptoChatError):
    """The request comes from where it must not come from."""

    status = 403
    code = "forbidden"


class AnotherAccount(Forbidden):
    """This CryptoChat belongs to another account of this machine: start one of your own."""


class NotAllowed(Forbidden):
    """This peer may not talk to us."""

    code = "rejected"


class WrongPeer(NotAllowed):
    """Somebody else answered at that address: the certificate names another peer."""


class PeerRejected(NotAllowed):
    """The user has said no to this key."""


class PeerUndecided(NotAllowed):
    """The user has not said yes to this key."""

    code = "unverified"


class CertificateChanged(PeerUndecided):
    """A peer we know presented a key we do not. Never resolved automatically."""


class NotFound(CryptoChatError):
    """There is nothing at this address."""

    status = 404
    code = "not-found"


class UnknownUser(NotFound):
    """No such user has been seen."""

    code = "unknown-user"


class UnknownContact(NotFound):
    """No such contact has been added."""

    code = "unknown-contact"


class MethodNotAllowed(CryptoChatError):
    """This address exists, but does not do that."""

    status = 405
    code = "method-not-allowed"


class Conflict(CryptoChatError):
    """The request does not fit the state of things."""

    status = 409
    code = "conflict"


class NotJoined(Conflict):
    """Join the room before you send to it."""

    code = "not-joined"


class FingerprintDiffers(Conflict):
    """The fingerprint you compared is not the one stored here: do not trust it."""

    code = "fingerprint-differs"


class NoSingleCertificate(Conflict):
    """Say which certificate you mean: for this user there is not exactly one."""

    code = "no-single-certificate"


class TooManyRooms(Conflict):
    """The announcement is full: leave a room before you join another."""

    code = "too-many-rooms"


class TooManyContacts(Conflict):
    """So many contacts cannot be kept: remove one before you add another."""

    code = "too-many-contacts"


class SpentCode(Conflict):
    """This code has verified its key already, or was taken back: enter it again."""


class OwnCode(Conflict):
    """This is your own code: give it to the other person, and enter theirs."""

    code = "own-code"


class LengthRequired(CryptoChatError):
    """A body needs one plain Content-Length."""

    status = 411
    code = "length-required"


class TooLarge(CryptoChatError):
    """The request is larger than the limit."""

    status = 413
    code = "too-large"


class UnsupportedMediaType(CryptoChatError):
    """The body must be application/json."""

    status = 415
    code = "unsupported-media-type"


class MisdirectedRequest(CryptoChatError):
    """The Host is not this program's."""

    status = 421
    code = "misdirected"


class TooManyRequests(CryptoChatError):
    """Too much at once: try again later."""

    status = 429
    code = "too-many-requests"


class HeadTooLarge(CryptoChatError):
    """The head of the request is larger than the limit."""

    status = 431
    code = "head-too-large"


class StorageFull(CryptoChatError):
    """The disk is nearly full: nothing was stored."""

    status = 507
    code = "storage-full"


class StorageFailed(CryptoChatError):
    """The database could not be read or written: the log says why."""

    status = 503
    code = "storage-failed"


class StorageClosed(CryptoChatError):
    """CryptoChat is ending: nothing is stored any more."""

    status = 503
    code = "ending"


class Unreachable(CryptoChatError):
    """The peer could not be reached: not delivered, try again.

    `why`: one of `attempts.REASONS`.
    """

    status = 502
    code = "unreachable"
    why = "lost"

    def __init__(self, message: str = "", *, why: str | None = None) -> None:
        super().__init__(message)
        self.why = why or self.why


class NoConnection(Unreachable):
    """Nobody answers at any of the peer's addresses."""

    why = "timed-out"


class TlsRefused(Unreachable):
    """The TLS handshake failed: one side does not know the other's certificate (yet)."""

    why = "undecided"


class UnacceptableCertificate(CryptoChatError):
    """A certificate that we would never accept, whoever shows it."""

    status = 403
    code = "unacceptable-certificate"


class UnreadableKey(CryptoChatError):
    """Our own key is not stored in a form that we know."""


class StartupError(CryptoChatError):
    """What stops a program from starting, or a command: one line that names the thing and what to do."""

    exit_status = 1


class WrongPassphrase(StartupError):
    """The sealed key does not open."""


class BadPassphrase(StartupError):
    """This cannot be a passphrase."""


class UsageError(StartupError):
    """The command line asks for something that cannot be: exit 2."""

    exit_status = 2


class NotRunning(StartupError):
    """No CryptoChat runs with this database."""

    exit_status = 3


class NotDone(StartupError):
    """The running program has refused, or could not do, what a command asked it for.

    `refusal` is the code of its reply, "" where there was none.
    """

    def __init__(self, message: str = "", refusal: str = "") -> None:
        super().__init__(message)
        self.refusal = refusal
