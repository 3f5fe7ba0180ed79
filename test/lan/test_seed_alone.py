"""The seed-only peer against itself: what the tests measure CryptoChat with works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lan
from seed_process import SeedProcess


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    with Lan(hosts=2) as lan:
        yield lan


def test_two_seed_peers_ask_inside_the_handshake_and_chat(lan: Lan, tmp_path: Path) -> None:
    with (
        SeedProcess(lan.hosts[0], tmp_path / "a", rooms=["tea room"]) as ada,
        SeedProcess(lan.hosts[1], tmp_path / "b", rooms=["tea room"]) as bob,
    ):
        ada.wait_listed(bob.uuid, "tea room")
        ada.send("tea room", "hello")
        asked = ada.wait_for("asked", uuid=bob.uuid)
        assert asked["fingerprint"] == bob.fingerprint
        assert not bob.count("asked"), "Bob cannot know Ada's certificate before she trusts his"
        ada.verify(bob.uuid)
        assert bob.wait_for("asked", uuid=ada.uuid)["fingerprint"] == ada.fingerprint
        assert not bob.count("message"), "her message waits inside the handshake"
        bob.verify(ada.uuid)
        assert bob.wait_for("message", uuid=ada.uuid, room="tea room")["content"] == "hello"
        assert ada.wait_for("sent")["status"] == 200

        bob.wait_listed(ada.uuid, "tea room")
        bob.send("tea room", "and back")
        assert ada.wait_for("message", uuid=bob.uuid)["content"] == "and back"
        bob.send("tea room", "more than the seed knows", id="1")
        assert bob.wait_for("sent", status=400)["answer"] == '{"message": "unknown field"}'
        assert ada.count("message") == 1


def test_a_seed_peer_hears_only_while_it_listens_and_says_no_goodbye(lan: Lan, tmp_path: Path) -> None:
    with SeedProcess(lan.hosts[0], tmp_path / "a") as ada:
        with SeedProcess(lan.hosts[1], tmp_path / "b") as bob:
            assert ada.wait_listed(bob.uuid)["rooms"] == []
            mark = ada.events.mark()
            bob.join("late")
            assert ada.wait_listed(bob.uuid, "late", after=mark)["port"] == bob.port
        mark = ada.events.mark()
        with SeedProcess(lan.hosts[1], tmp_path / "b", rooms=["again"]) as bob:
            listed = ada.wait_listed(bob.uuid, after=mark)
            assert (listed["port"], listed["rooms"]) == (bob.port, ["again"])
    assert ada.count("dropped") == 0


def test_a_seed_peer_refuses_another_key_under_a_name_it_knows(lan: Lan, tmp_path: Path) -> None:
    with SeedProcess(lan.hosts[0], tmp_path / "a", rooms=["tea"]) as ada:
        with SeedProcess(lan.hosts[1], tmp_path / "b", rooms=["tea"]) as bob:
            ada.wait_listed(bob.uuid, "tea")
            ada.send("tea", "one")
            ada.wait_for("asked", uuid=bob.uuid)
            mark = ada.events.mark()
        with SeedProcess(lan.hosts[1], tmp_path / "m", rooms=["tea"], uuid=bob.uuid) as mallory:
            ada.wait_listed(mallory.uuid, "tea", after=mark)
            ada.send("tea", "two")
            ada.wait_for("mismatch", uuid=bob.uuid)
            assert ada.wait_for("sent", after=mark)["status"] is None
            assert mallory.count("asked") == 0, "she never saw Ada's certificate"
