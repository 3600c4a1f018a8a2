"""Secrets, in a form that doesn't show them."""

from __future__ import annotations

import os


def scramble(secret: str) -> tuple[bytes, bytes]:
    """The secret as two parts, neither of which shows it: not encrypted, but not in clear either."""
    # What can't be sent can be kept all the same: the error comes where it is sent, and doesn't show it.
    plain = secret.encode(errors="surrogatepass")
    pad = os.urandom(len(plain))
    return pad, bytes(a ^ b for a, b in zip(plain, pad, strict=True))


def unscramble(parts: tuple[bytes, bytes]) -> str:
    """The secret from its two parts."""
    return bytes(a ^ b for a, b in zip(*parts, strict=True)).decode(errors="surrogatepass")
