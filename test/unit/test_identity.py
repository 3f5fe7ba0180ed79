"""Which certificates we would ever accept, and what two people compare.

Each certificate here has one thing wrong, and the test names what an attacker
would gain by it.
"""

from __future__ import annotations

import random
import re
import ssl
import uuid as uuids
from collections.abc import Callable

import pytest
from certificates import (
    BOTH_USES,
    make_certificate,
    make_der,
    make_key,
    make_self_proving,
    make_version_1,
    spki,
)
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from cryptochat_lib.errors import UnacceptableCertificate
from cryptochat_lib.identity import Identity, parse_certificate, safety_number, self_proving_id
from cryptochat_lib.model import Certificate, PeerId

KEY = make_key()
BOB = "5a3c1f0e-8d42-4b6a-9c17-2f60de91ab34"


def vector(uuid: str, public_key: bytes) -> Certificate:
    """For the safety number only the UUID and the public key count."""
    return Certificate(PeerId(uuid), b"", public_key)


# Ours


def test_our_own_certificate_is_one_that_we_would_accept(identity: Identity) -> None:
    assert parse_certificate(identity.certificate.der) == identity.certificate


def test_our_own_uuid_proves_itself(identity: Identity) -> None:
    assert uuids.UUID(identity.certificate.uuid).version == 8
    assert identity.certificate.uuid == self_proving_id(identity.certificate.public_key)


def test_a_self_proving_uuid_is_the_start_of_the_hash_with_version_and_variant() -> None:
    # SHA-256 of nothing begins e3b0c442 98fc1c14 9afbf4c8 996fb924
    assert self_proving_id(b"") == "e3b0c442-98fc-8c14-9afb-f4c8996fb924"


def test_the_private_key_never_shows_in_a_log(identity: Identity) -> None:
    assert "private_key" not in repr(identity)


def test_openssl_reads_our_key_only_with_the_password(
    identity: Identity, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("key") / "pem"
    file.write_bytes(identity.encrypted_pem(b"one time"))
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file, password="one time")
    with pytest.raises(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file, password="another")


# Accepted

STRONG: dict[
    str, Callable[[], ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey]
] = {
    "RSA-2048": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.parametrize("kind", STRONG)
def test_a_strong_key_of_any_usual_kind_is_accepted(kind: str) -> None:
    key = STRONG[kind]()
    certificate = parse_certificate(make_der(BOB, key=key))
    assert (certificate.uuid, certificate.public_key) == (BOB, spki(key))


@pytest.mark.parametrize(
    "changes",
    [
        {"ca": None},
        {"uses": None},
        {"key_cert_sign": False},
        {"uses": (*BOTH_USES, ExtendedKeyUsageOID.CODE_SIGNING)},
    ],
    ids=["no basic constraints", "for any use", "key usage without signing others", "one more use"],
)
def test_harmless_differences_are_accepted(changes: dict[str, object]) -> None:
    assert parse_certificate(make_der(BOB, **changes)).uuid == BOB  # type: ignore[arg-type]


def test_a_version_8_uuid_with_its_own_key_is_accepted() -> None:
    key = make_key()
    assert make_self_proving(key).uuid == self_proving_id(spki(key))


# Refused

# RFC 7633: a list of numbers, of which `cryptography` knows 5 and 17. Found by test/fuzz.
UNKNOWN_TLS_FEATURE = x509.UnrecognizedExtension(ExtensionOID.TLS_FEATURE, b"\x30\x03\x02\x01\x04")

REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "an authority: it could sign a leaf with anybody's UUID": (lambda: make_der(BOB, ca=True), "authority"),
    "one that may sign certificates": (lambda: make_der(BOB, key_cert_sign=True), "sign others"),
    "X.509 version 1, an authority to OpenSSL": (lambda: make_version_1(BOB), "version 3"),
    "two names: which one is it?": (lambda: make_der(BOB, BOB), "single CN"),
    "no name": (make_der, "single CN"),
    "a name that is no CN": (lambda: make_der(BOB, kind=NameOID.ORGANIZATION_NAME), "single CN"),
    "another's name as issuer": (lambda: make_der(BOB, issuer="somebody"), "single CN"),
    "an upper-case UUID: a second spelling of one name": (lambda: make_der(BOB.upper()), "lower case"),
    "a name that is no UUID": (lambda: make_der("localhost"), "lower case"),
    "a UUID and a line break": (lambda: make_der(BOB + "\n"), "lower case"),
    "a self-proving UUID with another key": (lambda: make_der(make_self_proving().uuid), "belong"),
    "RSA-1024": (
        lambda: make_der(BOB, key=rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        "not accepted",
    ),
    "a curve that OpenSSL may not offer": (
        lambda: make_der(BOB, key=ec.generate_private_key(ec.SECP256K1())),
        "not accepted",
    ),
    "for servers alone": (lambda: make_der(BOB, uses=BOTH_USES[:1]), "both clients and servers"),
    "for clients alone": (lambda: make_der(BOB, uses=BOTH_USES[1:]), "both clients and servers"),
    "signed by another key": (lambda: make_der(BOB, signer=make_key()), "own key"),
    "over 4,096 bytes": (lambda: make_der(BOB, padding=2000), "larger"),
    "a TLS feature that nobody knows": (lambda: make_der(BOB, extension=UNKNOWN_TLS_FEATURE), "read"),
    "bytes behind the end": (lambda: make_der(BOB) + b"\0", "read"),
    "nothing": (lambda: b"", "read"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused(what: str) -> None:
    make, reason = REFUSED[what]
    with pytest.raises(UnacceptableCertificate, match=reason):
        parse_certificate(make())


def test_4096_bytes_are_accepted_and_one_more_is_not() -> None:
    padding = next(p for p in range(1700, 2000) if len(make_der(BOB, padding=p, key=KEY)) >= 4094)
    sizes = {
        len(der): der
        for _ in range(64)
        for p in (padding - 1, padding, padding + 1)
        if len(der := make_der(BOB, padding=p, key=KEY)) in (4096, 4097)
    }
    assert parse_certificate(sizes[4096]).uuid == BOB
    with pytest.raises(UnacceptableCertificate, match="larger"):
        parse_certificate(sizes[4097])


def test_a_certificate_with_broken_bytes_is_refused_and_nothing_else_happens() -> None:
    """Whatever a stranger's server shows at a look: a certificate, or UnacceptableCertificate."""
    choose = random.Random(2)
    originals = [make_der(BOB, key_cert_sign=False), make_der(BOB, padding=4), make_version_1(BOB)]
    for _ in range(3000):
        der = bytearray(choose.choice(originals))
        for _ in range(choose.randint(1, 3)):
            der[choose.randrange(len(der))] = choose.choice((0, 1, 0xFF, choose.randrange(256)))
        try:
            parse_certificate(bytes(der))
        except UnacceptableCertificate:
            continue


# The safety number


def test_the_safety_number_is_the_same_on_both_screens() -> None:
    one, other = make_certificate(), make_certificate()
    assert safety_number(one, other) == safety_number(other, one)


def test_the_safety_number_is_12_groups_of_5_digits() -> None:
    assert re.fullmatch(r"\d{5}( \d{5}){11}", safety_number(make_certificate(), make_certificate()))


def test_another_key_under_the_same_uuid_changes_every_group() -> None:
    """Or an attacker could show the half that people read out. Fixed keys: random ones may agree."""
    ada, bob = vector(BOB, b"ada's key"), vector("ffffffff-ffff-4fff-bfff-ffffffffffff", b"bob's key")
    mallory = vector(bob.uuid, b"mallory's key")
    before, after = safety_number(ada, bob).split(), safety_number(ada, mallory).split()
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_the_border_between_uuid_and_key_counts() -> None:
    other = vector(BOB, b"x")
    assert safety_number(vector("a", b"bc"), other) != safety_number(vector("ab", b"c"), other)


def test_the_safety_number_of_a_known_pair() -> None:
    """Worked out from the words of the protocol document, apart from this program."""
    ada = vector("0704411d-699b-4cc0-9a55-6d9b2f1c0a11", b"key of Ada")
    bob = vector("e3b0c442-98fc-4c14-9afb-f4c8996fb924", b"key of Bob")
    assert safety_number(ada, bob) == (
        "87821 74850 79669 16279 75798 38601 35635 67051 14957 16957 18831 89346"
    )
