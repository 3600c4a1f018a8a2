r"""The one mask over secrets that come back: a server, a proxy or an error of Python's may echo what was sent.

A secret is found in clear and in the spellings that JSON, URLs, HTML and Python have for its characters, so that
`\u0054`, `\/`, `%54` and `&#84;` hide none of it.
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

#: A secret of fewer characters is none, and to mask it would garble every text.
SHORTEST = 4

#: A body that is cut off may end within a secret. So many of its first characters are enough to mask them.
LEAST = 8

#: One character in another spelling, or the beginning of one at the end of what was cut off.
_ESCAPE = re.compile(
    rb"""\\\\*u([0-9a-f]{4}) | \\\\*x([0-9a-f]{2}) | %([0-9a-f]{2}) | &(\#?\w{1,8};) | \\\\*(?=[^\\ux])"""
    rb"""| \\\\*(?:u\w{0,3}|x\w?)?\Z | %\w?\Z | &\#?\w{0,8}\Z""",
    re.IGNORECASE | re.VERBOSE,
)


class Redactor:
    """Puts `***` in the place of secrets.

    Args:
        secrets: What must not show; `None` and texts of less than 4 characters are left out.
    """

    __slots__ = ("_secrets",)

    def __init__(self, *secrets: Secret | str | None) -> None:
        hidden = [Secret.of(secret) for secret in secrets if secret]
        hidden = [secret for secret in hidden if len(secret.reveal()) >= SHORTEST]
        # In a form or a query `+` is a space.
        hidden += [Secret(secret.reveal().replace(" ", "+")) for secret in hidden if " " in secret.reveal()]
        # The longest first: one may be the beginning of another.
        self._secrets = sorted(hidden, key=lambda secret: len(secret.encode()), reverse=True)

    def mask(self, value: T) -> T:
        """Return a value without the secrets.

        Args:
            value: Text, bytes, or what JSON is made of. Lists and objects are changed in place.
        """
        box: list[Any] = [value]
        waiting: list[Any] = [box] if self._secrets else []
        # No recursion: how deep the value is nested is a stranger's decision.
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
        # Python makes no text of a number with more than 4300 digits.
        if isinstance(value, float) or (isinstance(value, int) and value.bit_length() < 4096):
            return MASK if any(secret.encode() in _bytes(str(value)) for secret in self._secrets) else value
        return value

    def _mask_bytes(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret.encode(), MASK.encode())
        plain = _Plain(data)
        spans = sorted(plain.span(*span) for secret in self._secrets for span in _places(plain.data, secret))
        # From the last to the first, so that the places of those before stay what they are.
        for begin, end in reversed(list(_merged(spans))):
            data = data[:begin] + MASK.encode() + data[end:]
        return data

    def __repr__(self) -> str:
        return f"Redactor({MASK})"


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


class _Plain:
    """Bytes with every character in its plain spelling, and where each of them was before."""

    def __init__(self, data: bytes) -> None:
        plain = bytearray()
        # What begins at `_at[i]` of the plain bytes began at `_was[i]`; those with an odd `i` had another spelling.
        self._at, self._was = [0], [0]
        for escape in _ESCAPE.finditer(data):
            plain += data[self._was[-1] : escape.start()]
            self._note(len(plain), escape.start())
            plain += _spelled(escape)
            self._note(len(plain), escape.end())
        self.data = bytes(plain + data[self._was[-1] :])

    def _note(self, at: int, was: int) -> None:
        self._at.append(at)
        self._was.append(was)

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Where something was before: begin and end of its spelling."""
        first, last = bisect_right(self._at, begin) - 1, bisect_right(self._at, end - 1) - 1
        return (
            self._was[first] + (0 if first % 2 else begin - self._at[first]),
            self._was[last + 1] if last % 2 else self._was[last] + end - self._at[last],
        )


def _spelled(escape: re.Match[bytes]) -> bytes:
    unit, byte, percent, entity = ((group or b"").decode("latin-1") for group in escape.groups())
    if unit:
        return _bytes(chr(int(unit, 16)))
    return bytes.fromhex(byte or percent) or _bytes(html.unescape(f"&{entity}" if entity else ""))


def _places(data: bytes, secret: Secret) -> Iterator[tuple[int, int]]:
    """Yield where a secret is, and where one begins that the end of the data cuts off."""
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
    """Spans that overlap as one."""
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
    """Mask all that an exception keeps."""
    if isinstance(error, UnicodeDecodeError):
        # It keeps the whole of what it couldn't decode.
        error.object = b""
        error.args = (error.encoding, b"", *error.args[2:])
    error.args = tuple(redactor.mask(arg) if isinstance(arg, str | bytes) else arg for arg in error.args)
    kept = vars(error)
    names = kept.keys() if isinstance(error, ScApiException) else kept.keys() & {"__notes__"}
    kept.update({name: redactor.mask(kept[name]) for name in names})
