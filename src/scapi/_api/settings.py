"""The options of a client, checked when they are set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from scapi._api import caching
from scapi._api.hooks import ResponseHook
from scapi._base import validation
from scapi._ratelimit.priorities import RANKS
from scapi._retry import Retry
from scapi._version import __version__
from scapi.config import Config
from scapi.enums import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scapi._ratelimit.priorities import Priority
    from scapi._ratelimit.protocol import BudgetSource, Pacing

DEFAULT_RETRY = Retry()
DEFAULT_RESERVE = 0.1

#: The default of `cache`: nothing is kept.
NOTHING: Mapping[str, float] = {}


class Settings(NamedTuple):
    """The checked options of a client. They contain no secrets."""

    base_url: str
    region: Region | None = None
    json: bool = False
    timeout: float | None = None
    retry: Retry | None = DEFAULT_RETRY
    pace: bool | Literal["even"] = True
    queue_timeout: float | None = None
    priority: Priority = "normal"
    reserve: float = DEFAULT_RESERVE
    on_response: ResponseHook | None = None
    user_agent: str | None = None
    budget: Pacing | BudgetSource | None = None
    cache: Mapping[str, float] = NOTHING

    @classmethod
    def of(
        cls,
        *,
        base_url: str | None,
        reserve: float,
        user_agent: str | None,
        budget: Pacing | BudgetSource | None,
        **options: Any,
    ) -> Self:
        """Return the settings of a new client, or raise an error that names the invalid option."""
        if budget is not None and not (callable(getattr(budget, "budget_for", None)) or hasattr(budget, "poll")):
            raise TypeError(f"budget must be a budget such as RedisBudget, or None, not {type(budget).__name__}")
        url = Config.BASE_URL if base_url is None else validation.base_url("base_url", base_url)
        share = validation.real(reserve)
        if share is None or not 0 <= share <= 1:
            raise validation.refuse("reserve", reserve, "a number from 0 to 1")
        return cls(url, reserve=share, user_agent=checked_user_agent(user_agent), budget=budget).changed(**options)

    def changed(self, **options: Any) -> Self:
        """Return these settings with other options, or raise an error that names the invalid one."""
        if unknown := sorted(options.keys() - CHECKS.keys()):
            raise TypeError(f"{unknown[0]} is not an option of a call; the options are {', '.join(CHECKS)}")
        checked: dict[str, Any] = {name: CHECKS[name](value) for name, value in options.items()}
        return self._replace(**checked)

    def headers(self) -> dict[str, str]:
        """Return the headers of all requests of the client."""
        return {} if self.user_agent is None else {"User-Agent": f"{self.user_agent} scapi/{__version__}"}

    def region_for(self, *asked: Region | str | None) -> Region | str:
        """Return the region of a call: the first in `asked` that is set, else the client's, else `Config.REGION`."""
        return next((region for region in (*asked, self.region) if region is not None), Config.REGION)


def checked_user_agent(value: str | None) -> str | None:
    """Return the name of a program, or raise an error if it can't be sent."""
    if value is not None and not validation.header("user_agent", value):
        raise validation.refuse("user_agent", value, "printable ASCII, or None for the library's own")
    return value


def _retry(value: object) -> Retry | None:
    if value is None or isinstance(value, Retry):
        return value
    attempts = validation.whole(value)
    if attempts is None:
        raise TypeError(f"retry must be a Retry, a number of attempts or None, not {value!r}")
    if attempts < 1:
        raise validation.refuse("retry", value, "1 attempt or more, or None to try once")
    return Retry(attempts=attempts)


def _pace(value: object) -> bool | Literal["even"]:
    if isinstance(value, bool):
        return value
    if value == "even":
        return "even"
    raise validation.refuse("pace", value, "True, False or 'even'")


def _priority(value: object) -> Priority:
    for priority in RANKS:
        if value == priority:
            return priority
    raise validation.refuse("priority", value, "'high', 'normal' or 'low'")


CHECKS: dict[str, Callable[[Any], object]] = {
    "region": lambda value: None if value is None else validation.choice("region", value, Region),
    "json": lambda value: validation.flag("json", value),
    "timeout": lambda value: None if value is None else validation.positive("timeout", value),
    "retry": _retry,
    "pace": _pace,
    "queue_timeout": lambda value: None if value is None else validation.seconds("queue_timeout", value),
    "priority": _priority,
    "on_response": lambda value: None if value is None else ResponseHook(value),
    "cache": caching.lifetimes,
}
