"""The connection options of a client."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import Any, Self

from scapi._base import validation
from scapi._base.secrets import Secret


class Network:
    """The connection options of a client. A proxy's URL may contain a password, so it is a secret.

    Args:
        http_client: The caller's own httpx client to send requests with, instead of our connections.
        proxy: The URL of a proxy, instead of the one that the environment names.
        verify: A TLS context, the path of a file or folder of certificates, or `False` for no verification.
    """

    __slots__ = ("http_client", "proxy", "verify")

    def __init__(self, http_client: Any = None, proxy: str | Secret | None = None, verify: Any = None) -> None:
        self.http_client = http_client
        self.proxy = Secret.of(proxy)
        self.verify: ssl.SSLContext | str | bool = True if verify is None else verify

    def check(self) -> Self:
        """Return these options, checked.

        Raises:
            TypeError: An option is of the wrong type, or `proxy` or `verify` comes with an `http_client`.
            ValueError: `verify` names a file or folder that doesn't exist.
        """
        if self.http_client is not None and not self._is_default():
            name = "verify" if self.proxy is None else "proxy"
            raise TypeError(f"{name} can't be used with an http_client, which has its own connections")
        if self.proxy is not None:
            self.proxy.check("proxy")
        self.verify = _checked(self.verify)
        return self

    def check_pickled(self, owner: object) -> None:
        """Raise `TypeError` if the owner would not work in another process as it does here."""
        if self.http_client is not None:
            raise TypeError(f"{type(owner).__name__} with an http_client of your own can't be pickled")
        if not self._is_default():
            raise TypeError(
                f"{type(owner).__name__} with its own proxy or verify can't be pickled: "
                "set HTTPS_PROXY and SSL_CERT_FILE instead"
            )

    def _is_default(self) -> bool:
        return self.proxy is None and self.verify is True

    def __repr__(self) -> str:
        return "Network(...)"


def _checked(verify: Any) -> ssl.SSLContext | str | bool:
    if verify is True:
        return True
    if verify is False:
        warnings.warn(
            "verify=False: anybody on the network path can read and change requests and responses", stacklevel=4
        )
        return False
    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str | Path):
        path = validation.path("verify", verify)
        if path.exists():
            return str(path)
        raise validation.refuse("verify", str(path), "the path of a file or folder of certificates")
    raise TypeError(f"verify must be an ssl.SSLContext, a path or a bool, not {type(verify).__name__}")


#: The default options.
DIRECT = Network()
