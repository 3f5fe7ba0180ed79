"""A whole node inside the test's process, and its user as a script.

    with LoopbackNode(network, tmp_path / "ada.db", username="Ada") as ada:
        ada.join("tea")

It is `app.App` with everything real but discovery (`loopback_network`). Its limits
are scaled where a person would wait; a test scales more of them by name. Keys of
RSA-3072 take a while to make, so the nodes of all tests share a few of them.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from loopback_network import FakeNetwork
from ui_client import UiClient
from waiting import Collected, wait_until

from cryptochat_lib.app import App
from cryptochat_lib.identity import Identity, create_identity
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Endpoint, PeerId
from cryptochat_lib.options import Options
from cryptochat_lib.store import Store

SCALED = Limits(
    gate_seconds=20.0,
    look_again_seconds=0.1,
    retry_first_seconds=0.05,
    retry_most_seconds=0.3,
    free_disk_bytes=0,
    greetings_at_once=0,  # a peer made by hand counts what comes: nodes greet where a test is about that
)
"""The limits of a node that a test asks for nothing special."""


@functools.lru_cache(maxsize=8)
def stock_identity(number: int) -> Identity:
    """The identity number `number`, the same one throughout a run of the tests."""
    return create_identity()


class LoopbackNode(UiClient):
    """One node in this process, and its user."""

    def __init__(
        self,
        network: FakeNetwork,
        database: Path,
        number: int = 0,
        *,
        username: str = "Ada",
        host: str = "127.0.0.1",
        port: int = 0,
        **limits: Any,
    ) -> None:
        super().__init__(None, 0, "")
        self.network = network
        self.options = Options(
            database,
            Endpoint(host, port),
            Endpoint("127.0.0.1", 0),
            interfaces=(host,),  # with it all of 127.0.0.0/8 is next to this node
            username=username,
            browser=False,
        )
        self.limits = replace(SCALED, **limits)
        if not database.exists():
            store = Store(database, self.limits)
            store.open(lambda: stock_identity(number))
            store.close()
        self.running = False
        self.start()

    def __enter__(self) -> LoopbackNode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *, listen: bool = True) -> None:
        """Run it, and collect its events anew."""
        self.app = App(self.options, self.limits, self.network.discovery_at(self.options.addr.host))
        self.app.start()
        self.running = True
        self.events = Collected()
        url = urlsplit(self.app.url)
        self.ui_port, self.token = url.port or 0, url.fragment.removeprefix("token=")
        self.listening = listen
        if listen:
            self.listen()
        info = self.get("/api/info")
        self.uuid = PeerId(info["uuid"])
        self.fingerprint: str = info["fingerprint"]
        self.fingerprint_sha256: str = info["fingerprint_sha256"]

    def stop(self) -> None:
        if self.running:
            self.running = False
            if self.listening:
                self.stop_listening()
            self.app.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def endpoint(self) -> Endpoint:
        """Where its peer API listens."""
        return Endpoint(self.options.addr.host, self.app.listeners.port)

    def wait_knows(self, uuid: str, fingerprint_sha256: str) -> None:
        """Wait until a look has shown that certificate."""

        def knows() -> bool:
            user = self.user(uuid)
            return user is not None and user["fingerprint_sha256"] == fingerprint_sha256

        wait_until(knows, 10, f"the certificate of {uuid} is not known: {self.user(uuid)}")


def befriend(ada: LoopbackNode, bob: LoopbackNode, room: str = "tea") -> None:
    """Both join, look at each other, and say yes."""
    ada.join(room)
    bob.join(room)
    for one, other in ((ada, bob), (bob, ada)):
        one.wait_member(room, other.uuid)
        one.wait_knows(other.uuid, other.fingerprint_sha256)
        one.verify(other.uuid, other.fingerprint_sha256)
