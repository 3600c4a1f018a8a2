"""Refuses to run among the files of another package called `scapi`: `stalcraft-api` installs one.

Two such packages overwrite each other's files. Whichever came last owns `__init__.py`, and either takes files of both
along when it is uninstalled. The check looks at the `__init__` that ran, and for a file that only the other one has.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder

from scapi._version import __version__

__all__ = ["REPAIR"]

#: What mends an environment that holds both packages, or what one of them left of the other.
REPAIR = "run pip uninstall stalcraft-api, then pip install --force-reinstall --no-deps . in your clone of scapi"


def _check() -> None:
    package = sys.modules["scapi"]
    # The other's has a version of its own; where it was uninstalled, the folder without `__init__.py` has none.
    if getattr(package, "__version__", None) == __version__:
        left = PathFinder.find_spec("scapi.client", package.__path__)
        # A folder without a file in it is harmless.
        if left is None or left.origin is None:
            return
    folder = next(iter(package.__path__), "?")
    message = f"two packages called scapi have overwritten each other in {folder}: {REPAIR}"
    raise ImportError(message, name="scapi")


_check()
