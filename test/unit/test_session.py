"""The token reaches the page and scripts, and nobody else: files of one owner, a code of one use."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cryptochat_lib.errors import Forbidden, Unauthorized
from cryptochat_lib.limits import Limits
from cryptochat_lib.session import Session

URL = "http://127.0.0.1:9080/"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path / "c.db", Limits())
    yield session
    session.close()


def code_in(redirect: Path) -> str:
    found = re.search(r"#open=([\w-]+)\"", redirect.read_text())
    assert found
    return found[1]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_token_is_new_at_every_start_and_hard_to_guess(tmp_path: Path) -> None:
    tokens = {Session(tmp_path / "c.db", Limits()).token for _ in range(10)}
    assert len(tokens) == 10
    assert min(map(len, tokens)) >= 43  # 256 bits


def test_the_bearer_of_the_token_passes(session: Session) -> None:
    session.check(f"Bearer {session.token}")


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer {token}x",
        "bearer {token}",
        "Basic {token}",
        "{token}",
        "Bearer  {token}",
        "Bearer {cut}",
        "Bearer \xff\xe9",
    ],
)
def test_anything_else_does_not(session: Session, given: str | None) -> None:
    text = given and given.format(token=session.token, cut=session.token[:-1])
    with pytest.raises(Unauthorized) as refused:
        session.check(text)
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


def test_the_code_gives_the_token_once(session: Session) -> None:
    code = code_in(session.write_redirect(URL))
    assert session.exchange(code) == session.token
    with pytest.raises(Forbidden):
        session.exchange(code)


def test_the_redirect_file_is_gone_once_its_code_is_used(session: Session) -> None:
    redirect = session.write_redirect(URL)
    session.exchange(code_in(redirect))
    assert not redirect.exists()


def test_the_code_works_for_60_seconds_and_no_longer(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("cryptochat_lib.session.time.monotonic", lambda: now[0])
    code = code_in(session.write_redirect(URL))
    now[0] += 60
    with pytest.raises(Forbidden):
        session.exchange(code)
    code = code_in(session.write_redirect(URL))
    now[0] += 59.9
    assert session.exchange(code) == session.token


@pytest.mark.parametrize("code", ["", "x", "\xe9", "None"])
def test_a_wrong_code_gives_nothing_and_spoils_nothing(session: Session, code: str) -> None:
    right = code_in(session.write_redirect(URL))
    with pytest.raises(Forbidden):
        session.exchange(code)
    assert session.exchange(right) == session.token


@pytest.mark.parametrize("code", ["", "x", "None"])
def test_without_an_open_code_none_is_right(session: Session, code: str) -> None:
    with pytest.raises(Forbidden):
        session.exchange(code)


def test_a_second_code_replaces_the_first(session: Session) -> None:
    first, second = (code_in(session.write_redirect(URL)) for _ in range(2))
    assert first != second
    with pytest.raises(Forbidden):
        session.exchange(first)
    assert session.exchange(second) == session.token


def test_the_token_does_not_stand_in_the_redirect_file(session: Session) -> None:
    redirect = session.write_redirect(URL)
    assert session.token not in redirect.read_text()
    assert f"url={URL}#open=" in redirect.read_text()


def test_the_session_file_says_where_we_are_while_we_run(session: Session, tmp_path: Path) -> None:
    session.write_file(URL)
    file = tmp_path / "c.db.session.json"
    assert json.loads(file.read_text()) == {"url": URL, "token": session.token, "pid": os.getpid()}
    session.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="this platform has no modes")
def test_both_files_are_for_their_owner_only_whatever_the_umask(session: Session, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        session.write_file(URL)
        redirect = session.write_redirect(URL)
    finally:
        os.umask(before)
    assert mode(tmp_path / "c.db.session.json") == 0o600
    assert mode(redirect) == 0o600


def test_what_an_earlier_run_left_is_replaced_not_written_into(session: Session, tmp_path: Path) -> None:
    """Somebody may hold the old file open, or have put a link there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    for name in ("c.db.session.json", "c.db.session.json.new"):
        (tmp_path / name).symlink_to(elsewhere)
    session.write_file(URL)
    assert elsewhere.read_text() == "untouched"
    assert mode(tmp_path / "c.db.session.json") == 0o600


def test_closing_twice_is_no_error(session: Session) -> None:
    session.write_file(URL)
    session.close()
    session.close()


def test_closing_removes_a_redirect_that_nobody_used(session: Session) -> None:
    redirect = session.write_redirect(URL)
    session.close()
    assert not redirect.exists()
