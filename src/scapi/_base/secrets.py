"""The type for tokens, client secrets, codes and passwords. It never shows its content."""

from __future__ import annotations

import os
from hmac import compare_digest
from typing import Self, overload

MASK = "***"


class Secret:  # noqa: PLW1641  # a hash would leak a hint about the text
    """A text that must not be shown.

    `repr`, `str`, `format`, and tracebacks with local variables show `***` instead. Only `reveal()` and `encode()`
    return the text. It is scrambled in memory and in pickles, not encrypted.

    Args:
        text: The text. A value of another type is hidden as well, and `check` rejects it.

    Examples:
        ```python
        from scapi import AppClient, Secret

        client = AppClient(token=Secret("..."))
        ```
    """

    __slots__ = ("_pad", "_scrambled", "_wrong_type")

    def __init__(self, text: object) -> None:
        # Nothing here may raise: a traceback would show the argument. Text that can't be sent is rejected on sending,
        # without being shown.
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

        Functions do this in their first line, before anything can raise: from then on no local variable contains the
        text.

        Args:
            value: The argument.
        """
        return value if value is None or isinstance(value, Secret) else cls(value)

    def check(self, name: str) -> Self:
        """Return this secret if it is a string.

        Args:
            name: The name in the error message.

        Raises:
            TypeError: The text isn't a string.
        """
        if self._wrong_type:
            raise TypeError(f"{name} must be a string, not {self._wrong_type}")
        return self

    def reveal(self) -> str:
        """Return the plain text. Use it inside the expression that needs it; don't assign it to a variable."""
        return self.encode().decode(errors="surrogatepass")

    def encode(self) -> bytes:
        """Return the plain text as UTF-8. Surrogates are kept."""
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
    """Return a text, or the plain text of a secret. Don't assign the result to a variable."""
    return value.reveal() if isinstance(value, Secret) else value
