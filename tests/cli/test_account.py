from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import webbrowser
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import httpx
import pytest

from scapi.cli import login_store
from scapi.cli.app import run
from scapi.cli.commands import account
from scapi.exceptions import CredentialsError
from tests.cli.process import environment

if TYPE_CHECKING:
    from pathlib import Path

    from scapi.models import UserToken
    from scapi.testing import FakeApi

#: No test may need the port that everybody else uses.
PORT = "48723"


@pytest.fixture
def server(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A fake that the environment has the application of, and no token."""
    monkeypatch.delenv("SCAPI_TOKEN")
    monkeypatch.setenv("SCAPI_CLIENT_ID", fake.client_id)
    monkeypatch.setenv("SCAPI_CLIENT_SECRET", fake.client_secret)
    return fake


@pytest.fixture
def player(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A fake that somebody is logged in to, with nothing in the environment."""
    monkeypatch.delenv("SCAPI_TOKEN")
    keep(fake, fake.oauth.issue(fake.now))
    return fake


def keep(fake: FakeApi, token: UserToken) -> str:
    return login_store.save(login_store.Login(token=token, client_id=fake.client_id, client_secret=fake.client_secret))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def saved() -> login_store.Login:
    login = login_store.load()
    assert login is not None
    return login


def visit(url: str) -> bool:
    """What a browser does, which follows the redirect to us."""
    return httpx.get(url, follow_redirects=True).status_code == 200


class Keyring:
    """The package `keyring`, with one that works, is absent, or fails."""

    class KeyringError(Exception):
        pass

    class NoKeyringError(KeyringError):
        pass

    errors = SimpleNamespace(KeyringError=KeyringError, NoKeyringError=NoKeyringError)

    def __init__(self, broken: type[Exception] | None = None) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.broken = broken

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken("locked")

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self._check()
        self.entries[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        self._check()
        del self.entries[service, name]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    ring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", ring)
    return ring


class TestLogin:
    def test_it_opens_the_browser_and_keeps_the_token(
        self, server: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(webbrowser, "open", visit)
        assert run(["login", "--port", PORT, "--json"]) == 0
        shown, said = capsys.readouterr()
        assert json.loads(shown)["login"] == "your_login"
        assert said == f"Kept in {login_store.file()}.\n"
        assert saved().client_secret == server.client_secret
        assert saved().token.access_token not in shown + said

    def test_without_a_browser_it_asks_on_stderr(
        self, server: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked: list[str] = []

        def paste(prompt: str) -> str:
            asked.append(prompt)
            url = next(line for line in prompt.splitlines() if line.startswith("http"))
            return httpx.get(url).headers["location"]

        monkeypatch.setattr(account, "_ask", paste)
        assert run(["login", "--no-browser", "--port", PORT]) == 0
        assert f"localhost:{PORT}/callback" in asked[0]
        assert "your_login" in capsys.readouterr().out

    def test_the_prompt_and_the_answer(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("http://x\n"))
        assert account._ask("Paste: ") == "http://x\n"
        assert capsys.readouterr() == ("", "Paste: ")
        with pytest.raises(EOFError):
            account._ask("Paste: ")

    def test_a_refusal_is_one_sentence(
        self, server: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.oauth.refusal = "access_denied"
        monkeypatch.setattr(webbrowser, "open", visit)
        assert run(["login", "--port", PORT]) == 3
        assert capsys.readouterr().err.startswith("scapi: the login was refused: access_denied")
        assert login_store.load() is None

    def test_without_an_application_it_says_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["login"]) == 3
        assert "client_id and client_secret" in capsys.readouterr().err

    def test_with_the_fake_nothing_is_kept(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(webbrowser, "open", visit)
        assert run(["login", "--fake", "--port", PORT]) == 0
        shown, said = capsys.readouterr()
        assert "your_login" in shown
        assert said == "The fake forgets the token when this command ends.\n"
        assert login_store.load() is None

    @pytest.mark.socket
    def test_a_real_process_takes_the_pasted_address(self) -> None:
        command = [sys.executable, "-m", "scapi", "login", "--fake", "--no-browser", "--port", PORT]
        pipe = subprocess.PIPE
        process = subprocess.Popen(  # noqa: S603  # our own command
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(), encoding="utf-8"
        )
        assert process.stderr is not None
        url = next(line.strip() for line in process.stderr if line.startswith("http"))
        shown, _ = process.communicate(httpx.get(url).headers["location"] + "\n", timeout=30)
        assert process.returncode == 0
        assert "your_login" in shown


class TestWhoami:
    def test_it_tells_who_until_when_and_never_the_token(
        self, player: FakeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        token = saved().token
        assert run(["whoami"]) == 0
        shown, said = capsys.readouterr()
        assert "your_login" in shown
        assert "YourCharacterName, YourSecondCharacter" in shown
        assert f"valid until {token.expires_at:%Y-%m-%d}" in shown
        assert not {token.access_token, token.refresh_token} & set((shown + said).split())

    def test_a_token_that_died_is_renewed_and_the_new_pair_kept(self, player: FakeApi) -> None:
        old = saved().token
        player.oauth.revoke(old.access_token)
        assert run(["whoami"]) == 0
        assert saved().token.access_token != old.access_token
        assert saved().client_id == player.client_id
        assert run(["whoami"]) == 0

    def test_a_token_about_to_expire_is_renewed_first(
        self, player: FakeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from msgspec.structs import replace

        old = saved().token
        keep(player, replace(old, expires_at=old.expires_at - timedelta(days=4000)))
        assert run(["emission"]) == 0
        assert saved().token.refresh_token != old.refresh_token
        assert not {saved().token.access_token} & set(capsys.readouterr().out.split())

    def test_the_environment_comes_before_the_login(self, player: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SCAPI_TOKEN", player.app_token)
        player.oauth.revoke(saved().token.access_token)
        before = saved().token.access_token
        assert run(["emission"]) == 0
        assert saved().token.access_token == before

    def test_nobody_is_logged_in(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["whoami"]) == 3
        assert "or run scapi login" in capsys.readouterr().err

    @pytest.mark.usefixtures("player")
    def test_the_doctor_asks_with_the_login_too(self, monkeypatch: pytest.MonkeyPatch) -> None:

        from scapi.cli.doctor import endpoint_calls

        asked: list[object] = []
        monkeypatch.setattr(endpoint_calls, "live", lambda token, **_: asked.append(token) or [])
        monkeypatch.setattr(endpoint_calls, "hosts", list)
        assert run(["doctor"]) == 0
        assert asked == [saved().token.access_token]


class TestLogout:
    def test_it_removes_what_was_kept_once(self, player: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["logout"]) == 0
        assert run(["logout"]) == 0
        assert capsys.readouterr().err == "Logged out.\nNobody was logged in.\n"
        assert login_store.load() is None
        assert not login_store.file().exists()

    def test_what_a_killed_process_left_is_removed_too(
        self, player: FakeApi, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = login_store.file().parent
        program = (
            "import os, sys, pathlib\n"
            "from scapi.cli import login_store\n"
            f"login_store.file = lambda: pathlib.Path({str(login_store.file())!r})\n"
            "login = login_store.load()\n"
            "sys.modules['keyring'] = None\n"
            "os.fsync = lambda _: os._exit(9)\n"
            "login_store.save(login)\n"
        )
        command = [sys.executable, "-c", program]
        assert subprocess.run(command, env=environment(), check=False).returncode == 9  # noqa: S603  # our own command
        assert len(list(folder.iterdir())) == 2
        assert run(["logout"]) == 0
        assert capsys.readouterr().err == "Logged out.\n"
        assert not list(folder.iterdir())

    def test_parts_alone_are_a_login_too(self, player: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
        login_store.file().rename(login_store.file().with_name(".login.json.0123456789abcdef.part"))
        assert run(["logout"]) == 0
        assert capsys.readouterr().err == "Logged out.\n"
        assert not list(login_store.file().parent.iterdir())

    def test_a_save_removes_parts_that_are_an_hour_old(self, player: FakeApi) -> None:
        fresh, old = (login_store.file().with_name(f".login.json.{name}.part") for name in ("a", "b"))
        for path in (fresh, old):
            path.write_text("x")
        os.utime(old, (0, 0))
        keep(player, saved().token)
        assert (fresh.exists(), old.exists()) == (True, False)

    def test_the_keyring_forgets_too(self, keyring: Keyring, fake: FakeApi) -> None:
        keep(fake, fake.oauth.issue(fake.now))
        assert login_store.forget()
        assert not keyring.entries
        assert not login_store.forget()

    def test_a_keyring_that_keeps_it_is_an_error(
        self, keyring: Keyring, fake: FakeApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise Keyring.KeyringError("no")

        keep(fake, fake.oauth.issue(fake.now))
        monkeypatch.setattr(keyring, "delete_password", refuse)
        with pytest.raises(CredentialsError, match="the keyring can't delete the login: no"):
            login_store.forget()


class TestStore:
    @pytest.mark.skipif(os.name != "posix", reason="Windows has no such bits")
    def test_nobody_else_can_read_the_file_at_any_time(self, fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
        modes: list[int] = []
        fsync = os.fsync
        monkeypatch.setattr(os, "fsync", lambda fd: (modes.append(stat.S_IMODE(os.fstat(fd).st_mode)), fsync(fd))[1])
        mask = os.umask(0)
        try:
            assert keep(fake, fake.oauth.issue(fake.now)) == str(login_store.file())
        finally:
            os.umask(mask)
        assert (modes, mode(login_store.file()), mode(login_store.file().parent)) == ([0o600], 0o600, 0o700)

    @pytest.mark.skipif(os.name != "posix", reason="Windows has no such bits")
    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o620])
    def test_a_file_that_others_can_read_is_refused(
        self, player: FakeApi, bits: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        login_store.file().chmod(bits)
        assert run(["whoami"]) == 3
        assert capsys.readouterr().err.startswith(f"scapi: other users can read {login_store.file()}")

    def test_a_write_that_fails_leaves_the_old_login(self, player: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        before = saved().token.access_token
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            keep(player, player.oauth.issue(player.now))
        assert saved().token.access_token == before
        assert [path.name for path in login_store.file().parent.iterdir()] == ["login.json"]

    @pytest.mark.parametrize("text", ["", "no json", "{}", '{"token": "hunter2"}'])
    def test_a_damaged_login_is_said_without_its_text(
        self, player: FakeApi, text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        login_store.file().write_text(text)
        assert run(["whoami"]) == 3
        complaint = capsys.readouterr().err
        assert complaint == "scapi: the saved login can't be read: run scapi login again\n"

    def test_the_keyring_comes_before_the_file(self, keyring: Keyring, fake: FakeApi) -> None:
        token = fake.oauth.issue(fake.now)
        assert keep(fake, token) == "the keyring of this system"
        assert not login_store.file().exists()
        assert saved().token.access_token == token.access_token

    @pytest.mark.parametrize("broken", [Keyring.NoKeyringError, Keyring.KeyringError])
    def test_a_keyring_that_does_not_work_is_replaced_by_the_file(
        self, keyring: Keyring, fake: FakeApi, broken: type[Exception]
    ) -> None:
        keep(fake, fake.oauth.issue(fake.now))  # an older one, which the file must win over
        keyring.broken = broken
        token = fake.oauth.issue(fake.now)
        assert keep(fake, token) == str(login_store.file())
        keyring.broken = None
        assert saved().token.access_token == token.access_token
        keep(fake, token)
        assert not login_store.file().exists()

    def test_a_machine_without_a_keyring_has_no_login(self, keyring: Keyring) -> None:
        keyring.broken = Keyring.NoKeyringError
        assert login_store.load() is None

    def test_a_keyring_that_is_locked_is_no_missing_login(self, keyring: Keyring) -> None:
        keyring.broken = Keyring.KeyringError
        with pytest.raises(CredentialsError, match="the keyring of this system can't be read: locked"):
            login_store.load()

    def test_a_login_never_shows_itself(self, player: FakeApi) -> None:
        from rich.pretty import pretty_repr

        login = saved()
        for shown in (repr(login), pretty_repr(login)):
            assert login.client_secret not in shown
            assert login.token.access_token not in shown
            assert login.token.refresh_token not in shown


def test_the_place_of_the_file_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert login_store.file() == tmp_path / "scapi" / "login.json"
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(ImportError, match=r"\.\[cli\]"):
        login_store.file()
