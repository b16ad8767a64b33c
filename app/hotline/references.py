"""Where a recording may be fetched from. Pure, but for the links in a file's path.

An exchange names its recordings by a path or an address. It is believed only inside a place that an administrator has
listed for it: anything else would let whoever speaks for an exchange read this machine's files, or its neighbours'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_ODD = re.compile(r"[\x00-\x20\x7f\\]|%(?:2[ef]|5c|00)", re.IGNORECASE)
"""What has no business in a reference: white space, backslashes, and dots, slashes and NUL in disguise."""


class Place(NamedTuple):
    """A file of this machine, or an address. Exactly one of them."""

    path: Path | None = None
    url: str | None = None


class ReferenceRefused(ValueError):
    """Not in any of the listed places."""


def placed(reference: str, bases: Iterable[str]) -> Place:
    """Where `reference` is, under one of `bases`: folders ("/var/…") or addresses ("https://pbx/rec/").

    A relative reference is meant from the base. Raises ReferenceRefused.
    """
    if reference and not _ODD.search(reference):
        relative = "://" not in reference and not reference.startswith("/")
        for base in bases:
            whole = f"{base.rstrip('/')}/{reference}" if relative else reference
            inside = _address(whole, base) if "://" in base else _file(whole, base)
            if inside is not None:
                return inside
    raise ReferenceRefused("not in a listed place")


def _address(reference: str, base: str) -> Place | None:
    try:
        given, listed = urlsplit(reference), urlsplit(base)
        same = (given.scheme, given.hostname, given.port) == (listed.scheme, listed.hostname, listed.port)
    except ValueError:
        return None
    folder = listed.path.rstrip("/") + "/"
    plain = given.username is None and given.password is None and not given.fragment
    if same and plain and given.path.startswith(folder) and ".." not in unquote(given.path).split("/"):
        return Place(url=reference)
    return None


def _file(reference: str, base: str) -> Place | None:
    """Links are followed before it is asked where the file lies."""
    path, folder = Path(reference.removeprefix("file://")), Path(base).resolve()
    if "://" in str(path) or not path.is_absolute():
        return None
    return Place(path=path.resolve()) if path.resolve().is_relative_to(folder) else None
