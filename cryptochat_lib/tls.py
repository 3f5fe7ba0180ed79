"""TLS contexts: look, present, serve. The home of `ssl`.

`ssl` has no callback that could ask a person, so each side learns the other's
certificate before a client certificate is ever presented (docs/PROTOCOL.md,
section 4):

- *look*: a handshake without a certificate of ours and without a check. TLS 1.3
  proves that the server holds its key before the server may refuse us.
- *present*: only to one pinned certificate, the single trust anchor of that
  context: OpenSSL aborts before our certificate leaves for anybody else.
- *serve*: a client certificate is required, and the certificates that looks
  have shown are the anchors. OpenSSL only keeps out who is not among them;
  who may talk is `verification.admit`'s to say, by comparing DER bytes.

Everywhere TLS 1.3 alone, no tickets (a resumed session is not verified
again), no server name (it would tell listeners whom we call).

A look at who claims to be us (`looker`) offers one application protocol (ALPN, RFC
7301), which is a random number of this run. Our own server alone accepts it: so we
know when it is ourselves whom we have reached, whoever has carried the handshake
there. A relay can neither remove the offer nor the answer: both are part of what the
server's key signs (RFC 8446, section 4.4).

A client's handshake goes in steps that do not wait, many side by side (`dialing`); a
server's has a thread of its own.

Threads: any thread wraps sockets; `ServerTls._lock` guards which context is in
force, `_change` makes changes of the anchors one after the other. Neither is
held during a handshake.
"""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable

from .attempts import LOST, NO_TLS, TIMED_OUT, TOO_OLD
from .dialing import READ, WRITE
from .errors import CertificateChanged, TlsRefused, Unreachable
from .identity import Identity, parse_certificate
from .model import Certificate

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which `ssl` does not name
# Without PARTIAL_CHAIN two anchors with one subject shadow each other: whoever
# announces a victim's UUID first would lock the victim out.
_VERIFY_FLAGS = ssl.VerifyFlags(_NO_CHECK_TIME) | ssl.VERIFY_X509_PARTIAL_CHAIN

Socket = ssl.SSLSocket
VERSION = ssl.OPENSSL_VERSION
# What OpenSSL says of who speaks no TLS 1.3, or has nothing in common with us, and of who speaks no TLS.
# The last two are OpenSSL's since 3.2, for which older Pythons have no names: its words are looked at too.
_WHY = (
    ("PROTOCOL_VERSION", TOO_OLD),
    ("UNSUPPORTED_PROTOCOL", TOO_OLD),
    ("HANDSHAKE_FAILURE", TOO_OLD),
    ("INSUFFICIENT_SECURITY", TOO_OLD),
    ("WRONG_VERSION_NUMBER", NO_TLS),
    ("HTTP_REQUEST", NO_TLS),
    ("RECORD_LAYER_FAILURE", NO_TLS),
    ("PACKET_LENGTH_TOO_LONG", NO_TLS),
)

CONNECTION_LOST = (ssl.SSLError, OSError)
"""What a TLS socket raises when the other side, or the network, has ended it."""


class ServerTls:
    """The peer API's side. Its anchors follow the keys that the store remembers."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self._change = threading.Lock()
        self.mark = secrets.token_hex(16)
        self._context = self._build(())

    def trust(self, certificate: Certificate) -> None:
        """Let handshakes with this certificate, which is stored already, through from now on."""
        with self._change:
            self._context.load_verify_locations(cadata=certificate.der)

    def replace(self, stored: Callable[[], Iterable[Certificate]]) -> None:
        """Let handshakes with exactly those that `stored` returns through.

        OpenSSL cannot remove an anchor, so the context is new. `stored` is asked
        under the lock that `trust` takes: nobody who comes meanwhile is lost.
        """
        with self._change:
            context = self._build(stored())
            with self._lock:
                self._context = context

    def wrap(self, sock: socket.socket) -> ssl.SSLSocket:
        """`sock` as the server's side of TLS, its handshake not yet done."""
        with self._lock:
            context = self._context
        return _wrap(context, sock, server_side=True)

    def _build(self, certificates: Iterable[Certificate]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _harden(context)
        context.num_tickets = 0
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols([self.mark])  # who offers others is served without one
        _load_identity(context, self._identity)
        for certificate in certificates:
            context.load_verify_locations(cadata=certificate.der)
        return context


class ClientHandshake:
    """A client's handshake in steps, for `dialing`; `presenting` and `looking` make them.

    `pinned`: the certificate that the server has to show, byte for byte.
    """

    def __init__(self, context: ssl.SSLContext, pinned: Certificate | None = None) -> None:
        self._context = context
        self._pinned = pinned

    def begin(self, sock: socket.socket) -> ssl.SSLSocket:
        """`sock` under TLS; Unreachable if it was reset already."""
        return _wrap(self._context, sock)

    def go_on(self, sock: ssl.SSLSocket) -> int:
        """READ or WRITE, for which it waits, or 0: it is done. Unreachable, CertificateChanged."""
        try:
            waits_for = handshake(sock, 0)
        except TlsRefused as error:
            raise CertificateChanged("another key answers at that address") from error
        shown = None if waits_for else sock.getpeercert(binary_form=True)
        if not waits_for and self._pinned is not None and shown != self._pinned.der:
            raise CertificateChanged("another key answers at that address")
        return waits_for


def presenting(identity: Identity, pinned: Certificate) -> ClientHandshake:
    """Shows our certificate to the holder of one certificate, and to nobody else."""
    context = _client_context(ssl.CERT_REQUIRED)
    context.load_verify_locations(cadata=pinned.der)
    _load_identity(context, identity)
    return ClientHandshake(context, pinned)


def looking(mark: str | None = None, pinned: Certificate | None = None) -> ClientHandshake:
    """Shows nothing and checks nothing: the other side proves that it holds its key, whoever it is.

    `mark`: offered for `is_marked`. `pinned`: it has to be that one all the same.
    """
    context = _client_context(ssl.CERT_NONE)
    if mark is not None:
        context.set_alpn_protocols([mark])
    return ClientHandshake(context, pinned)


def is_marked(tls: ssl.SSLSocket, mark: str) -> bool:
    """Whether the server is the one `ServerTls` whose `mark` was offered."""
    return tls.selected_alpn_protocol() == mark


def peer_certificate(tls: ssl.SSLSocket) -> Certificate:
    """The certificate at the other end of a finished handshake."""
    return parse_certificate(tls.getpeercert(binary_form=True) or b"")


def lost(error: Exception) -> Unreachable:
    """Why an exchange ended without a whole response; TlsRefused if our certificate is not accepted (yet)."""
    if isinstance(error, ssl.SSLError) and "ALERT_UNKNOWN_CA" in (error.reason or ""):
        return TlsRefused("the other side does not know our certificate yet")
    why = TIMED_OUT if isinstance(error, TimeoutError) else LOST
    return Unreachable(f"the connection was lost: {getattr(error, 'reason', None) or error}", why=why)


def handshake(tls: ssl.SSLSocket, seconds: float) -> int:
    """The whole handshake within `seconds`: slow bytes do not prolong it.

    With 0 seconds as far as it goes now: READ or WRITE, for which it waits, or 0 when it is done.
    Raises TlsRefused when the other side's certificate is not among the anchors,
    Unreachable for every other failure.
    """
    try:
        tls.settimeout(seconds)  # counted over all reads of one `do_handshake`
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return READ
    except ssl.SSLWantWriteError:
        return WRITE
    except ssl.SSLCertVerificationError as error:
        raise TlsRefused("the other side's certificate is not one we know") from error
    except CONNECTION_LOST as error:
        reason = getattr(error, "reason", None) or str(error)
        raise Unreachable(f"the TLS handshake failed: {reason}", why=_why(error)) from error
    return 0


def _why(error: Exception) -> str:
    """Which of `attempts.REASONS` a handshake failed for."""
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    said = f"{getattr(error, 'reason', None)} {error}".upper().replace(" ", "_")
    return next((why for word, why in _WHY if word in said), LOST)


def _wrap(context: ssl.SSLContext, sock: socket.socket, server_side: bool = False) -> ssl.SSLSocket:
    """`sock` under TLS, the handshake not yet done; Unreachable if it was reset already."""
    try:
        return context.wrap_socket(sock, server_side=server_side, do_handshake_on_connect=False)
    except CONNECTION_LOST as error:
        sock.close()
        raise Unreachable("the connection was reset before the handshake") from error


def _client_context(verify_mode: ssl.VerifyMode) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    context.check_hostname = False  # a peer is its certificate, not a name
    context.verify_mode = verify_mode
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_TICKET
    context.verify_flags |= _VERIFY_FLAGS


def _load_identity(context: ssl.SSLContext, identity: Identity) -> None:
    """`ssl` reads keys from files only: encrypted under a password of one use, for its owner, and gone."""
    password = secrets.token_hex(32)
    descriptor, path = tempfile.mkstemp(prefix="cryptochat-")  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(identity.encrypted_pem(password.encode()))
        context.load_cert_chain(path, password=password)
    finally:
        os.unlink(path)
