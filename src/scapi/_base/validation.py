"""Check arguments: return the value as the API needs it, or raise an error that says what is allowed."""

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

#: A duration as text, and its units in seconds.
LENGTH = re.compile(r"([0-9]{1,9}) ?(w|d|h|min|m|s)")
UNITS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "min": 60, "m": 60, "s": 1}

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def refuse(name: str, value: object, allowed: str) -> ValueError:
    """Return the error for an argument that is not allowed."""
    return ValueError(f"{name} must be {allowed}, not {value!r}")


def choice(name: str, value: object, kind: type[E]) -> E:
    """Return the member of a closed enum that `value` names, in any case."""
    try:
        return kind(value)  # type: ignore[arg-type]  # anything else raises, and that is the point
    except ValueError:
        raise refuse(name, value, "one of " + ", ".join(kind)) from None


def integer(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return an integer from `low` to `high`, both included."""
    number = whole(value)
    if number is None or number < low or (high is not None and number > high):
        raise refuse(name, value, f"an integer from {low} to {high}" if high is not None else f"an integer >= {low}")
    return number


def whole(value: object) -> int | None:
    """Return an integer of any library, such as `numpy.int64`, as an `int`. `None` for other types and `bool`."""
    try:
        return None if isinstance(value, bool) else index(cast("SupportsIndex", value))
    except TypeError:
        return None


def real(value: object) -> float | None:
    """Return a number of any library, such as `numpy.float32`, as a `float`. `None` for other types and `bool`."""
    # `float` also reads text. `isinstance(value, SupportsFloat)` says the same, and takes many times as long.
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    try:
        return float(cast("SupportsFloat", value))
    except (TypeError, ValueError, OverflowError):
        return None


def seconds(name: str, value: object) -> float:
    """Return a number of seconds, 0 or more."""
    number = real(value)
    if number is None or not 0 <= number < float("inf"):
        raise refuse(name, value, "a number of seconds, 0 or more")
    return number


def positive(name: str, value: object) -> float:
    """Return a number of seconds above zero."""
    number = seconds(name, value)
    if number == 0:
        raise refuse(name, value, "a number of seconds above 0")
    return number


def flag(name: str, value: object) -> bool:
    """Return a `bool`. Nothing else will do: the string `"false"` is truthy."""
    if not isinstance(value, bool):
        raise refuse(name, value, "True or False")
    return value


def predicate(name: str, function: Callable[[T], object]) -> Callable[[T], object]:
    """Return a predicate. Raise `TypeError` for anything but a plain function."""
    if not callable(function):
        raise TypeError(f"{name} must be callable, not {function!r}")
    if inspect.iscoroutinefunction(function):
        raise TypeError(
            f"{name} must be a plain function: the coroutine that a coroutine function returns is always true"
        )
    return function


def text(name: str, value: object) -> str:
    """Return a string that is not blank and can be written as UTF-8. Terminal input may contain surrogates."""
    if not isinstance(value, str) or not value.strip():
        raise refuse(name, value, "a non-empty string")
    if not is_encodable(value):
        raise refuse(name, value, "text that can be written as UTF-8")
    return value


def is_encodable(value: str) -> bool:
    """Return whether a string can be written as UTF-8. Surrogates can't."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def header(name: str, value: object) -> str:
    """Return a string that can be sent as a header value."""
    if not isinstance(value, str) or not is_header(value):
        raise refuse(name, value, "printable ASCII without spaces around it")
    return value


def path(name: str, value: object) -> Path:
    """Return a local path. A leading `~` is expanded to the home folder, as in a shell."""
    text = os.fspath(cast("os.PathLike[Any]", value)) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a path, as a string or a pathlib.Path, not {value!r}")
    if not text or "\0" in text:
        raise refuse(name, text, "the path of a file or a folder")
    return Path(os.path.expanduser(text))  # noqa: PTH111  # pathlib's raises if the home folder is unknown


def path_part(name: str, value: object) -> str:
    """Return a string as one percent-encoded path segment."""
    part = text(name, value)
    if part in {".", ".."}:
        # HTTP libraries resolve these two, percent-encoded or not: the request would reach another endpoint.
        raise refuse(name, value, "a name, not a relative path")
    return quote(part, safe="")


def relative_path(name: str, value: object) -> str:
    """Return a URL path below the host, percent-encoded if necessary, with a leading slash."""
    path = text(name, value).removeprefix("/")
    segments = path.split("/")
    # HTTP libraries resolve these, percent-encoded or not. An empty first segment would name another host.
    if (
        any(unquote(segment) in {"", ".", ".."} for segment in segments)
        or not path.isprintable()
        or set(path) & set("?#\\")
    ):
        raise refuse(name, value, "a path below the host such as 'ru/emission', without '..', query and fragment")
    return "/" + quote(path, safe="/%!$&'()*+,;=:@~")


def is_header(value: str) -> bool:
    """Return whether a string can be sent as a header value."""
    return value.isascii() and value.isprintable() and value == value.strip()


def moment(name: str, value: object, now: datetime | None = None) -> datetime:
    """Return a time as an aware `datetime` in UTC.

    Args:
        name: The name of the argument, for error messages.
        value: A `datetime` (a naive one means UTC) or an ISO 8601 string. With `now` also a duration before `now`: a
            `timedelta`, or a number with a unit such as `"7d"`, `"36h"`, `"30min"`, `"30m"`.
        now: The current time, if durations are allowed.

    Raises:
        ValueError: The value is none of these, is a negative duration, or is outside the years 1 to 9999.
    """
    allowed = "a datetime or an ISO 8601 string such as '2025-12-01T00:00:00Z'"
    if now is not None:
        allowed += ", or a timedelta or a string such as '7d', '36h' or '30min', which count back from now"
    try:
        length = None if now is None else _length(value)
        time = value if now is None or length is None else now - length
        time = iso(time) if isinstance(time, str) else time
        # pandas' NaT is a datetime that doesn't equal itself.
        if not isinstance(time, datetime) or time != time:  # noqa: PLR0124
            raise refuse(name, value, allowed)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refuse(name, value, allowed) from None


def duration(name: str, value: object) -> timedelta:
    """Return a duration above 0, given as a `timedelta` or as text such as `"1d"`, `"12h"`, `"30min"` or `"5m"`."""
    try:
        length = _length(value)
    except (ValueError, OverflowError):
        length = None
    if not length:
        raise refuse(name, value, "a timedelta above 0, or text such as '1d', '12h' or '30min'")
    return length


def _length(value: object) -> timedelta | None:
    """Return a duration given as a `timedelta` or as text such as `"7d"`. `None` for anything else."""
    found = LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    length = timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else value
    if isinstance(length, timedelta) and not length >= timedelta(0):  # False for pandas' NaT too
        raise ValueError("a duration is 0 or more")
    return length if isinstance(length, timedelta) else None


def iso(text: str) -> datetime:
    """Parse a time in ISO 8601.

    Raises:
        ValueError: The text isn't ISO 8601, or has only digits: milliseconds since the epoch, such as 1712010112123,
            would be read as a date in the year 1712.
    """
    if DIGITS.fullmatch(text):
        raise ValueError(f"digits alone are not a date: {text!r}")
    return datetime.fromisoformat(text)


def timestamp(name: str, value: object) -> str:
    """Return a time in the format of the API: UTC, to the second, with `Z`. A naive time means UTC."""
    return moment(name, value).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def is_host(host: str | None) -> TypeGuard[str]:
    """Return whether a host name is valid in DNS."""
    labels = (host or "").removesuffix(".").split(".")
    return host is not None and host.isascii() and host.isprintable() and all(0 < len(label) < 64 for label in labels)


def base_url(name: str, value: object) -> str:
    """Return an absolute URL without user, query and fragment. Warn about plain `http`, except on the loopback host."""
    allowed = "an https URL such as 'https://eapi.stalzone.com'"
    if not isinstance(value, str):
        raise refuse(name, value, allowed)
    try:
        parts = urlsplit(value)
        # Reading the port checks it.
        has_host = parts.scheme in {"https", "http"} and is_host(parts.hostname) and parts.port != 0
        has_more = bool(parts.username or parts.password or parts.query or parts.fragment) or value != value.strip()
        has_more = has_more or not is_encodable(value)
    except ValueError:
        has_host = has_more = False
        parts = urlsplit("")
    if has_more or not has_host:
        # The value isn't shown: a secret may have been passed by mistake.
        raise ValueError(f"{name} must be {allowed}, its host in ASCII, without user, query and fragment")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        warnings.warn(f"{name} is plain http: credentials will travel unencrypted to {parts.hostname}", stacklevel=3)
    return value.rstrip("/")
