"""The network of nodes in one process: it hands each one's announcement to all others.

Discovery is the one thing that is faked in `test/loopback`; the servers, TLS, the
database and the threads are real. Like mDNS this network believes everybody: a
test may `announce` whatever it likes, about anybody, and `withhold` what a node says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from cryptochat_lib.discovery import LinkHealth, Listener, OwnAnnouncement
from cryptochat_lib.limits import Limits
from cryptochat_lib.model import Announcement, Endpoint, PeerId


class FakeNetwork:
    """What has been said, and who listens. `_lock` guards both, and keeps hints in order."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._said: dict[PeerId, Announcement] = {}
        self._listeners: list[FakeDiscovery] = []
        self._withheld: set[PeerId] = set()
        self._multicast = True

    def cut(self) -> None:
        """From now on no node's announcement or goodbye reaches another: there is no multicast.

        What a test says itself is heard all the same.
        """
        self._multicast = False

    def discovery_at(self, host: str) -> Callable[[Listener, Sequence[str], Limits], FakeDiscovery]:
        """What makes the discovery of a node whose peer API listens on `host`."""
        return lambda listener, _names, _limits: FakeDiscovery(self, listener, host)

    def announce(self, announcement: Announcement) -> None:
        """Somebody says this, true or not."""
        with self._lock:
            if announcement.uuid not in self._withheld:
                self._said[announcement.uuid] = announcement
                for one in self._listeners:
                    one.hear(announcement)

    def goodbye(self, uuid: PeerId) -> None:
        """Somebody says goodbye for `uuid`."""
        with self._lock:
            self._said.pop(uuid, None)
            for one in self._listeners:
                one.hear_goodbye(uuid)

    def withhold(self, uuid: PeerId, but: Announcement | None = None) -> None:
        """From now on nobody hears what is announced for `uuid`, `but` this if it is given."""
        with self._lock:
            if but is not None:
                self.announce(but)
            self._withheld.add(uuid)

    def say(self, announcement: Announcement) -> None:
        """A node announces itself."""
        if self._multicast:
            self.announce(announcement)

    def leave_word(self, uuid: PeerId) -> None:
        """A node says goodbye."""
        if self._multicast:
            self.goodbye(uuid)

    def join(self, one: FakeDiscovery) -> None:
        with self._lock:
            self._listeners.append(one)
            for announcement in self._said.values():
                one.hear(announcement)

    def leave(self, one: FakeDiscovery) -> None:
        with self._lock:
            if one in self._listeners:
                self._listeners.remove(one)


class FakeDiscovery:
    """Discovery as `app` sees it, for one node."""

    def __init__(self, network: FakeNetwork, listener: Listener, host: str) -> None:
        self._network = network
        self._listener = listener
        self._host = host
        self._own: PeerId | None = None

    def start(self) -> None:
        self._network.join(self)

    def stop(self) -> None:
        self._network.leave(self)
        if self._own is not None:
            self._network.leave_word(self._own)

    def listens_on(self, hosts: Collection[str] | None) -> None:
        """It announces the one host that it was made with."""

    def ask(self) -> None:
        """Everybody is heard at once, without being asked."""

    def health(self) -> list[LinkHealth]:
        address = (self._host,)
        return [LinkHealth("lo", address, open=True, announced=True, sent=1.0, returned=1.0)]

    def announce(self, own: OwnAnnouncement) -> None:
        self._own = own.uuid
        where = (Endpoint(self._host, own.port),)
        self._network.say(Announcement(own.uuid, where, dict(own.rooms), own.name, version=1))

    def hear(self, announcement: Announcement) -> None:
        if announcement.uuid != self._own:
            self._listener.seen(announcement)

    def hear_goodbye(self, uuid: PeerId) -> None:
        if uuid != self._own:
            self._listener.gone(uuid)
