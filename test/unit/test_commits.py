"""Writes that come while another is on its way to the disk share the next commit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from waiting import wait_until

from cryptochat_lib.store import commits
from cryptochat_lib.store.commits import Commits, Piece, perform


class Disk:
    """Runs pieces as a database would, and lets the test say when a commit is through."""

    def __init__(self, most: int = 64) -> None:
        self.groups: list[int] = []
        self.through = threading.Event()
        self.through.set()
        self.commits = Commits(self.transact, most)

    def transact(self, group: Sequence[Piece]) -> None:
        self.groups.append(len(group))
        assert self.through.wait(10)
        perform(None, group)

    def start(self, piece: Piece) -> threading.Thread:
        thread = threading.Thread(target=self.commits.run, args=(piece,))
        thread.start()
        return thread

    def start_behind(self, pieces: Sequence[Piece]) -> list[threading.Thread]:
        """All of `pieces` while the disk is busy with one more, in this order."""
        self.through.clear()
        begun = len(self.groups)
        threads = [self.start(piece_of(lambda tx: None))]
        wait_until(lambda: len(self.groups) > begun)
        for number, piece in enumerate(pieces, 1):
            threads.append(self.start(piece))
            wait_until(lambda number=number: len(self.commits._waiting) == number)  # type: ignore[misc]
        return threads

    def finish(self, threads: Sequence[threading.Thread]) -> None:
        self.through.set()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


def piece_of(work: Callable[[object], object], committed: Callable[[Any], None] | None = None) -> Piece:
    """A piece like no other."""
    return Piece(lambda tx, _: [work(tx)], committed=committed)


def fails(error: Exception) -> Callable[[object], object]:
    def work(tx: object) -> object:
        raise error

    return work


def test_a_write_that_comes_alone_has_a_commit_of_its_own() -> None:
    disk = Disk()
    for number in range(3):
        piece = piece_of(lambda tx, number=number: number)
        disk.commits.run(piece)
        assert piece.result == number
    assert disk.groups == [1, 1, 1]


def test_writes_that_come_meanwhile_share_the_next_commit_in_their_order() -> None:
    disk, said = Disk(), []
    pieces = [piece_of(lambda tx, n=n: n, said.append) for n in range(5)]
    disk.finish(disk.start_behind(pieces))
    assert disk.groups == [1, 5]
    assert [piece.result for piece in pieces] == said == [0, 1, 2, 3, 4]


def test_more_than_one_commit_takes_goes_with_the_one_after_it() -> None:
    disk, said = Disk(most=2), []
    disk.finish(disk.start_behind([piece_of(lambda tx, n=n: n, said.append) for n in range(5)]))
    assert disk.groups == [1, 2, 2, 1]
    assert said == [0, 1, 2, 3, 4]


def test_alike_pieces_that_follow_each_other_are_done_in_one_call() -> None:
    disk, calls = Disk(), []

    def add(tx: object, items: list[int]) -> list[int]:
        calls.append(items)
        return [item * 10 for item in items]

    pieces = [Piece(add, 1), Piece(add, 2), piece_of(lambda tx: "other"), Piece(add, 3)]
    disk.finish(disk.start_behind(pieces))
    assert calls == [[1, 2], [3]]
    assert [piece.result for piece in pieces] == [10, 20, "other", 30]


def test_an_item_that_fails_is_told_and_those_beside_it_are_stored() -> None:
    disk, said = Disk(), []

    def add(tx: object, items: list[int]) -> list[int]:
        return [1 // item for item in items]

    pieces = [Piece(add, item, said.append) for item in (1, 0, -1)]
    disk.finish(disk.start_behind(pieces))
    assert [type(piece.error) for piece in pieces] == [type(None), ZeroDivisionError, type(None)]
    assert said == [1, -1]


def test_only_after_a_shared_commit_a_writer_waits_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, pauses = Disk(), []
    monkeypatch.setattr(commits.time, "sleep", pauses.append)
    for _ in range(3):
        disk.commits.run(piece_of(lambda tx: None))
    assert pauses == []
    disk.finish(disk.start_behind([piece_of(lambda tx: None), piece_of(lambda tx: None)]))
    pauses.clear()
    disk.commits.run(piece_of(lambda tx: None))
    assert len(pauses) == 1
    disk.commits.run(piece_of(lambda tx: None))
    assert len(pauses) == 1, "the last commit was not shared"


def test_one_that_fails_is_told_and_the_others_are_stored() -> None:
    disk, said = Disk(), []
    bad = piece_of(fails(ZeroDivisionError("no")), said.append)
    good = [piece_of(lambda tx, n=n: n, said.append) for n in range(2)]
    disk.finish(disk.start_behind([good[0], bad, good[1]]))
    assert disk.groups == [1, 3, 1, 1, 1]
    assert isinstance(bad.error, ZeroDivisionError)
    assert said == [0, 1]
    assert [piece.error for piece in good] == [None, None]


def test_what_follows_a_commit_may_fail_without_harm_to_the_others() -> None:
    disk, said = Disk(), []

    def refuse(result: object) -> None:
        raise ZeroDivisionError("no")

    bad, good = piece_of(lambda tx: 1, refuse), piece_of(lambda tx: 2, said.append)
    disk.finish(disk.start_behind([bad, good]))
    assert isinstance(bad.error, ZeroDivisionError)
    assert said == [2]


def test_what_nobody_waits_for_goes_with_the_next_commit() -> None:
    disk, said = Disk(), []
    disk.commits.add(piece_of(lambda tx: "soon", said.append))
    assert not disk.commits.idle
    assert said == []
    disk.commits.run(piece_of(lambda tx: "now", said.append))
    assert disk.groups == [2]
    assert said == ["soon", "now"]
    assert disk.commits.idle


def test_what_nobody_waits_for_leads_nothing() -> None:
    """Left behind a full commit, it stays until somebody comes, and holds nobody up."""
    disk, said = Disk(most=1), []
    disk.commits.add(piece_of(lambda tx: "soon", said.append))
    disk.commits.add(piece_of(lambda tx: "too", said.append))
    disk.commits.run(piece_of(lambda tx: "now", said.append))
    assert said == ["soon", "too", "now"]
    threads = disk.start_behind([])
    disk.commits.add(piece_of(lambda tx: "late", said.append))
    disk.finish(threads)
    assert said[3:] == []
    disk.commits.run(piece_of(lambda tx: "last", said.append))
    assert said[3:] == ["late", "last"]


def test_what_nobody_waits_for_and_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    disk.commits.add(piece_of(fails(ZeroDivisionError("no room"))))
    with caplog.at_level(logging.ERROR):
        disk.commits.run(piece_of(lambda tx: None))
    assert "no room" in caplog.text


def test_many_threads_at_once_lose_nothing() -> None:
    disk, said = Disk(most=3), []

    def write(start: int) -> None:
        for number in range(start, start + 200):
            piece = piece_of(lambda tx, number=number: number, said.append)
            disk.commits.run(piece)
            assert piece.result == number

    threads = [threading.Thread(target=write, args=(n * 200,)) for n in range(8)]
    for thread in threads:
        thread.start()
    disk.finish(threads)
    assert sorted(said) == list(range(1600))
    for n in range(8):  # each thread's own in its order
        own = [number for number in said if n * 200 <= number < (n + 1) * 200]
        assert own == sorted(own)
