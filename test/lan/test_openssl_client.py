"""`openssl s_client` at a node's peer API: what TLS shows to a client that nobody here wrote."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from friends import wait_knows
from lab import Lan
from nodes import Node
from seed_process import SeedProcess

POST = "POST /rooms/x/message HTTP/1.1\r\nHost: peer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def ada(lan: Lan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    port = "20443"
    with Node(lan.hosts[0], tmp_path_factory.mktemp("openssl") / "ada.db", addr=f":{port}") as ada:
        yield ada


def s_client(
    lan: Lan, *options: str | Path, stdin: str = "", address: str = ""
) -> subprocess.CompletedProcess[str]:
    words = ["openssl", "s_client", "-connect", f"{address or lan.hosts[0].address}:20443", *options]
    return lan.hosts[1].run(words, check=False, stdin=stdin, timeout=20)


def certificate(output: str, *options: str) -> str:
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", output, re.DOTALL)
    assert pem, output
    return subprocess.run(
        ["openssl", "x509", "-noout", *options], input=pem[0], text=True, check=True, stdout=subprocess.PIPE
    ).stdout


def test_the_certificate_carries_the_uuid_and_can_sign_no_other(lan: Lan, ada: Node) -> None:
    shown = s_client(lan, "-showcerts").stdout
    text = certificate(shown, "-text")
    assert shown.count("BEGIN CERTIFICATE") == 1
    assert certificate(shown, "-subject", "-nameopt", "RFC2253").strip() == f"subject=CN={ada.uuid}"
    assert certificate(shown, "-issuer", "-nameopt", "RFC2253").strip() == f"issuer=CN={ada.uuid}"
    assert "CA:FALSE" in text
    assert "CA:TRUE" not in text
    assert "Certificate Sign" not in text
    assert "Public-Key: (3072 bit)" in text
    assert "Not After : Dec 31 23:59:59 9999 GMT" in text
    sha1, sha256 = (
        certificate(shown, "-fingerprint", digest).split("=")[1].strip().replace(":", "").lower()
        for digest in ("-sha1", "-sha256")
    )
    assert (sha1, sha256) == (ada.fingerprint, ada.fingerprint_sha256)


def test_it_is_there_on_ipv6_too(lan: Lan, ada: Node) -> None:
    shown = s_client(lan, address=f"[{lan.hosts[0].address6}]").stdout
    assert f"CN = {ada.uuid}" in shown


def test_tls_1_3_is_spoken_and_nothing_older(lan: Lan, ada: Node) -> None:
    assert "TLSv1.3" in s_client(lan, "-tls1_3").stdout
    old = s_client(lan, "-tls1_2")
    assert old.returncode != 0
    assert "alert protocol version" in old.stderr
    assert "no peer certificate available" in old.stdout


def test_a_client_certificate_is_asked_for_from_any_issuer(lan: Lan, ada: Node) -> None:
    """A Go client sends no certificate if the server names issuers and its own is not among them."""
    assert "No client certificate CA names sent" in s_client(lan, "-showcerts").stdout


def test_a_client_without_a_certificate_sees_ours_and_is_told_that_it_needs_one(lan: Lan, ada: Node) -> None:
    done = s_client(lan, "-ign_eof", stdin=POST)
    assert "BEGIN CERTIFICATE" in done.stdout, "the look: our certificate, before anything is refused"
    assert "alert certificate required" in done.stderr
    assert "HTTP/1" not in done.stdout


def test_a_client_with_a_strangers_certificate_gets_no_http(lan: Lan, ada: Node, tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-keyout",
            key,
            "-out",
            cert,
            "-subj",
            "/CN=0704411d-699b-4cc0-9a55-6d9b2f1c0a11",
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    done = s_client(lan, "-ign_eof", "-key", key, "-cert", cert, stdin=POST)
    assert "alert unknown ca" in done.stderr
    assert "HTTP/1" not in done.stdout


def test_openssl_alone_delivers_a_message_and_gets_no_session_to_resume(
    lan: Lan, ada: Node, tmp_path: Path
) -> None:
    """With a certificate that Ada has verified. A resumed session would not be verified again."""
    with SeedProcess(lan.hosts[1], tmp_path / "state", rooms=["tea"]) as seed:
        ada.join("tea")
        wait_knows(ada, seed)
        ada.verify(seed.uuid, seed.fingerprint_sha256)
    identity = json.loads((tmp_path / "state").read_text())
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    key.write_text(identity["key"])
    cert.write_text(identity["certificate"])
    body = '{"username": "openssl", "content": "typed by hand"}'
    request = (
        f"POST /rooms/tea/message HTTP/1.1\r\nHost: peer\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    )
    shown = s_client(lan, "-ign_eof", "-key", key, "-cert", cert, stdin=request).stdout
    assert "HTTP/1.1 200" in shown
    assert "New, TLSv1.3" in shown
    assert "session ticket" not in shown.lower()
    arrived = ada.wait_message("typed by hand")
    assert arrived["sender"] == {"uuid": seed.uuid, "username": "openssl"}


def test_a_silent_connection_stops_nobody_else(lan: Lan, ada: Node) -> None:
    with lan.hosts[1].connect(20443, lan.hosts[0].address):
        assert "TLSv1.3" in s_client(lan).stdout
