"""Save a login in the system's keyring, or else in a file that only its owner can read."""

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

#: The name of the entry in the keyring.
SERVICE, ACCOUNT = "scapi", "login"

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A user's token, and the application that it was issued to, which is needed to renew it.

    Attributes:
        token: The token; its repr hides it.
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
    """Return the saved login, or `None`.

    Raises:
        CredentialsError: The saved login can't be read, or other users can read it.
        ImportError: platformdirs is missing.
    """
    # The file first: it exists only if saving to the keyring failed, and then the keyring's entry is older.
    text = _read(file())
    if text is None:
        text = _from_keyring()
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Login)
    except msgspec.MsgspecError:
        # Not chained: the traceback of the cause may contain the text.
        text = None
    raise CredentialsError("the saved login can't be read: run scapi login again")


def save(login: Login) -> str:
    """Save a login in place of the previous one. Return where it was saved.

    Raises:
        OSError: The file can't be written.
        ImportError: platformdirs is missing.
    """
    text = msgspec.json.encode(login)
    if (keyring := _keyring()) is not None:
        try:
            keyring.set_password(SERVICE, ACCOUNT, text.decode())
        except keyring.errors.KeyringError:
            pass  # there is no keyring, it is locked, or the text is too long for it
        else:
            file().unlink(missing_ok=True)
            return "the keyring of this system"
    _write(file(), text)
    return str(file())


def forget() -> bool:
    """Remove the saved login. Return whether there was one.

    Raises:
        CredentialsError: The keyring refuses to delete it.
        OSError: The file can't be removed.
    """
    path = file()
    # A killed save may have left temporary files, which contain the secrets too.
    kept = [path, *atomic.abandoned(path.parent, path.name)]
    found = any(map(Path.exists, kept))
    for secret in kept:
        secret.unlink(missing_ok=True)
    if (keyring := _keyring()) is None or _from_keyring() is None:
        return found
    try:
        keyring.delete_password(SERVICE, ACCOUNT)
    except keyring.errors.KeyringError as cause:
        raise CredentialsError(f"the keyring can't delete the login: {cause}") from cause
    return True


def file() -> Path:
    """Return the path of the file for a login without a keyring."""
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
        # Check the open file, because the path may change in between. Windows has no such bits.
        if os.name == "posix" and os.fstat(handle.fileno()).st_mode & OTHERS:
            raise CredentialsError(f"other users can read {path}: run scapi logout, then scapi login")
        return handle.read()


def _write(path: Path, text: bytes) -> None:
    """Write a file atomically. Other users can't read it at any time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    atomic.sweep(path.parent, now=time.time())
    # Synced to disk: the previous tokens are invalid by now, so a power cut must not lose the new ones.
    atomic.write(path, text, private=True)
