"""Our private key under a passphrase: AES-256-GCM, its key from scrypt.

A thief of the disk has the database. Unsealed, the key in it lets the thief be
us; sealed, each guess at the passphrase costs 128 MiB of memory and a good part
of a second. In the database stand the sealed key and, beside it, 32 bytes:

    version   1 byte    1
    log2 n    1 byte    17 to 20: scrypt's cost (RFC 7914, section 2)
    r, p      1 byte each, 8 and 1 to 4
    salt      16 bytes  chance, new for each sealing
    nonce     12 bytes  chance, new for each sealing

The sealed key is AES-256-GCM's ciphertext with its tag, of the key as PKCS #8 in
DER. The associated data are a label, those 32 bytes and our certificate in DER:
so nobody lowers the cost for the next sealing to be guessed, or puts a sealed key
beside another certificate, without being noticed. (With a new salt each AES key
is used once, so no nonce can come twice under it.)

What is read from the disk is bounded before it is used: whoever writes there can
spoil the key, but not have scrypt take all memory, or make it cheap.

`cryptography` could write encrypted PKCS #8 itself; its PBKDF2 has few rounds and
takes no memory, so a graphics card guesses many millions a second.
"""

from __future__ import annotations

import os
import struct
import unicodedata
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from .errors import BadPassphrase, StartupError, UnreadableKey, WrongPassphrase
from .identity import Identity
from .model import Certificate

MOST_BYTES = 1024
"""Of a passphrase, as UTF-8."""

_LABEL = b"CryptoChat sealed key\0"
_HEADER = struct.Struct(">BBBB16s12s")
_VERSION = 1
_LOG_N, _R, _P = 17, 8, 1  # 2**17 * 128 * 8 bytes: 128 MiB
_MOST_LOG_N, _MOST_P = 20, 4  # 1 GiB, four times: what a later version may have chosen
_REFUSED = ("Cc", "Cf", "Cs", "Co", "Cn")


@dataclass(frozen=True)
class Passphrase:
    """What a person types: the same bytes, whichever way the keyboard writes an é or a wide space.

    >>> Passphrase.parse("cafe\\u0301\\u3000noir") == Passphrase.parse("caf\\xe9 noir")
    True
    >>> Passphrase.parse("")
    Traceback (most recent call last):
    cryptochat_lib.errors.BadPassphrase: a passphrase cannot be empty
    """

    utf8: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Passphrase:
        """By OpaqueString (RFC 8265, section 4.2): spaces become U+0020, then NFC; BadPassphrase.

        Refused are, as there, controls, format characters, and what Unicode has not
        assigned: a later Unicode may compose it in another way, and the key be lost.
        """
        spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
        if any(unicodedata.category(c) in _REFUSED for c in spaced):
            raise BadPassphrase("a passphrase cannot have control or unknown characters in it")
        utf8 = unicodedata.normalize("NFC", spaced).encode()
        if not utf8:
            raise BadPassphrase("a passphrase cannot be empty")
        if len(utf8) > MOST_BYTES:
            raise BadPassphrase(f"a passphrase cannot be longer than {MOST_BYTES} bytes")
        return cls(utf8)


@dataclass(frozen=True)
class SealedIdentity:
    """Our certificate, and the key as it is on the disk."""

    certificate: Certificate
    header: bytes
    ciphertext: bytes

    def open(self, passphrase: Passphrase) -> Identity:
        """The identity; WrongPassphrase, or UnreadableKey if this is nothing that we would have written."""
        header = _Header.parse(self.header)
        key = AESGCM(header.derive(passphrase))
        try:
            private = key.decrypt(header.nonce, self.ciphertext, _LABEL + self.header + self.certificate.der)
        except InvalidTag:  # nobody can tell which of the two it is
            raise WrongPassphrase("the passphrase is wrong, or the sealed key was changed") from None
        identity = Identity(self.certificate, private)
        identity.check()
        return identity


def seal(identity: Identity, passphrase: Passphrase) -> SealedIdentity:
    """`identity` under `passphrase`, with a new salt and nonce."""
    header = _Header(_LOG_N, _R, _P, salt=os.urandom(16), nonce=os.urandom(12))
    written = header.pack()
    key = AESGCM(header.derive(passphrase))
    certificate = identity.certificate
    ciphertext = key.encrypt(header.nonce, identity.private_key, _LABEL + written + certificate.der)
    return SealedIdentity(certificate, written, ciphertext)


@dataclass(frozen=True)
class _Header:
    """How a key was sealed."""

    log_n: int
    r: int
    p: int
    salt: bytes
    nonce: bytes

    @classmethod
    def parse(cls, data: bytes) -> _Header:
        """Within bounds, or UnreadableKey."""
        if len(data) != _HEADER.size:
            raise UnreadableKey("the sealed key has a header of another length")
        version, *rest = _HEADER.unpack(data)
        if version != _VERSION:
            raise UnreadableKey(f"the key is sealed in version {version}, which is unknown here")
        header = cls(*rest)
        if not _LOG_N <= header.log_n <= _MOST_LOG_N or header.r != _R or not 1 <= header.p <= _MOST_P:
            raise UnreadableKey("the key is sealed with parameters out of bounds")
        return header

    def pack(self) -> bytes:
        return _HEADER.pack(_VERSION, self.log_n, self.r, self.p, self.salt, self.nonce)

    def derive(self, passphrase: Passphrase) -> bytes:
        """The AES key: this is what takes the time, and the memory."""
        try:
            scrypt = Scrypt(salt=self.salt, length=32, n=1 << self.log_n, r=self.r, p=self.p)
            return scrypt.derive(passphrase.utf8)
        except MemoryError:
            mebibytes = (128 * self.r << self.log_n) >> 20
            raise StartupError(
                f"to open the key takes {mebibytes} MiB of memory, which is not there"
            ) from None
