"""What the desk's page shows besides what the rooms say: things to choose from, and who is at which telephone."""

from __future__ import annotations

from functools import cache
from typing import Any

from pypinyin import Style, lazy_pinyin

from app.catalog import service as catalog
from app.catalog.models import CATEGORIES
from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.hotline import presence
from app.hotline.schemas import OperatorView
from app.regions import service as regions
from app.web.console import forms

BLANK = dict.fromkeys(("elder_id", "call_id", "kind", "item_code", "minutes", "when", "urgency"))
"""The form as a page begins with it."""
SMALLEST = ("community", "village")


@cache
def sound(name: str) -> str:
    """What one types for it: the initials, and how it sounds (jjbj jujiabaojie)."""
    return f"{''.join(lazy_pinyin(name, style=Style.FIRST_LETTER))} {''.join(lazy_pinyin(name))}".lower()


async def items(tx: Tx) -> list[dict[str, Any]]:
    """What can be ordered, in the order of the catalogue."""
    return [
        {
            "value": item.code, "name": item.name, "sound": sound(item.name), "group": CATEGORIES[item.category],
            "minutes": item.standard_minutes,
        }
        for item in await catalog.items(tx)
        if item.kind != "consultation"
    ]  # fmt: skip


async def places(tx: Tx, caller: Caller) -> list[dict[str, Any]]:
    """Communities and villages within the caller's divisions, by the street they belong to."""
    streets = {one.code: one.name for one in await regions.divisions(tx, list(caller.divisions), kind="street")}
    found = [
        one for kind in SMALLEST for one in await regions.divisions(tx, list(caller.divisions), kind=kind, limit=1000)
    ]
    return [
        {"value": one.code, "name": one.name, "sound": sound(one.name), "group": streets.get(one.code[:9], "")}
        for one in sorted(found, key=lambda one: one.code)
    ]


async def own_presence(tx: Tx, caller: Caller) -> OperatorView | None:
    """Where the caller sits, if anywhere."""
    return next((one for one in (await presence.desk(tx)).operators if str(one.staff_id) == caller.id), None)


async def whole(tx: Tx, caller: Caller) -> dict[str, Any]:
    """Everything the empty page needs; whoever has more to show puts it on top."""
    return {
        "items": await items(tx),
        "places": await places(tx, caller),
        "own": await own_presence(tx, caller),
        "windows": forms.windows(clock.now()),
        "filled": dict(BLANK),
        "screen": None,
        "person": None,
        "found": None,
        "query": "",
        "placed": None,
        "quote": None,
    }
