"""Two keys under one UUID: said once, clearly, and nothing moves trust but the user."""

from __future__ import annotations

import pytest
from nodes import wait_until
from seed_process import SeedProcess


@pytest.fixture
def ada(lan, start_node):
    return start_node(lan.hosts[0], "Ada")


@pytest.fixture
def page(lan, ada, start_chromium):
    page = start_chromium(lan.hosts[0]).open(ada)
    page.join("tea")
    return page


def known(ada, peer, status):
    def question():
        user = ada.user(peer.uuid)
        return user and user["fingerprint_sha256"] and user["status"] == status and user

    return wait_until(question, 20, f"never {status}: {ada.user(peer.uuid)}")


def test_another_key_under_a_verified_uuid_is_shown_and_refused(lan, ada, page, tmp_path):
    with SeedProcess(lan.hosts[1], tmp_path / "old.json", rooms=["tea"]) as old:
        known(ada, old, "unverified")
        ada.verify(old.uuid, old.fingerprint_sha256)
    with SeedProcess(lan.hosts[1], tmp_path / "new.json", rooms=["tea"], uuid=old.uuid) as new:
        ada.post(f"/api/users/{old.uuid}/look")
        page.wait_text(".alarm", "A different key claims to be", timeout=40)
        assert len(page.all(".alarm")) == 1
        page.click(".alarm summary")
        assert page.texts(".alarm .sha256")[0].replace(" ", "") == new.fingerprint_sha256
        page.wait_text(f"[data-uuid='{old.uuid}'] .status", "verified")
        page.click(".alarm .refuse")
        page.wait_gone(".alarm")
        user = ada.user(old.uuid)
        assert (user["status"], user["fingerprint_sha256"]) == ("verified", old.fingerprint_sha256)


def test_two_unverified_keys_under_one_uuid_are_said_to_be_two(lan, ada, page, tmp_path):
    with SeedProcess(lan.hosts[1], tmp_path / "old.json", rooms=["tea"]) as old:
        known(ada, old, "unverified")
    with SeedProcess(lan.hosts[1], tmp_path / "new.json", rooms=["tea"], uuid=old.uuid):
        ada.post(f"/api/users/{old.uuid}/look")
        page.wait_text(".alarm", "Two keys claim to be", timeout=40)
        page.click(".alarm .primary")
        page.wait_text(f"[data-uuid='{old.uuid}'] .status", "key changed")
