"""Checks of what callers pass: the value as the API wants it, or a `ValueError` that says what is allowed."""

from __future__ import annotations

import inspect
import os
import re
import warnings
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, TypeGuard, TypeVar, cast
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

DIGITS = re.compile(r"[\d.,\s]*")

#: A length of time as text, and its units in seconds.
LENGTH = re.compile(r"([0-9]{1,9}) ?(w|d|h|min|s)")
UNITS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "min": 60, "s": 1}

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def refuse(name: str, value: object, allowed: str) -> ValueError:
    """The error for an argument out of its range."""
    return ValueError(f"{name} must be {allowed}, not {value!r}")


def choice(name: str, value: object, kind: type[E]) -> E:
    """The member of a closed enum that `value` names, in any case."""
    try:
        return kind(value)  # type: ignore[arg-type]  # what is no member is what this is here to refuse
    except ValueError:
        raise refuse(name, value, "one of " + ", ".join(kind)) from None


def integer(name: str, value: object, low: int, high: int | None = None) -> int:
    """An integer from `low` to `high`, both included."""
    number = whole(value)
    if number is None or number < low or (high is not None and number > high):
        raise refuse(name, value, f"an integer from {low} to {high}" if high is not None else f"an integer >= {low}")
    return number


def whole(value: object) -> int | None:
    """An integer of any library, such as `numpy.int64`, as Python's own. `None` for all else, `bool` too."""
    try:
        return index(value) if isinstance(value, SupportsIndex) and not isinstance(value, bool) else None
    except TypeError:
        return None


def real(value: object) -> float | None:
    """A number of any library, such as `numpy.float32`, as Python's own float. `None` for all else, `bool` too."""
    try:
        return float(value) if isinstance(value, SupportsFloat) and not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError):
        return None


def seconds(name: str, value: object) -> float:
    """A number of seconds, 0 or more."""
    number = real(value)
    if number is None or not 0 <= number < float("inf"):
        raise refuse(name, value, "a number of seconds, 0 or more")
    return number


def positive(name: str, value: object) -> float:
    """A number of seconds above zero."""
    number = seconds(name, value)
    if number == 0:
        raise refuse(name, value, "a number of seconds above 0")
    return number


def flag(name: str, value: object) -> bool:
    """A real `bool`: the string `"false"` is truthy and would be taken for yes."""
    if not isinstance(value, bool):
        raise refuse(name, value, "True or False")
    return value


def predicate(name: str, function: Callable[[T], object]) -> Callable[[T], object]:
    """A function that says yes or no, or a `TypeError`."""
    if not callable(function):
        raise TypeError(f"{name} must be callable, not {function!r}")
    if inspect.iscoroutinefunction(function):
        raise TypeError(f"{name} must be a plain function: what a coroutine function returns would always be true")
    return function


def text(name: str, value: object) -> str:
    """A string that is not blank, and that can be written as UTF-8: what comes off a terminal may not be."""
    if not isinstance(value, str) or not value.strip():
        raise refuse(name, value, "a non-empty string")
    if not is_encodable(value):
        raise refuse(name, value, "text that can be written as UTF-8")
    return value


def is_encodable(value: str) -> bool:
    """Whether a string can be written as UTF-8. Surrogates can't be."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def header(name: str, value: object) -> str:
    """A string that can be sent as the value of a header."""
    if not isinstance(value, str) or not is_header(value):
        raise refuse(name, value, "printable ASCII without spaces around it")
    return value


def path(name: str, value: object) -> Path:
    """A path of this machine, its `~` in front being the home folder, as in a shell."""
    text = os.fspath(cast("os.PathLike[Any]", value)) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a path, as a string or a pathlib.Path, not {value!r}")
    if not text or "\0" in text:
        raise refuse(name, text, "the path of a file or a folder")
    return Path(os.path.expanduser(text))  # noqa: PTH111  # pathlib's raises where somebody's home isn't known


def path_part(name: str, value: object) -> str:
    """A string as one percent-encoded segment of a path, whatever characters it has."""
    part = text(name, value)
    if part in {".", ".."}:
        # Every HTTP library resolves these two away, percent-encoded or not; the call would reach another endpoint.
        raise refuse(name, value, "a name, not a relative path")
    return quote(part, safe="")


def relative_path(name: str, value: object) -> str:
    """A path below the host, percent-encoded where it has to be, with a slash in front."""
    path = text(name, value).removeprefix("/")
    segments = path.split("/")
    # Every HTTP library resolves these away, percent-encoded or not; an empty first one would name another host.
    if (
        any(unquote(segment) in {"", ".", ".."} for segment in segments)
        or not path.isprintable()
        or set(path) & set("?#\\")
    ):
        raise refuse(name, value, "a path below the host such as 'ru/emission', without '..', query and fragment")
    return "/" + quote(path, safe="/%!$&'()*+,;=:@~")


def is_header(value: str) -> bool:
    """Whether a string can be sent as the value of a header."""
    return value.isascii() and value.isprintable() and value == value.strip()


def moment(name: str, value: object, now: datetime | None = None) -> datetime:
    """Return a time as an aware `datetime` in UTC.

    Args:
        name: The argument, for the message of an error.
        value: A `datetime` (a naive one means UTC) or an ISO 8601 string. With `now` also how long before it: a
            `timedelta`, or a number with its unit such as `"7d"`, `"36h"`, `"30min"`.
        now: The present time, where such lengths are allowed.

    Raises:
        ValueError: The value is none of these, is negative, or leads out of the years 1 to 9999.
    """
    allowed = "a datetime or an ISO 8601 string such as '2025-12-01T00:00:00Z'"
    if now is not None:
        allowed += ", or a timedelta or a string such as '7d', '36h' or '30min', which count back from now"
    try:
        length = None if now is None else _length(value)
        time = value if now is None or length is None else now - length
        time = iso(time) if isinstance(time, str) else time
        # pandas' NaT is a datetime that equals nothing, not even itself.
        if not isinstance(time, datetime) or time != time:  # noqa: PLR0124
            raise refuse(name, value, allowed)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refuse(name, value, allowed) from None


def _length(value: object) -> timedelta | None:
    """Return a length of time, given as a `timedelta` or as text such as `"7d"`; `None` for anything else."""
    found = LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    length = timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else value
    if isinstance(length, timedelta) and not length >= timedelta(0):  # pandas' NaT compares with nothing
        raise ValueError("a length of time is 0 or more")
    return length if isinstance(length, timedelta) else None


def iso(text: str) -> datetime:
    """A time in ISO 8601, or a `ValueError`.

    Digits alone are no date: milliseconds of the epoch, such as 1712010112123, would be one of the year 1712.
    """
    if DIGITS.fullmatch(text):
        raise ValueError(f"digits alone are no date: {text!r}")
    return datetime.fromisoformat(text)


def timestamp(name: str, value: object) -> str:
    """A time as the API writes it: UTC, to the second, with `Z`. A naive time means UTC."""
    return moment(name, value).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def is_host(host: str | None) -> TypeGuard[str]:
    """Whether a name server could know it."""
    labels = (host or "").removesuffix(".").split(".")
    return host is not None and host.isascii() and host.isprintable() and all(0 < len(label) < 64 for label in labels)


def base_url(name: str, value: object) -> str:
    """An absolute URL without user, query and fragment. Plain `http` warns, but for this machine itself."""
    allowed = "an https URL such as 'https://eapi.stalzone.com'"
    if not isinstance(value, str):
        raise refuse(name, value, allowed)
    try:
        parts = urlsplit(value)
        # The port is read for its check; the others have to be there, or not to be there.
        has_host = parts.scheme in {"https", "http"} and is_host(parts.hostname) and parts.port != 0
        has_more = bool(parts.username or parts.password or parts.query or parts.fragment) or value != value.strip()
        has_more = has_more or not is_encodable(value)
    except ValueError:
        has_host = has_more = False
        parts = urlsplit("")
    if has_more or not has_host:
        # The value isn't shown: what was put where a URL belongs may be a secret.
        raise ValueError(f"{name} must be {allowed}, its host in ASCII, without user, query and fragment")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        warnings.warn(f"{name} is plain http: credentials will travel unencrypted to {parts.hostname}", stacklevel=3)
    return value.rstrip("/")
