"""The command line: what it means, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cryptochat_lib import __version__
from cryptochat_lib.cli import options as cli
from cryptochat_lib.errors import UsageError
from cryptochat_lib.model import Endpoint
from cryptochat_lib.options import Options, PassphraseOptions, WipeOptions, login_name, parse


def test_nothing_means_the_documented_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cryptochat_lib.arguments.sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert parse([]) == Options(
        db=Path("/data/cryptochat/cryptochat.db"),
        addr=Endpoint("", 0),
        uiaddr=Endpoint("127.0.0.1", 9080),
        interfaces=(),
        username=None,
        announce_name=True,
        log="info",
        browser=True,
    )


def test_everything_can_be_asked_for() -> None:
    words = [
        "--db",
        "x.db",
        "--addr",
        "[::1]:5",
        "--uiaddr",
        "[::1]:0",
        "--interface",
        "lo",
        "--interface",
        "10.0.0.1",
        "--username",
        " Ada ",
        "--no-announce-name",
        "--log",
        "debug",
        "--no-browser",
    ]
    assert parse(words) == Options(
        Path("x.db"), Endpoint("::1", 5), Endpoint("::1", 0), ("lo", "10.0.0.1"), "Ada", False, "debug", False
    )


def test_the_first_word_may_be_run() -> None:
    assert parse(["run", "--db", "x"]) == parse(["--db", "x"])


def test_each_sub_command_has_options_of_its_own() -> None:
    assert parse(["passphrase", "--db", "x"]) == PassphraseOptions(Path("x"))
    assert parse(["passphrase", "--db", "x", "--remove", "--passphrase-fd", "3"]) == PassphraseOptions(
        Path("x"), passphrase_fd=3, remove=True
    )
    assert parse(["passphrase", "--db", "x", "--new-passphrase-fd", "0"]) == PassphraseOptions(
        Path("x"), new_passphrase_fd=0
    )
    assert parse(["wipe", "--db", "x"]) == WipeOptions(Path("x"))
    assert parse(["wipe"]).db == parse([]).db
    with pytest.raises(UsageError, match="one or the other"):
        parse(["passphrase", "--remove", "--new-passphrase-fd", "3"])


def test_each_command_to_the_running_program_has_a_value_of_its_own() -> None:
    db = Path("x")
    for words, asked in [
        ("send tea hello --wait 5 --as Eve", cli.Send(db, "tea", "hello", "Eve", 5)),
        ("send tea -", cli.Send(db, "tea", "-")),
        ("tail tea --json --lines 0 --no-follow", cli.Tail(db, "tea", 0, False, True)),
        ("rooms", cli.Rooms(db)),
        ("users --json", cli.Users(db, True)),
        ("join tea", cli.Join(db, "tea")),
        ("leave -- -tea", cli.Leave(db, "-tea")),
        ("verify", cli.Verify(db)),
        ("verify Bob --fingerprint " + "0A:" * 32, cli.Verify(db, "Bob", "0a" * 32)),
        ("code --json", cli.Code(db, True)),
        ("add CRYPTO CHAT", cli.Add(db, ["CRYPTO", "CHAT"])),
        ("add", cli.Add(db)),
        ("add --remove 1", cli.Add(db, (), "1")),
        ("open", cli.Open(db)),
        ("doctor --report", cli.Doctor(db, True)),
    ]:
        command, *rest = words.split()
        assert parse([command, "--db", "x", *rest]) == asked
    assert parse(["rooms"]).db == parse([]).db
    for words in (
        "send tea x --wait -1",
        "tail tea --lines 501",
        "verify B --fingerprint 00",
        "verify B --withdraw --fingerprint " + "00" * 32,
        "add --remove 1 X",
    ):
        with pytest.raises(SystemExit) as ended:
            parse(words.split())
        assert ended.value.code == 2


def test_a_command_to_the_running_program_imports_little() -> None:
    """A script may say it often; none of these does it need."""
    heavy = ["zeroconf", "cryptography", "sqlite3", "asyncio", "cryptochat_lib.store", "cryptochat_lib.app"]
    words = "import sys, cryptochat_lib.options, cryptochat_lib.cli.perform; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", words], check=True, stdout=subprocess.PIPE, text=True)
    assert "cryptochat_lib.cli.send" in imported.stdout.split()
    assert set(heavy) & set(imported.stdout.split()) == set()


@pytest.mark.parametrize(
    "words",
    [
        ["passphrase", "hunter2"],
        ["wipe", "--passphrase-fd", "3"],
        ["--passphrase", "hunter2"],
        ["passphrase", "--new-passphrase-fd", "hunter2"],
        ["--passphrase-fd", "-1"],
        ["--passphrase-fd", "\u0665"],
    ],
)
def test_no_argument_is_taken_for_a_passphrase(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert "usage: cryptochat" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {}, ".local/share"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "Library/Application Support"),
        ("win32", {"APPDATA": "/roaming"}, "/roaming"),
        ("win32", {}, "AppData/Roaming"),
    ],
)
def test_the_database_is_in_the_users_data_folder(
    platform: str, variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_DATA_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("cryptochat_lib.arguments.sys.platform", platform)
    assert parse([]).db == Path.home() / folder / "cryptochat" / "cryptochat.db"


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "[::]", "", "10.0.0.1", "[2001:db8::1]", "example.org", "127.0.0.1.evil"]
)
def test_the_page_is_on_loopback_or_nowhere(host: str) -> None:
    with pytest.raises(UsageError, match="--uiaddr"):
        parse(["--uiaddr", f"{host}:9080"])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "[::1]", "localhost"])
def test_every_loopback_address_is_loopback(host: str) -> None:
    assert parse(["--uiaddr", f"{host}:0"]).uiaddr.ip.is_loopback


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80",
        "127.0.0.1",
        "127.0.0.1:",
        ":x",
        ":-1",
        ":+1",
        ":65536",
        ":\u0665",
        ":1_0",
        ":" + "9" * 5000,
        "host:80",
        "1.2.3:80",
        "[::1:80",
    ],
)
def test_an_address_of_another_form_is_refused(text: str) -> None:
    if text == "[::1:80":  # a forgotten bracket harms nobody
        assert parse(["--addr", text]).addr == Endpoint("::1", 80)
        return
    with pytest.raises(UsageError, match="--addr"):
        parse(["--addr", text])


def test_the_peer_api_may_be_everywhere() -> None:
    assert parse(["--addr", "0.0.0.0:65535"]).addr == Endpoint("0.0.0.0", 65535)


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--username"):
        parse(["--username", name])


@pytest.mark.parametrize("words", [["--log", "trace"], ["--port", "1"], ["walk"], ["--db"]])
def test_what_is_no_option_ends_with_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert "usage: cryptochat" in capsys.readouterr().err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"cryptochat {__version__}\n"


@pytest.mark.parametrize(
    ("account", "name"), [("ada", "ada"), ("", "somebody"), ("a\nb", "ab"), ("x" * 99, "x" * 64)]
)
def test_who_never_chose_a_name_is_shown_under_the_login_name(
    account: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cryptochat_lib.options.getpass.getuser", lambda: account)
    assert login_name() == name


def test_who_has_no_account_is_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_account() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("cryptochat_lib.options.getpass.getuser", no_account)
    assert login_name() == "somebody"
