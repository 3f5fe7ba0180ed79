"""Our key, everybody's certificates, and what two people compare. The home of `cryptography`.

Three rules live here:

1. *A UUID that proves itself.* Ours is a version 8 UUID (RFC 9562, section 5.8)
   made from the SHA-256 of the public key, so nobody can announce it with
   another key. A version 8 UUID that does not match its key is refused.
2. *Which certificates we would ever accept* (`parse_certificate`). An accepted
   certificate becomes a trust anchor of the TLS server, so one that could sign
   others would let its owner in under any name.
3. *The safety number* that two people read to each other.
"""

from __future__ import annotations

import functools
import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .errors import BadRequest, UnacceptableCertificate
from .model import Certificate, PeerId, parse_peer_id, proven_id

_RSA_BITS = 3072
_LEAST_RSA_BITS = 2048
_MOST_RSA_EXPONENT = 2**32  # 65537 is usual; the larger, the longer does it take to check a signature
_MOST_DER_BYTES = 4096
# What `cryptography` raises for bytes that are not a certificate as it should be.
_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,  # for a TLS feature (RFC 7633) that it does not know
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
# RFC 8017, section 8.1: a salt as long as the hash, and MGF1 with the same one.
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
_BOTH_USES = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}

SAFETY_ITERATIONS = 32_768
"""Makes each try of somebody who searches for a similar number 32,768 times dearer."""


@dataclass(frozen=True)
class Identity:
    """Our own key and certificate."""

    certificate: Certificate
    private_key: bytes = field(repr=False)  # PKCS #8, DER

    def check(self) -> None:
        """UnacceptableCertificate unless the key is readable, and the certificate's own."""
        try:
            key = self._load()
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise UnacceptableCertificate("the private key cannot be read") from error
        if _spki(key.public_key()) != self.certificate.public_key:
            raise UnacceptableCertificate("the private key is not the certificate's")

    def encrypted_pem(self, password: bytes) -> bytes:
        """The certificate and the key under `password`: what `ssl` can only read from a file."""
        key = self._load()
        certificate = x509.load_der_x509_certificate(self.certificate.der)
        return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password),
        )

    def sign(self, data: bytes) -> bytes:
        """Our signature of `data`, as `check_signature` takes it."""
        key = self._load()
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, _PSS, hashes.SHA256())
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(data, ec.ECDSA(hashes.SHA256()))
        assert isinstance(key, ed25519.Ed25519PrivateKey)  # there are no others of ours
        return key.sign(data)

    def _load(self) -> PrivateKeyTypes:
        # Unchecked: we made this key, and the check of an RSA key takes a quarter of a second.
        return serialization.load_der_private_key(self.private_key, None, unsafe_skip_rsa_key_validation=True)


def create_identity() -> Identity:
    """A new RSA-3072 key with its certificate for life: 2000 to 9999, so never renewed."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    peer_id = self_proving_id(_spki(key.public_key()))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, peer_id)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(sorted(_BOTH_USES, key=str)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Identity(
        parse_certificate(certificate.public_bytes(serialization.Encoding.DER)),
        key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def is_self_proving(peer_id: str) -> bool:
    """Whether this UUID is of version 8, made from a key: only who knows our additions makes such."""
    return uuid.UUID(peer_id).version == 8


def self_proving_id(public_key: bytes) -> PeerId:
    """The version 8 UUID of a public key (SPKI, DER)."""
    return proven_id(hashlib.sha256(public_key).digest())


def check_signature(public_key: bytes, signature: bytes, data: bytes) -> None:
    """BadRequest unless the key (SPKI, DER), one that we would accept, has signed `data`.

    RSA: PSS with SHA-256, MGF1 with SHA-256, a salt of 32 bytes. P-256 and P-384: ECDSA with SHA-256,
    the signature in DER. Ed25519 as it is (RFC 8032).
    """
    try:
        key = serialization.load_der_public_key(public_key)
        _refuse_weak(key)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, _PSS, hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
    except (*_UNREADABLE, InvalidSignature, UnacceptableCertificate) as error:
        raise BadRequest("the signature is not that key's") from error


@functools.lru_cache(maxsize=1024)  # the same keys come with every request
def parse_certificate(der: bytes) -> Certificate:
    """The certificate in `der`, if it is one that we could accept; else UnacceptableCertificate.

    Accepted: X.509 v3, self-issued and self-signed, the subject exactly one CN
    that is a canonical UUID, not able to sign certificates, for both uses or
    any, a key that is strong enough, at most 4,096 bytes. Dates are ignored: a
    pinned certificate gains nothing from them, and clocks on lone machines lie.
    """
    if len(der) > _MOST_DER_BYTES:
        raise UnacceptableCertificate(f"the certificate is larger than {_MOST_DER_BYTES} bytes")
    try:  # `cryptography` reads some parts only when asked for them
        return _parse(der)
    except _UNREADABLE as error:
        raise UnacceptableCertificate("the certificate cannot be read") from error


def _parse(der: bytes) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    if certificate.version is not x509.Version.v3:
        raise UnacceptableCertificate("the certificate is not X.509 version 3")
    peer_id = _subject_id(certificate)
    key = certificate.public_key()
    _refuse_authorities(certificate.extensions)
    _refuse_weak(key)
    _refuse_unsigned(certificate)
    public_key = _spki(key)
    if is_self_proving(peer_id) and peer_id != self_proving_id(public_key):
        raise UnacceptableCertificate("the certificate's UUID does not belong to its key")
    return Certificate(peer_id, der, public_key)


def safety_number(one: Certificate, other: Certificate) -> str:
    """60 digits in 12 groups, the same on both screens; every group depends on both keys.

    PBKDF2-HMAC-SHA-512 (RFC 8018, section 5.2) over both UUIDs and public keys
    in the order of the UUIDs; each group is five of its bytes modulo 100,000.
    """
    first, second = sorted((one, other), key=lambda c: (c.uuid, c.public_key))
    both = b"".join(
        len(part).to_bytes(4, "big") + part
        for c in (first, second)
        for part in (c.uuid.encode(), c.public_key)
    )
    digest = hashlib.pbkdf2_hmac("sha512", both, b"CryptoChat safety number 1", SAFETY_ITERATIONS)
    groups = (int.from_bytes(digest[i : i + 5], "big") % 100_000 for i in range(0, 60, 5))
    return " ".join(f"{group:05d}" for group in groups)


def _spki(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _subject_id(certificate: x509.Certificate) -> PeerId:
    """The UUID that is the whole of the subject, and of the issuer."""
    subject = list(certificate.subject)
    if certificate.subject != certificate.issuer or len(subject) != 1:
        raise UnacceptableCertificate("subject and issuer must be the same single CN")
    value = subject[0].value
    if subject[0].oid != NameOID.COMMON_NAME or not isinstance(value, str):
        raise UnacceptableCertificate("subject and issuer must be the same single CN")
    try:
        return parse_peer_id(value)
    except BadRequest as error:
        raise UnacceptableCertificate("the certificate's CN is not a UUID in lower case") from error


def _refuse_authorities(extensions: x509.Extensions) -> None:
    """As a trust anchor, a CA could sign a leaf with another's UUID that OpenSSL accepts."""
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            raise UnacceptableCertificate("the certificate is an authority's")
        if isinstance(value, x509.KeyUsage) and value.key_cert_sign:
            raise UnacceptableCertificate("the certificate may sign others")
        if isinstance(value, x509.ExtendedKeyUsage) and not set(value) >= _BOTH_USES:
            raise UnacceptableCertificate("the certificate is not for both clients and servers")


def _refuse_weak(key: object) -> None:
    strong = (
        (isinstance(key, rsa.RSAPublicKey) and _is_usual(key))
        or (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1"))
        or isinstance(key, ed25519.Ed25519PublicKey)
    )
    if not strong:
        raise UnacceptableCertificate("the certificate's key is of a kind that is not accepted")


def _is_usual(key: rsa.RSAPublicKey) -> bool:
    return key.key_size >= _LEAST_RSA_BITS and key.public_numbers().e <= _MOST_RSA_EXPONENT


def _refuse_unsigned(certificate: x509.Certificate) -> None:
    """Self-signed in fact, not only in name: OpenSSL would not find another issuer for it."""
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise UnacceptableCertificate("the certificate is not signed by its own key") from error
