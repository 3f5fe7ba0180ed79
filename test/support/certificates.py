"""Certificates as a peer, or an attacker, could make them: right in all but what a test names.

    make_der(uuid)                        what anybody would accept: P-256, for life
    make_der(uuid, ca=True)               the same with one thing wrong
    make_certificate(uuid)                parsed, as a look would give it

Keys are P-256 where nothing else is asked for, since RSA keys take long to make.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Sequence
from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from cryptochat_lib.identity import parse_certificate, self_proving_id
from cryptochat_lib.model import Certificate, PeerId

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

BOTH_USES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
_PADDING = ObjectIdentifier("1.3.6.1.4.1.99999.1")


def make_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def make_uuid() -> PeerId:
    """A random version 4 UUID, as a peer has that knows only the seed protocol."""
    return PeerId(str(uuids.uuid4()))


def make_certificate(uuid: str | None = None, key: Key | None = None) -> Certificate:
    """An acceptable certificate, with a random UUID if none is named."""
    return parse_certificate(make_der(uuid or make_uuid(), key=key))


def make_self_proving(key: Key | None = None) -> Certificate:
    """An acceptable certificate whose version 8 UUID is made from its key, as ours is."""
    key = key or make_key()
    return make_certificate(self_proving_id(spki(key)), key)


def spki(key: Key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def make_der(
    *names: str,
    key: Key | None = None,
    issuer: str | None = None,
    signer: Key | None = None,
    ca: bool | None = False,
    key_cert_sign: bool | None = None,
    uses: Sequence[ObjectIdentifier] | None = BOTH_USES,
    kind: ObjectIdentifier = NameOID.COMMON_NAME,
    padding: int = 0,
    extension: x509.ExtensionType | None = None,
) -> bytes:
    """A certificate in DER. `names`: the subject, one `kind` attribute each. None leaves an extension out."""
    key = key or make_key()
    subject = x509.Name([x509.NameAttribute(kind, name) for name in names])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else x509.Name([x509.NameAttribute(kind, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if key_cert_sign is not None:
        builder = builder.add_extension(_key_usage(key_cert_sign), critical=True)
    if uses is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    if padding:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(_PADDING, b"\4\0" * padding), critical=False
        )
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    by = signer or key
    algorithm = None if isinstance(by, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(by, algorithm).public_bytes(serialization.Encoding.DER)


def make_version_1(uuid: str) -> bytes:
    """The same as X.509 version 1, which knows no extensions: no library makes one any more."""
    key = make_key()
    tbs, algorithm, _ = _parts(_content(make_der(uuid, key=key)))
    fields = [field for field in _parts(_content(tbs)) if field[0] not in (0xA0, 0xA3)]
    body = _tlv(0x30, b"".join(fields))
    signature = key.sign(body, ec.ECDSA(hashes.SHA256()))
    return _tlv(0x30, body + algorithm + _tlv(0x03, b"\0" + signature))


def _key_usage(key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _tlv(tag: int, content: bytes) -> bytes:
    """One DER element with a length of two bytes at most (X.690, 8.1.3)."""
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    if 128 <= size < 256:
        length = bytes([0x81, size])
    return bytes([tag]) + length + content


def _head(der: bytes) -> tuple[int, int]:
    """Where the content of the first element begins, and where it ends."""
    first = der[1]
    if first < 128:
        return 2, 2 + first
    count = first & 0x7F
    start = 2 + count
    return start, start + int.from_bytes(der[2:start], "big")


def _content(der: bytes) -> bytes:
    start, end = _head(der)
    return der[start:end]


def _parts(content: bytes) -> list[bytes]:
    found = []
    while content:
        end = _head(content)[1]
        found.append(content[:end])
        content = content[end:]
    return found
