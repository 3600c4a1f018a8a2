"""Whom a command talks to, and as whom."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scapi.exceptions import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Generator

    from scapi.sync import AppClient

__all__ = ["connect", "require_credentials"]

#: Where credentials come from. Never from arguments, which a shell keeps in its history and `ps` shows to everybody.
VARIABLES = ("SCAPI_TOKEN", "SCAPI_CLIENT_ID", "SCAPI_CLIENT_SECRET")


@contextmanager
def connect(*, fake: bool, region: str | None) -> Generator[AppClient]:
    """A client with the credentials of the environment, or one of a fake API that lives as long as the block.

    Raises:
        CredentialsError: The environment has no credentials.
        ImportError: The fake can't be served.
    """
    # Not before: help, completion and wrong arguments need no client.
    from scapi.sync import AppClient

    if not fake:
        require_credentials()
        with AppClient.from_env(region=region) as client:
            yield client
        return
    from scapi.testing import FakeApi

    api = FakeApi(clock=time.time)
    with api.serve() as url, AppClient(token=api.app_token, base_url=url, region=region) as client:
        yield client


def require_credentials() -> None:
    """Raise a `CredentialsError` that says what to do in a terminal, where the environment has no credentials."""
    if not any(map(os.environ.get, VARIABLES)):
        raise CredentialsError(
            f"no credentials: set {VARIABLES[0]}, or {' and '.join(VARIABLES[1:])}; --fake needs none"
        )
