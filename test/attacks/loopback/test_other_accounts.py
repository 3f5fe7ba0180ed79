"""Another account of the same machine at the UI's port, which is everybody's to connect to."""

from __future__ import annotations

import os
import socket
import struct
import sys

import another_account
import pytest
from another_account import STRANGER
from loopback_http import ask
from loopback_node import LoopbackNode
from waiting import wait_until

from cryptochat_lib import accounts

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="this platform does not say whose a connection is"),
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may act as another account"
    ),
]

TARGETS = ["GET /", "GET /main.js", "GET /api/info", "GET /api/events", "POST /api/rooms/stolen", "OPTIONS /"]


@pytest.fixture(scope="module", autouse=True)
def _needs() -> None:
    """sock_diag for TCP, which may be left out of a kernel, or out of what a sandbox lets through."""
    if not accounts._can_tell():
        pytest.skip("this kernel does not say whose a connection is")


@pytest.mark.parametrize("line", TARGETS)
def test_another_account_gets_nothing_even_with_the_token(shared: LoopbackNode, line: str) -> None:
    method, target = line.split()
    bearer = [f"Authorization: Bearer {shared.token}"]
    reply = another_account.request(STRANGER, shared.ui_port, target, bearer, method=method)
    assert reply.startswith("HTTP/1.1 403 ")
    assert "belongs to another account of this machine" in reply
    assert shared.room("stolen") is None


def test_our_own_account_and_root_are_answered(shared: LoopbackNode, monkeypatch: pytest.MonkeyPatch) -> None:
    bearer = [f"Authorization: Bearer {shared.token}"]
    assert ask(shared, "GET", "/api/info").status == 200
    monkeypatch.setattr(accounts.os, "geteuid", lambda: STRANGER)  # as if we ran as that one
    assert another_account.request(STRANGER, shared.ui_port, "/api/info", bearer).startswith("HTTP/1.1 200 ")
    assert ask(shared, "GET", "/api/info").status == 200


def test_the_account_that_said_sudo_is_answered(
    shared: LoopbackNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", str(STRANGER))
    bearer = [f"Authorization: Bearer {shared.token}"]
    assert another_account.request(STRANGER, shared.ui_port, "/api/info", bearer).startswith("HTTP/1.1 200 ")
    assert "403" in another_account.request(STRANGER - 1, shared.ui_port, "/api/info", bearer)[:12]


@pytest.mark.parametrize(
    ("server", "client"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("127.0.0.1", "::ffff:127.0.0.1")]
)
def test_who_hangs_up_at_once_does_not_pass_for_root(server: str, client: str) -> None:
    """What they sent would be read all the same. The system gives an end that nobody holds to root."""
    of_server, of_client = (socket.AF_INET6 if ":" in one else socket.AF_INET for one in (server, client))
    with socket.create_server((server, 0), family=of_server) as listener, socket.socket(of_client) as theirs:
        theirs.connect((client, listener.getsockname()[1]))
        with listener.accept()[0] as connection:
            assert not accounts.is_another(connection)
            theirs.close()
            wait_until(lambda: accounts.is_another(connection), 5, "who hung up passes for root")


def test_who_resets_the_connection_does_not_pass_for_nobody(shared: LoopbackNode) -> None:
    """The system knows no such connection any more, but what was sent on it is read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        with listener.accept()[0] as connection:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.sendall(b"POST /api/rooms/stolen HTTP/1.1")
            theirs.close()
            wait_until(lambda: accounts.is_another(connection), 5, "who has reset it is let in")


def test_where_the_system_cannot_say_the_token_decides(
    shared: LoopbackNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(_connection: socket.socket) -> tuple[int, int]:
        raise PermissionError("no netlink here")

    monkeypatch.setattr(accounts, "_owner", cannot)
    bearer = [f"Authorization: Bearer {shared.token}"]
    assert another_account.request(STRANGER, shared.ui_port, "/api/info").startswith("HTTP/1.1 401 ")
    assert another_account.request(STRANGER, shared.ui_port, "/api/info", bearer).startswith("HTTP/1.1 200 ")
