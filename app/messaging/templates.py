"""Templates, without a database: words with `{gaps}`, filled exactly."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from app.core import phones

GAP = re.compile(r"\{([a-z][a-z0-9_]*)\}")
MAX_VALUE = 200
ALWAYS = frozenset({"hotline"})
"""Gaps that nobody has to fill in, and every template may have: the centre's number as it is dialled from anywhere."""


def gaps(text: str) -> frozenset[str]:
    """The names of the gaps in a template."""
    return frozenset(GAP.findall(text))


def render(text: str, params: Mapping[str, object]) -> str:
    """The words with every gap filled; values are put in as they are and never looked into for gaps.

    Line breaks in values become spaces, and long values are cut: what people typed must not become another
    message. Raises KeyError for a gap without a value.
    """
    return GAP.sub(lambda found: plain(params[found.group(1)]), text)


def filled(params: Mapping[str, object]) -> dict[str, object]:
    """What callers give, and what is `ALWAYS` there."""
    return {"hotline": phones.hotline(), **params}


def plain(value: object) -> str:
    """One value as it stands in a message."""
    words = " ".join(str(value).split())
    return words if len(words) <= MAX_VALUE else words[: MAX_VALUE - 1] + "…"


@cache
def shipped() -> Mapping[tuple[str, str, str], str]:
    """The product's own wording by (code, channel, language); a city overrides it with rows of `template`."""
    with (Path(__file__).parent / "data" / "templates.csv").open(encoding="utf-8", newline="") as file:
        return {(row["code"], row["channel"], row["language"]): row["text"] for row in csv.DictReader(file)}
