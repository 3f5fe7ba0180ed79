"""Threads of which there may be no more to be had."""

from __future__ import annotations

import threading

import pytest
from waiting import Collected

from cryptochat_lib.workers import start_workers


def test_as_many_are_started_as_there_are_to_be_had_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: Collected[str] = Collected()
    left = [2]
    start = threading.Thread.start

    def start_if_there_is_one(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_if_there_is_one)
    assert start_workers("try", lambda: worked.add(threading.current_thread().name), 5) == 2
    assert start_workers("try", lambda: worked.add("never"), 1) == 0
    assert start_workers("try", lambda: worked.add("never"), -1) == 0
    worked.wait_for(lambda name: name == "try", after=1)
    assert worked.items == ["try", "try"]
