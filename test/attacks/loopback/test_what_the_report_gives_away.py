"""The doctor's report is pasted into forums: whoever reads it there learns nothing about anybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loopback_node import LoopbackNode, befriend
from loopback_peer import HandmadePeer
from waiting import wait_until

from cryptochat_lib.model import Endpoint

StartNode = Callable[..., LoopbackNode]
MARKS = ("MarkAda", "MarkBob", "MarkMallory", "mark-room", "mark-word", "mark-error")


def test_a_report_has_no_names_rooms_messages_identifiers_keys_tokens_or_paths(
    start_node: StartNode, make_peer: Callable[..., HandmadePeer], tmp_path: Path
) -> None:
    ada = start_node("MarkAda", doctor_seconds=0.2)
    bob, mallory = start_node("MarkBob"), make_peer()
    befriend(ada, bob, "mark-room")
    ada.send("mark-room", "mark-word")
    ada.wait_for("delivery", state="delivered")
    mallory.announce("mark-room", name="MarkMallory", endpoint=Endpoint("127.0.0.1", 9))
    wait_until(lambda: (ada.user(mallory.uuid) or {}).get("trouble") == "refused")
    found = ada.get("/api/doctor")
    assert re.search(r"Peer [12]: nobody listens there\.", found["report"])
    assert re.search(r"1 person is reachable: peer [12]\.", found["report"])
    secrets = [*MARKS, ada.token, str(tmp_path), *_of(ada), *_of(bob), mallory.uuid]
    secrets += [*_keys(ada), bob.endpoint.host + f":{bob.endpoint.port}", mallory.fingerprint_sha256[:8]]
    assert [secret for secret in secrets if secret.lower() in found["report"].lower()] == []
    said = "\n".join(finding["text"] for finding in found["findings"])
    assert "MarkBob" in said  # while the user is told who is meant
    assert "MarkMallory" in said


def test_a_failure_inside_puts_no_words_of_its_own_into_the_report(start_node: StartNode) -> None:
    ada = start_node("Ada", doctor_seconds=0.1)

    def fail() -> Any:
        raise OSError(13, "mark-error", "/home/mark-error/secret")

    ada.app.node.doctor._profile.rooms = ada.app.node.doctor._discovery.ask = fail  # type: ignore[method-assign]
    ada.app.node.doctor._discovery.health = fail  # type: ignore[method-assign]
    found = ada.get("/api/doctor")
    assert {"rooms", "discovery"} == {
        one["values"]["what"] for one in found["findings"] if one["code"] == "cannot-tell"
    }
    assert "mark-error" not in str(found)


def test_what_strangers_see_is_told_to_the_user_alone(start_node: StartNode) -> None:
    ada = start_node("MarkAda", doctor_seconds=0.1)
    ada.join("mark-room")
    found = ada.get("/api/doctor")
    shown = "\n".join(found["visible"])
    for seen in (ada.uuid, "MarkAda", "mark-room", "127.0.0.1", str(ada.endpoint.port)):
        assert seen in shown
    assert ada.uuid not in found["report"]
    assert ada.token not in shown


def _of(node: LoopbackNode) -> list[str]:
    return [node.uuid, node.fingerprint, node.fingerprint_sha256, node.fingerprint_sha256[:8]]


def _keys(node: LoopbackNode) -> list[str]:
    keys = node.app.store.keys.all()
    return [text for key in keys for text in (key.safety_number, key.certificate.public_key.hex()[60:90])]
