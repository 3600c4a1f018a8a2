"""The one type for tokens, client secrets, codes and passwords. It shows nothing of them."""

from __future__ import annotations

import os
from hmac import compare_digest
from typing import Self, overload

__all__ = ["Secret"]

MASK = "***"


class Secret:  # noqa: PLW1641  # a hash would be a hint at the text
    """Hold a text that must not show.

    `repr`, `str`, `format`, comparisons, pickles and tracebacks with local variables show `***` in its place, and only
    `reveal()` returns it. It is scrambled in memory and in pickles, not encrypted.

    Args:
        text: The text. Anything else is hidden as well, and `check` refuses it.

    Example:
        from scapi import AppClient, Secret

        client = AppClient(token=Secret("..."))
    """

    __slots__ = ("_pad", "_scrambled", "_wrong_type")

    def __init__(self, text: object) -> None:
        # Nothing in here raises: a traceback would show the argument. Text that can't be sent is refused where it is
        # sent, without being shown.
        self._wrong_type = "" if isinstance(text, str) else type(text).__name__
        self._scramble(text.encode(errors="surrogatepass") if isinstance(text, str) else b"")

    def _scramble(self, plain: bytes) -> None:
        self._pad = os.urandom(len(plain))
        self._scrambled = _xor(plain, self._pad)

    @overload
    @classmethod
    def of(cls, value: None) -> None: ...
    @overload
    @classmethod
    def of(cls, value: str | Secret) -> Secret: ...
    @overload
    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None: ...
    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None:
        """Wrap an argument, unless it is `None` or wrapped already.

        A function takes each secret this way in its first line, before anything can raise: from then on no frame of it
        has the text as a local variable.
        """
        return value if value is None or isinstance(value, Secret) else cls(value)

    def check(self, name: str) -> Self:
        """Return this secret.

        Args:
            name: What the message calls it.

        Raises:
            TypeError: It isn't a string.
        """
        if self._wrong_type:
            raise TypeError(f"{name} must be a string, not {self._wrong_type}")
        return self

    def reveal(self) -> str:
        """Return the text in clear. Use it within the expression that needs it, and give it no name."""
        return self.encode().decode(errors="surrogatepass")

    def encode(self) -> bytes:
        """Return the text in clear, as UTF-8; half characters (surrogates) are kept."""
        return _xor(self._scrambled, self._pad)

    def __bool__(self) -> bool:
        return bool(self._scrambled or self._wrong_type)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(self.encode(), other.encode())

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> tuple[object, ...]:
        again = Secret("")
        again._scramble(self.encode())
        return Secret, ("",), (again._pad, again._scrambled, self._wrong_type)

    def __setstate__(self, state: tuple[bytes, bytes, str]) -> None:
        self._pad, self._scrambled, self._wrong_type = state


def _xor(data: bytes, pad: bytes) -> bytes:
    return (int.from_bytes(data) ^ int.from_bytes(pad)).to_bytes(len(data))


def reveal(value: str | Secret) -> str:
    """Return a text, or what a secret holds. Give the result no name."""
    return value.reveal() if isinstance(value, Secret) else value
