r"""Mask secrets that come back: a server, a proxy or a Python error may echo what was sent.

A secret is found as plain text and with characters escaped as in JSON, URLs, HTML or Python, such as `\u0054`, `\/`,
`%54` and `&#84;`.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, TypeVar, cast

from scapi._base.json_types import is_array, is_object
from scapi._base.secrets import MASK, Secret
from scapi.exceptions import ScApiException

if TYPE_CHECKING:
    from collections.abc import Iterator


T = TypeVar("T")

#: Shorter secrets, in characters, are not masked: that would garble every text.
SHORTEST = 4

#: A truncated body may end within a secret. This many of its first bytes are enough to mask them.
LEAST = 8

#: One escaped character, or the beginning of one at the end of truncated data.
ESCAPE = re.compile(
    rb"""\\\\*u([0-9a-f]{4}) | \\\\*x([0-9a-f]{2}) | %([0-9a-f]{2}) | &(\#?\w{1,8};) | \\\\*(?=[^\\ux])"""
    rb"""| \\\\*(?:u\w{0,3}|x\w?)?\Z | %\w?\Z | &\#?\w{0,8}\Z""",
    re.IGNORECASE | re.VERBOSE,
)


class Redactor:
    """Replaces secrets with `***`.

    Args:
        secrets: The secrets. `None` and texts of less than 4 characters are ignored.
    """

    __slots__ = ("_secrets",)

    def __init__(self, *secrets: Secret | str | None) -> None:
        hidden = [Secret.of(secret) for secret in secrets if secret]
        hidden = [secret for secret in hidden if len(secret.reveal()) >= SHORTEST]
        # In a form or a query, `+` is a space.
        hidden += [Secret(secret.reveal().replace(" ", "+")) for secret in hidden if " " in secret.reveal()]
        # Longest first: one secret may be the beginning of another.
        self._secrets = sorted(hidden, key=lambda secret: len(secret.encode()), reverse=True)

    def mask(self, value: T) -> T:
        """Return a value without the secrets.

        Args:
            value: Text, bytes, or decoded JSON. Lists and objects are changed in place.
        """
        box: list[Any] = [value]
        waiting: list[Any] = [box] if self._secrets else []
        # No recursion: the value is untrusted and may be nested deeply.
        while waiting:
            within = waiting.pop()
            if is_array(within):
                within[:] = map(self._mask_one, within)
                waiting += within
            elif is_object(within):
                self._mask_object(within)
                waiting += within.values()
        return cast("T", box[0])

    def _mask_object(self, within: dict[Any, Any]) -> None:
        for key, item in list(within.items()):
            shown = self._mask_one(key)
            if shown != key:
                del within[key]
            within[shown] = self._mask_one(item)

    def _mask_one(self, value: Any) -> Any:
        if isinstance(value, bytes | bytearray):
            return self._mask_bytes(bytes(value))
        if isinstance(value, str):
            data = _bytes(value)
            shown = self._mask_bytes(data)
            return value if shown == data else shown.decode(errors="surrogatepass")
        # Python can't convert an integer of more than 4300 digits to text.
        if isinstance(value, float) or (isinstance(value, int) and value.bit_length() < 4096):
            return MASK if any(secret.encode() in _bytes(str(value)) for secret in self._secrets) else value
        return value

    def _mask_bytes(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret.encode(), MASK.encode())
        plain = _Plain(data)
        spans = sorted(plain.span(*span) for secret in self._secrets for span in _places(plain.data, secret))
        # From last to first, so that earlier positions stay valid.
        for begin, end in reversed(list(_merged(spans))):
            data = data[:begin] + MASK.encode() + data[end:]
        return data

    def __repr__(self) -> str:
        return f"Redactor({MASK})"


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


class _Plain:
    """Bytes with all escapes decoded, and a map from decoded to original positions."""

    def __init__(self, data: bytes) -> None:
        plain = bytearray()
        # Position `_at[i]` of the decoded bytes was `_was[i]` in the original. An odd `i` begins an escape.
        self._at, self._was = [0], [0]
        for escape in ESCAPE.finditer(data):
            plain += data[self._was[-1] : escape.start()]
            self._note(len(plain), escape.start())
            plain += _decoded(escape)
            self._note(len(plain), escape.end())
        self.data = bytes(plain + data[self._was[-1] :])

    def _note(self, at: int, was: int) -> None:
        self._at.append(at)
        self._was.append(was)

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Return the original begin and end of a decoded span."""
        first, last = bisect_right(self._at, begin) - 1, bisect_right(self._at, end - 1) - 1
        return (
            self._was[first] + (0 if first % 2 else begin - self._at[first]),
            self._was[last + 1] if last % 2 else self._was[last] + end - self._at[last],
        )


def _decoded(escape: re.Match[bytes]) -> bytes:
    unit, byte, percent, entity = ((group or b"").decode("latin-1") for group in escape.groups())
    if unit:
        return _bytes(chr(int(unit, 16)))
    return bytes.fromhex(byte or percent) or _bytes(html.unescape(f"&{entity}" if entity else ""))


def _places(data: bytes, secret: Secret) -> Iterator[tuple[int, int]]:
    """Yield the spans of a secret, including one that is truncated at the end of the data."""
    length = len(secret.encode())
    begin = data.find(secret.encode())
    while begin >= 0:
        yield begin, begin + length
        begin = data.find(secret.encode(), begin + length)
    begin = data.find(secret.encode()[:LEAST], max(0, len(data) - length + 1)) if length > LEAST else -1
    while begin >= 0:
        if secret.encode().startswith(data[begin:]):
            yield begin, len(data)
            return
        begin = data.find(secret.encode()[:LEAST], begin + 1)


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield sorted spans, with overlapping ones merged."""
    last: tuple[int, int] | None = None
    for begin, end in spans:
        if last and begin < last[1]:
            last = last[0], max(last[1], end)
            continue
        if last:
            yield last
        last = begin, end
    if last:
        yield last


def mask_all(error: BaseException, redactor: Redactor) -> None:
    """Mask the arguments and notes of an exception, and the attributes of one of ours."""
    if isinstance(error, UnicodeDecodeError):
        # It keeps all the data that it could not decode.
        error.object = b""
        error.args = (error.encoding, b"", *error.args[2:])
    error.args = tuple(redactor.mask(arg) if isinstance(arg, str | bytes) else arg for arg in error.args)
    kept = vars(error)
    names = kept.keys() if isinstance(error, ScApiException) else kept.keys() & {"__notes__"}
    kept.update({name: redactor.mask(kept[name]) for name in names})
