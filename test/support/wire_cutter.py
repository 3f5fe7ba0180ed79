"""A cable with a hand on it: TCP between a node and everybody, which loses what the test wants lost.

    with WireCutter(bob.endpoint) as cable:      # what is announced as Bob's address
        cable.lose_answers = True                # Bob gets everything, and nobody hears from him
        ...
        cable.cut()                              # every connection ends, as if he had crashed

It carries bytes and understands none of them: TLS, certificates and requests are the
nodes' own. Threads: one accepts, one carries each connection; `close` ends all.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from types import TracebackType

from cryptochat_lib.model import Endpoint

_PATIENCE = 60.0


class WireCutter:
    """A port whose connections come out at `target`. Set `lose_answers` and `target` at any time."""

    def __init__(self, target: Endpoint) -> None:
        self.target = target
        self.lose_answers = False
        self.lost = 0  # bytes of answers
        self._lock = threading.Lock()  # guards `_sockets`
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = Endpoint("127.0.0.1", self._listener.getsockname()[1])
        self._run(self._accept)

    def __enter__(self) -> WireCutter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _shut(self._listener)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """End every connection, on both sides."""
        with self._lock:
            for sock in self._sockets:
                _shut(sock)

    def _run(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=target, args=arguments, name="wire cutter")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._run(self._carry, sock)

    def _carry(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, self._dial() as far:
            with self._lock:
                self._sockets |= {near, far}
            try:
                self._carry_both(near, far)
            finally:
                with self._lock:
                    self._sockets -= {near, far}

    def _dial(self) -> socket.socket:
        return socket.create_connection((self.target.host, self.target.port), _PATIENCE)

    def _carry_both(self, near: socket.socket, far: socket.socket) -> None:
        """Bytes both ways, until one side ends."""
        while True:
            for ready in select.select([near, far], [], [], _PATIENCE)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                if ready is near:
                    far.sendall(data)
                elif self.lose_answers:
                    self.lost += len(data)
                else:
                    near.sendall(data)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
