"""The protocol's test vectors (docs/vectors), which belong to no implementation, against this one.

Each refused vector has one fault, and the layer that it names must be the one that finds it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cryptochat_lib import ceremony, contact_code, identity, json_object, peer_record, sealing, txt, wire
from cryptochat_lib.errors import (
    BadPassphrase,
    BadRequest,
    CryptoChatError,
    UnacceptableCertificate,
    UnreadableKey,
    WrongPassphrase,
)
from cryptochat_lib.http_head import parse_head
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Certificate, parse_room_name

LIMITS = Limits()
VECTORS = Path(__file__).resolve().parents[2] / "docs" / "vectors"


def of(name: str, kind: str = "vectors") -> Any:
    """One test for each vector in the file."""
    found = json.loads((VECTORS / name).read_text())[kind]
    return pytest.mark.parametrize("vector", found, ids=lambda vector: vector["name"])


@of("certificates.json")
def test_a_certificate_is_accepted_or_refused(vector: dict[str, Any]) -> None:
    try:
        certificate = identity.parse_certificate(base64.b64decode(vector["der"]))
    except UnacceptableCertificate:
        assert vector["expect"] == {"accepted": False, "layer": "certificate"}
        return
    assert vector["expect"] == {
        "accepted": True,
        "uuid": certificate.uuid,
        "fingerprint": certificate.fingerprint,
        "fingerprint_sha256": certificate.fingerprint_sha256,
        "spki": base64.b64encode(certificate.public_key).decode(),
    }


@of("uuids.json")
def test_a_uuid_proves_its_key(vector: dict[str, Any]) -> None:
    assert identity.self_proving_id(base64.b64decode(vector["spki"])) == vector["uuid"]


@of("safety-numbers.json")
def test_a_safety_number_is_the_same_on_both_sides(vector: dict[str, Any]) -> None:
    one, other = (
        Certificate(vector[side]["uuid"], b"", base64.b64decode(vector[side]["spki"]))
        for side in ("one", "other")
    )
    assert identity.safety_number(one, other) == vector["number"]
    assert identity.safety_number(other, one) == vector["number"]


@of("comparisons.json")
def test_a_live_comparison_shows_the_same_on_both_screens(vector: dict[str, Any]) -> None:
    roles = (("initiator", ceremony.Role.INITIATOR), ("responder", ceremony.Role.RESPONDER))
    certificates = [identity.parse_certificate(base64.b64decode(vector[name]["der"])) for name, _ in roles]
    values = [bytes.fromhex(vector[name]["value"]) for name, _ in roles]
    for (name, role), certificate, value in zip(roles, certificates, values, strict=True):
        assert certificate.fingerprint_sha256 == vector[name]["fingerprint_sha256"]
        assert ceremony.commitment(role, *certificates, value).hex() == vector[name]["commitment"]
    shown = ceremony.result(*certificates, *values)
    assert shown.digits == vector["digits"]
    assert [part._asdict() for part in shown.picture] == vector["picture"]


def test_the_names_of_the_picture_are_those_of_the_vectors() -> None:
    written = json.loads((VECTORS / "comparisons.json").read_text())
    assert (list(ceremony.SHAPES), list(ceremony.COLOURS)) == (written["shapes"], written["colours"])


@cache
def derived(header: sealing._Header, passphrase: sealing.Passphrase) -> bytes:
    """Vectors that differ in something else share what takes the time."""
    return DERIVE(header, passphrase)


DERIVE = sealing._Header.derive


@of("sealed-keys.json")
def test_a_sealed_key_opens_or_not(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sealing._Header, "derive", lambda self, passphrase: derived(replace(self, nonce=b""), passphrase)
    )
    sealed = sealing.SealedIdentity(
        identity.parse_certificate(base64.b64decode(vector["certificate"])),
        bytes.fromhex(vector["sealing"]),
        base64.b64decode(vector["private_key"]),
    )
    assert vector["expect"] == opened(sealed, vector["passphrase"])


def opened(sealed: sealing.SealedIdentity, passphrase: str) -> dict[str, Any]:
    try:
        identity = sealed.open(sealing.Passphrase.parse(passphrase))
    except BadPassphrase:
        layer = "passphrase"
    except UnreadableKey:
        layer = "parameters"
    except WrongPassphrase:
        layer = "seal"
    else:
        return {"private_key": base64.b64encode(identity.private_key).decode()}
    return {"accepted": False, "layer": layer}


@of("peer-records.json")
def test_a_peer_record_is_accepted_or_refused(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = "base64"
    decode, check = peer_record._decode, peer_record.check_signature

    def decoded(text: str) -> bytes:
        nonlocal layer
        data = decode(text)
        layer = "form"
        return data

    def checked(*arguments: bytes) -> None:
        nonlocal layer
        layer = "signature"
        check(*arguments)

    monkeypatch.setattr(peer_record, "_decode", decoded)
    monkeypatch.setattr(peer_record, "check_signature", checked)
    try:
        record = peer_record.parse.__wrapped__(vector["record"])
    except BadRequest:
        assert vector["expect"] == {"accepted": False, "layer": layer}
        return
    assert vector["expect"] == {
        "accepted": True,
        "uuid": record.uuid,
        "time": record.time,
        "port": record.port,
        "addresses": [str(address) for address in record.addresses],
    }


@of("txt.json")
def test_a_txt_record_says_what_it_says(vector: dict[str, Any]) -> None:
    assert txt.parse(bytes.fromhex(vector["raw"]))._asdict() == vector["expect"]


@of("contact-codes.json")
def test_a_contact_code_is_read_as_it_was_written_or_not_at_all(vector: dict[str, Any]) -> None:
    assert vector["expect"] == read_or_refused(_read_code, vector["text"])


@of("contact-codes.json", "addresses")
def test_an_address_that_somebody_types_has_one_reading(vector: dict[str, Any]) -> None:
    assert vector["expect"] == read_or_refused(_read_address, vector["text"])


def read_or_refused(read: Callable[[str], dict[str, Any]], text: str) -> dict[str, Any]:
    try:
        return read(text)
    except CryptoChatError as error:
        return {"status": error.status, "code": error.code}


def _read_code(text: str) -> dict[str, Any]:
    code = contact_code.parse(text)
    return {
        "key_sha256": code.key_hash.hex(),
        "uuid": code.uuid,
        "addresses": [str(address) for address in code.addresses],
        "port": code.port,
        "encoded": code.encode(),
    }


def _read_address(text: str) -> dict[str, Any]:
    return asdict(contact_code.parse_address(text))


@of("requests.json")
def test_a_request_is_answered_by_the_layer_that_finds_its_fault(vector: dict[str, Any]) -> None:
    body = b"".join(base64.b64decode(piece) * times for piece, times in vector["body"])
    layer = "head"
    answer: dict[str, Any] = {"status": 200}
    try:
        head = parse_head(vector["head"].encode("latin-1"), LIMITS)
        assert head.content_length(LIMITS.body_bytes) == len(body)
        if vector["form"] == "seed":
            layer = "room"
            room = parse_room_name(head.segments[1])
        layer = "json"
        json_object.parse_object(body, LIMITS)
        layer = "form"
        if vector["form"] == "seed":
            wire.parse_seed_message(room, body, LIMITS)
        else:
            answer["results"] = [result(one) for one in wire.parse_batch(body, LIMITS)]
    except CryptoChatError as error:
        answer = {"status": error.status, "code": error.code, "layer": layer}
    assert answer == vector["expect"]


def result(one: wire.Incoming | wire.Answer) -> dict[str, Any]:
    """The answer to one message of a batch, as a member of the room gives it."""
    answer = one if isinstance(one, wire.Answer) else wire.Answer(one.wire_id or "", 200)
    return json.loads(wire.answers([answer]))["results"][0]
