"""Makers of test data, one module per room: `tests/world/<room>.py` with plain async functions.

`make_elder(tx, **overrides)` in any of the modules is `world.elder(tx, **overrides)` in a test; a function
without the prefix keeps its name. Defaults are sensible, so a test states only what it is about.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any


class World:
    """All makers of all rooms under one name; modules are imported when first asked for."""

    def __getattr__(self, name: str) -> Any:
        broken: Exception | None = None
        for module in iter_modules(__path__):
            try:
                room = import_module(f"{__name__}.{module.name}")
            except ImportError as failure:
                broken = broken or failure
                continue
            for candidate in (f"make_{name}", name):
                if callable(made := vars(room).get(candidate)):
                    return made
        raise AttributeError(f"no room makes {name!r}") from broken
