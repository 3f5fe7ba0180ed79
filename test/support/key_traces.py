"""What is left of a private key, in the files of a node: 16 bytes of any of its secret numbers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

_PIECE = 16


def pieces_of(private_key: bytes) -> set[bytes]:
    """Of PKCS #8 in DER: both primes, the private exponent, and what makes them faster."""
    key = load_der_private_key(private_key, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    secret = (numbers.p, numbers.q, numbers.d, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    data = [number.to_bytes((number.bit_length() + 7) // 8, "big") for number in secret]
    return {one[at : at + _PIECE] for one in data for at in range(0, len(one) - _PIECE + 1, _PIECE)}


def holding(pieces: Iterable[bytes], *folders: Path) -> set[str]:
    """The files in these folders that hold one of `pieces`."""
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    data = {file.name: file.read_bytes() for file in files}
    return {name for name in data if any(piece in data[name] for piece in pieces)}
