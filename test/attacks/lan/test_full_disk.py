"""A disk that fills up refuses, loses nothing, and goes on by itself once there is room.

Bob's database is on a small disk of its own (a tmpfs that only his program has), which the
test fills from outside. First it leaves less than the 200 MiB that CryptoChat wants free;
then not a single byte.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from friends import befriend
from histories import check_same_history, whole_history
from lab import Lan
from nodes import Node
from waiting import wait_until

from cryptochat_lib.limits import MIB

DISK_BYTES = 216 * MIB
FULL = (507, "storage-full")


class SmallDiskNode(Node):
    """A node whose database is alone on a small disk."""

    @staticmethod
    def words(database: Path, **options: Any) -> list[str]:
        mount = f'mount -t tmpfs -o size={DISK_BYTES} tmpfs "$0" && exec "$@"'
        return ["unshare", "-m", "sh", "-c", mount, str(database.parent), *Node.words(database, **options)]

    @property
    def disk(self) -> Path:
        """The disk, as it is seen from here: the program is the one process that has it."""
        return Path(f"/proc/{self.program.pid}/root{self.database.parent}")

    def leave_free(self, size: int) -> None:
        """Fill the disk until only `size` bytes of it are free."""
        descriptor = os.open(self.disk / "ballast", os.O_RDWR | os.O_CREAT)
        try:
            wanted = self._free() - size
            if wanted > 0:
                os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, wanted)
        finally:
            os.close(descriptor)

    def make_room(self) -> None:
        (self.disk / "ballast").unlink()

    def _free(self) -> int:
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_frsize

    def check_file(self) -> None:
        """The file is whole. It is read while the program runs, where it runs: the disk ends with it."""
        words = ["nsenter", f"--target={self.program.pid}", "--mount", sys.executable, "-c", CHECK]
        done = subprocess.run([*words, str(self.database)], capture_output=True, text=True, timeout=30)
        assert done.stdout.strip() == "[('ok',)] []", done


CHECK = """
import sqlite3, sys
connection = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
print(connection.execute("PRAGMA integrity_check").fetchall(),
      connection.execute("PRAGMA foreign_key_check").fetchall())
"""


@pytest.fixture
def friends_one_on_a_small_disk(lan: Lan, tmp_path: Path) -> Iterator[tuple[Node, SmallDiskNode]]:
    """Ada; and Bob, on the small disk."""
    small = tmp_path / "small"
    small.mkdir()
    ada_at, bob_at, _ = lan.hosts
    with (
        Node(ada_at, tmp_path / "ada.db", username="Ada") as ada,
        SmallDiskNode(bob_at, small / "bob.db", username="Bob") as bob,
    ):
        befriend(ada, bob)
        yield ada, bob


@pytest.mark.parametrize("free", [100 * MIB, 0], ids=["nearly full", "full"])
def test_a_full_disk_refuses_and_loses_nothing_and_goes_on_when_there_is_room(
    friends_one_on_a_small_disk: tuple[Node, SmallDiskNode], room: str, free: int
) -> None:
    ada, bob = friends_one_on_a_small_disk
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    bob.wait_member(room, ada.uuid, online=True)
    ada.wait_delivery(ada.send(room, "Ada: before"), bob.uuid, "delivered")
    bob.wait_delivery(bob.send(room, "Bob: before"), ada.uuid, "delivered")
    ada.freeze()
    under_way = [bob.send(room, f"Bob: under way {number}") for number in range(3)]

    bob.leave_free(free)
    wait_refuses(bob, room)
    stored = whole_history(bob, room)
    for size in (1, 100, 1_000, 8_000):
        assert post(bob, room, "refused" * size) == FULL
    assert {rename(bob, number) for number in range(100)} <= {200, 507}, "what is not a message, too"
    ada.thaw()
    for message in under_way:
        ada.wait_message(message["content"])  # to send takes no room; to note that it arrived may
    waiting = [ada.send(room, f"Ada: while it is full {number}") for number in range(3)]
    reason = "cannot take more at the moment"
    ada.wait_for("delivery", id=waiting[-1]["id"], state="waiting", reason=reason)
    now_stored = whole_history(bob, room)
    assert [one["content"] for one in now_stored] == [one["content"] for one in stored]
    bob.check_file()

    bob.make_room()
    ada.wait_delivery(ada.send(room, "Ada: after"), bob.uuid, "delivered", timeout=15)
    bob.wait_delivery(bob.send(room, "Bob: after"), ada.uuid, "delivered", timeout=15)
    for message in under_way:
        bob.wait_delivery(message, ada.uuid, "delivered", timeout=15)
    histories = check_same_history([ada, bob], room)
    assert not [one for one in histories[bob.uuid] if "refused" in one["content"]]
    bob.check_file()
    bob.check_stderr()


def test_when_there_is_room_again_what_waits_comes_without_anybody_doing_anything(
    friends_one_on_a_small_disk: tuple[Node, SmallDiskNode], room: str
) -> None:
    ada, bob = friends_one_on_a_small_disk
    ada.join(room)
    bob.join(room)
    ada.wait_member(room, bob.uuid, online=True)
    bob.leave_free(MIB)
    wait_refuses(bob, room)
    waiting = [ada.send(room, f"Ada {number}") for number in range(3)]
    ada.wait_for("delivery", id=waiting[0]["id"], reason="cannot take more at the moment")
    bob.make_room()
    ada.wait_delivery(waiting[-1], bob.uuid, "delivered", timeout=15)
    check_same_history([ada, bob], room)


def wait_refuses(node: Node, room: str) -> None:
    """Wait until it has noticed: it looks at its disk once a second."""
    numbers = itertools.count()
    wait_until(lambda: post(node, room, f"Bob: the last {next(numbers)}") == FULL, 5)


def post(node: Node, room: str, content: str) -> tuple[int, str | None]:
    reply = node.request("POST", f"/api/rooms/{room.replace(' ', '%20')}/message", {"content": content})
    return reply.status, reply.json.get("code")


def rename(node: Node, number: int) -> int:
    return node.request("PUT", "/api/info", {"username": f"Bob {number}"}).status
