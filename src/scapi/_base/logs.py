"""Enable logging if the environment requests it."""

from __future__ import annotations

import logging
import os
from functools import cache

from scapi._base import validation


def log_as_the_environment_says() -> None:
    """Send the log to standard error if `SCAPI_LOG` is `info` or `debug`, once in a process.

    If the program has set up logging, only the level is changed.

    Raises:
        ValueError: `SCAPI_LOG` has another value.
    """
    level = os.environ.get("SCAPI_LOG", "")
    if level:
        _switch_on(level)


@cache
def _switch_on(level: str) -> None:
    if level.lower() not in {"info", "debug"}:
        raise validation.refuse("SCAPI_LOG", level, "info or debug")
    logger = logging.getLogger("scapi")
    logger.setLevel(level.upper())
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
