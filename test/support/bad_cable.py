"""A cable on which every frame is late and some are lost.

Two machines get an interface each that ends in this process (TAP, in Linux): `BadCable` reads the
frames of one and writes them to the other, after `delay` seconds, and of each hundred it forgets
`loss`. What it forgets is chance, but the same chance every time.

    with BadCable(ada, bob, delay=0.2, loss=10):
        ...

Its interfaces are called `bad0`, with 10.78.0.1 and 10.78.0.2. One thread, which ends with it.
"""

from __future__ import annotations

import fcntl
import os
import random
import selectors
import struct
import threading
import time
from collections import deque
from types import TracebackType

from lab import Namespace

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_LARGEST_FRAME = 65536
_NAME = "bad0"


class BadCable:
    """Both ends are up once it is made."""

    def __init__(self, *machines: Namespace, delay: float, loss: int, seed: int = 1) -> None:
        self._delay, self._loss = delay, loss
        self._chance = random.Random(seed)
        self._late: deque[tuple[float, int, bytes]] = deque()  # when it is due, where to, and what
        self._ends = [machine.inside(_tap) for machine in machines]
        self._bell, self._ringer = os.pipe()
        for number, machine in enumerate(machines, 1):
            machine.ip("link", "set", _NAME, "up")
            machine.ip("address", "add", f"10.78.0.{number}/24", "dev", _NAME)
        self._thread = threading.Thread(target=self._carry, name="bad cable")
        self._thread.start()

    def __enter__(self) -> BadCable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._ringer, b"!")
        self._thread.join(10)
        for descriptor in (*self._ends, self._bell, self._ringer):
            os.close(descriptor)

    def _carry(self) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in (*self._ends, self._bell):
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                left = max(0.0, self._late[0][0] - time.monotonic()) if self._late else None
                ready = [key.fd for key, _ in selector.select(left)]
                if self._bell in ready:
                    return
                for end in ready:
                    self._take(end)
                while self._late and self._late[0][0] <= time.monotonic():
                    _, other, frame = self._late.popleft()
                    os.write(other, frame)

    def _take(self, end: int) -> None:
        frame = os.read(end, _LARGEST_FRAME)
        if self._chance.randrange(100) >= self._loss:
            other = self._ends[1 - self._ends.index(end)]
            self._late.append((time.monotonic() + self._delay, other, frame))


def _tap() -> int:
    """This process's end of a new interface of the machine that it is called on."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", _NAME.encode(), _IFF_TAP | _IFF_NO_PI))
    return descriptor
