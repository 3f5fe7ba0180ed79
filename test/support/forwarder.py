"""A port on this machine whose connections come out on the loopback of another one of the laboratory.

For programs that take an address and not a socket: selenium, that speaks with a chromedriver there.
"""

from __future__ import annotations

import select
import socket
import socketserver
import threading

from lab import Namespace

_PATIENCE = 300.0


class Forwarder:
    """A port here whose connections come out on the loopback of another machine."""

    def __init__(self, host: Namespace, port: int) -> None:
        class Pipe(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with host.connect(port, timeout=_PATIENCE) as there:
                    _carry(self.request, there)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Pipe)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="forwarder")
        self._thread.start()
        self.port: int = self._server.server_address[1]

    def close(self) -> None:
        """Waits for the connections' threads too: they end when either side has closed."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


def _carry(here: socket.socket, there: socket.socket) -> None:
    """Bytes both ways, until one side ends."""
    other = {here: there, there: here}
    while True:
        for ready in select.select([here, there], [], [], _PATIENCE)[0]:
            try:
                data = ready.recv(65536)
                if not data:
                    return
                other[ready].sendall(data)
            except OSError:
                return
