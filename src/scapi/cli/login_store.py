"""Where a login is kept: the keyring of the system where it has one, else a file that only its owner can read."""

from __future__ import annotations

import os
import stat
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from scapi._base import atomic
from scapi._base.extras import extra
from scapi.exceptions import CredentialsError
from scapi.models import UserToken

__all__ = ["Login", "forget", "load", "save"]

#: What the entry of the keyring is called.
SERVICE, ACCOUNT = "scapi", "login"

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A user's token, and the application that it was made for, without which it can't be renewed.

    Attributes:
        token: The token; it never shows itself.
        client_id: The application's id.
        client_secret: The application's secret.
    """

    token: UserToken
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Login({self.token!r}, client_id={self.client_id!r}, client_secret='***')"

    def __rich_repr__(self) -> list[Any]:
        # msgspec's own would show the secret.
        return [self.token]


def load() -> Login | None:
    """The login that was saved, or `None`.

    Raises:
        CredentialsError: There is one, but it can't be read, or others can read it too.
        ImportError: platformdirs is missing.
    """
    # The file first: there is one only where the keyring failed, and then the keyring's entry is an older one.
    text = _read(file())
    if text is None:
        text = _from_keyring()
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Login)
    except msgspec.MsgspecError:
        # Not chained: the cause's traceback may show the text.
        text = None
    raise CredentialsError("the saved login can't be read: run scapi login again")


def save(login: Login) -> str:
    """Keep a login in place of the one before, and tell where.

    Raises:
        OSError: The file can't be written.
        ImportError: platformdirs is missing.
    """
    text = msgspec.json.encode(login)
    if (keyring := _keyring()) is not None:
        try:
            keyring.set_password(SERVICE, ACCOUNT, text.decode())
        except keyring.errors.KeyringError:
            pass  # there is none on this machine, it is locked, or it takes no text of this length
        else:
            file().unlink(missing_ok=True)
            return "the keyring of this system"
    _write(file(), text)
    return str(file())


def forget() -> bool:
    """Remove the saved login, and tell whether there was one.

    Raises:
        CredentialsError: The keyring doesn't let it go.
        OSError: The file can't be removed.
    """
    path = file()
    # A save that was killed left a part, which holds all that the file does.
    kept = [path, *atomic.abandoned(path.parent, path.name)]
    found = any(map(Path.exists, kept))
    for secret in kept:
        secret.unlink(missing_ok=True)
    if (keyring := _keyring()) is None or _from_keyring() is None:
        return found
    try:
        keyring.delete_password(SERVICE, ACCOUNT)
    except keyring.errors.KeyringError as cause:
        raise CredentialsError(f"the keyring keeps the login: {cause}") from cause
    return True


def file() -> Path:
    """The file that a login is kept in where there is no keyring."""
    with extra("cli", "a login"):
        import platformdirs
    return Path(platformdirs.user_data_dir("scapi", appauthor=False)) / "login.json"


def _keyring() -> Any | None:
    try:
        return import_module("keyring")
    except ImportError:
        return None


def _from_keyring() -> bytes | None:
    if (keyring := _keyring()) is None:
        return None
    try:
        found: str | None = keyring.get_password(SERVICE, ACCOUNT)
    except keyring.errors.NoKeyringError:
        return None
    except keyring.errors.KeyringError as cause:
        raise CredentialsError(f"the keyring of this system can't be read: {cause}") from cause
    return None if found is None else found.encode()


def _read(path: Path) -> bytes | None:
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return None
    with handle:
        # Of the open file: what its name leads to may change in between. Windows has no such bits.
        if os.name == "posix" and os.fstat(handle.fileno()).st_mode & OTHERS:
            raise CredentialsError(f"others can read {path}: log in again after scapi logout")
        return handle.read()


def _write(path: Path, text: bytes) -> None:
    """Write a file that nobody else can read at any time, there in whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    atomic.sweep(path.parent, now=time.time())
    # On the disk before anybody goes on: the pair before it is dead by now, and a power cut must not cost both.
    atomic.write(path, text, private=True)
