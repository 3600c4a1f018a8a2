"""What a client was told once and keeps for all its calls."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

from scapi._base import validation
from scapi._retry import Retry
from scapi.config import Config
from scapi.enums import Region

DEFAULT_RETRY = Retry()


class Settings(NamedTuple):
    """The checked options of a client; none of them is secret."""

    base_url: str
    region: Region | None
    json: bool
    timeout: float | None
    retry: Retry | None
    pace: bool | Literal["even"]
    queue_timeout: float | None

    @classmethod
    def of(
        cls,
        *,
        base_url: str | None,
        region: Region | str | None,
        json: bool,
        timeout: float | None,
        retry: object,
        pace: bool | Literal["even"],
        queue_timeout: float | None,
    ) -> Self:
        """The settings, checked, or a `ValueError` that names the one that is wrong."""
        if retry is not None and not isinstance(retry, Retry):
            raise TypeError(f"retry must be a Retry or None, not {type(retry).__name__}")
        if not (isinstance(pace, bool) or pace == "even"):
            raise validation.refuse("pace", pace, "True, False or 'even'")
        return cls(
            base_url=Config.BASE_URL if base_url is None else validation.base_url("base_url", base_url),
            region=None if region is None else validation.choice("region", region, Region),
            json=validation.flag("json", json),
            timeout=None if timeout is None else validation.positive("timeout", timeout),
            retry=retry,
            pace=pace,
            queue_timeout=None if queue_timeout is None else validation.seconds("queue_timeout", queue_timeout),
        )

    def region_for(self, *asked: Region | str | None) -> Region | str:
        """The region of a call: the first that was asked for, else the client's, else that of `Config` by now."""
        return next((region for region in (*asked, self.region) if region is not None), Config.REGION)
