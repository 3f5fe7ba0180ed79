"""Certificates at the look: peers are announced, and their servers show what is hardly a certificate.

Each case is a certificate made right and then changed inside, often signed anew, so that it is
wrong in that place alone. All of them go to `parse_certificate`; those that OpenSSL will show
are shown to the node: at one of a few ports, under the UUID that the certificate names, announced
in a room of the node's, with a goodbye when it has looked.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import ssl
import tempfile
import warnings
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import der
import dns_packets as dns
from certificates import BOTH_USES, make_der, make_uuid
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier
from mdns_packets import _multicast
from mutations import mutate
from seed_mdns import GROUP, PORT, SERVICE
from target import ENDS_WITHIN, Target, Wrong

from cryptochat_lib.errors import UnacceptableCertificate
from cryptochat_lib.identity import parse_certificate

_SHOWN = 0.2  # a look costs the node more than reading does
_AGAIN_SECONDS = 2.0
_HANDSHAKE_SECONDS = 10.0


class LookedAt(Target):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._keys = [
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP384R1()),
            ed25519.Ed25519PrivateKey.generate(),
            rsa.generate_private_key(65537, 2048),
        ]
        odd = [
            ec.generate_private_key(ec.SECP521R1()),
            rsa.generate_private_key(3, 1024),
            ed448.Ed448PrivateKey.generate(),
        ]
        self._all_keys = [*self._keys * 3, *odd]
        self._socket = _multicast(PORT)
        self._hosts = itertools.cycle(range(2, 250))
        self._folder = Path(tempfile.mkdtemp())
        self.shown = 0
        warnings.simplefilter("ignore")  # cryptography's, of what it will not read any more

    def once(self, chance: random.Random) -> None:
        key, uuid = chance.choice(self._all_keys), str(make_uuid())
        data = _certificate(chance, key, uuid)
        for one in (mutate(data, chance), data):
            self.said = one
            with contextlib.suppress(UnacceptableCertificate):
                parse_certificate(one)
        if chance.random() < _SHOWN and (context := self._context(data, key)):
            self._show(context, uuid)

    def _context(self, data: bytes, key: Any) -> ssl.SSLContext | None:
        """A server that shows it; None if OpenSSL will not."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._folder / "pem"
        path.write_bytes(private + ssl.DER_cert_to_PEM_cert(data).encode())
        try:
            context.load_cert_chain(path)
        except ssl.SSLError:
            return None
        return context

    def _show(self, context: ssl.SSLContext, uuid: str) -> None:
        """Announce it, again until somebody has come to look. Wrong if nobody does."""
        address = f"127.0.0.{next(self._hosts)}"
        instance, host = f"{uuid}.{SERVICE}", f"{uuid}.local."
        with socket.create_server((address, 0)) as listener:
            records = [
                dns.pointer(SERVICE, instance),
                dns.service(instance, listener.getsockname()[1], host),
                dns.text(instance, [b"v=1", f"room={self.aim.room}".encode()]),
                dns.address(host, address),
            ]
            listener.settimeout(_AGAIN_SECONDS)
            for _ in range(int(ENDS_WITHIN / _AGAIN_SECONDS)):
                self._socket.sendto(dns.encode(records=records), (GROUP, PORT))
                with contextlib.suppress(TimeoutError):
                    plain, _ = listener.accept()
                    break
            else:
                raise Wrong(f"nobody looked within {ENDS_WITHIN} s")
            plain.settimeout(_HANDSHAKE_SECONDS)
            with plain, contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as tls:
                tls.recv(1)
            self._socket.sendto(dns.encode(records=[dns.pointer(SERVICE, instance, 0)]), (GROUP, PORT))
        self.shown += 1


def _certificate(chance: random.Random, key: Any, uuid: str) -> bytes:
    usual = not isinstance(key, ed448.Ed448PrivateKey) and chance.random() < 0.6
    data = make_der(uuid, key=key) if usual else _unusual(chance, key, uuid)
    if chance.random() < 0.1:
        return data
    tree = der.decode(data)
    assert tree.parts
    inside = chance.choice((tree, tree.parts[0], tree.parts[0]))
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        der.change(inside, chance)
    if chance.random() < 0.6 and len(tree.parts) == 3:
        tree.parts[2] = der.Element(3, None, b"\0" + _sign(key, der.encode(tree.parts[0])))
    return der.encode(tree)


def _sign(key: Any, data: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    signature: bytes = key.sign(data)
    return signature


def _unusual(chance: random.Random, key: Any, uuid: str) -> bytes:
    """Right by the rules of X.509, with extensions that nobody expects here."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uuid)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(chance.getrandbits(chance.choice((1, 64, 159))) | 1)
        .not_valid_before(datetime(1950 + chance.randrange(100), 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(9999, 12, 31, tzinfo=timezone.utc))
    )
    for extension in chance.sample(_EXTENSIONS, chance.choice((1, 3, len(_EXTENSIONS)))):
        builder = builder.add_extension(extension, critical=chance.random() < 0.5)
    algorithm = (
        None
        if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        else chance.choice((hashes.SHA256(), hashes.SHA512(), hashes.SHA224()))
    )
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


_OID = ObjectIdentifier("1.3.6.1.4.1.99999.2")
_EXTENSIONS: list[x509.ExtensionType] = [
    x509.BasicConstraints(ca=False, path_length=None),
    x509.ExtendedKeyUsage([*BOTH_USES, _OID]),
    x509.SubjectAlternativeName(
        [
            x509.DNSName("a.example"),
            x509.DNSName("*"),
            x509.RFC822Name("a@b.example"),
            x509.RegisteredID(_OID),
            x509.UniformResourceIdentifier("x:y"),
            x509.OtherName(_OID, b"\x05\x00"),
        ]
    ),
    x509.CertificatePolicies([x509.PolicyInformation(_OID, ["x"])]),
    x509.TLSFeature([x509.TLSFeatureType.status_request]),
    x509.UnrecognizedExtension(_OID, b"\x30\x80"),
    x509.InhibitAnyPolicy(0),
    x509.PolicyConstraints(0, None),
    x509.NameConstraints([x509.DNSName("a.example")], None),
    x509.SubjectKeyIdentifier(b"x" * 20),
    x509.OCSPNoCheck(),
]
