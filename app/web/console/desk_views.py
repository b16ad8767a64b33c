"""What the desk's page shows besides what the rooms say: things to choose from, and who is at which telephone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pypinyin import Style, lazy_pinyin

from app.catalog import service as catalog
from app.catalog.models import CATEGORIES
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import Caller
from app.elders import search
from app.elders import views as elders
from app.hotline import presence
from app.hotline.schemas import OperatorView
from app.regions import service as regions
from app.regions.divisions import lineage
from app.web.console import forms

BLANK = dict.fromkeys(("elder_id", "call_id", "kind", "item_code", "minutes", "when", "urgency"))
"""The form as a page begins with it."""
SMALLEST = ("community", "village")
PAGE = 1000
"""Divisions that are asked for at once."""
FOUND = 9
"""As many as there are digits to choose one by."""


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
    streets = {one.code: one.name for one in await _divisions(tx, caller.divisions, "street")}
    found = [one for kind in SMALLEST for one in await _divisions(tx, caller.divisions, kind)]
    return [
        {"value": one.code, "name": one.name, "sound": sound(one.name), "group": streets.get(one.code[:9], "")}
        for one in sorted(found, key=lambda one: one.code)
    ]


async def _divisions(tx: Tx, scopes: Iterable[str], kind: str | None) -> list[Any]:
    """All of them, however many a city has."""
    found: list[Any] = []
    while True:
        after = found[-1].code if found else ""
        more = await regions.divisions(tx, list(scopes), kind=kind, after=after, limit=PAGE)
        found += more
        if len(more) < PAGE:
            return found


async def whereabouts(tx: Tx, shown: Iterable[Any]) -> dict[str, str]:
    """Street and community of these elders, by the code of their division: what tells two of one name apart."""
    codes = {one.division_code for one in shown}
    around = {code: lineage(code)[:2] for code in codes}
    if not codes:
        return {}
    scopes = sorted({near for nears in around.values() for near in nears})
    names = {one.code: one.name for one in await _divisions(tx, scopes, None)}
    return {code: " ".join(names[near] for near in reversed(nears) if near in names) for code, nears in around.items()}


async def found(tx: Tx, caller: Caller, q: str | None, division: str | None) -> dict[str, Any]:
    """What a search shows: {found, more, where}. `found` is None when there was nothing to look for; what cannot be
    looked for finds nobody: half a name is no mistake."""
    if not q:
        return {"found": None, "more": False, "where": {}}
    try:
        hits = await search.search(tx, caller, q, division=division, after=None, limit=FOUND + 1)
    except Invalid:
        hits = []
    shown = await elders.masked(tx, [hit.id for hit in hits[:FOUND]])
    return {"found": shown, "more": len(hits) > FOUND, "where": await whereabouts(tx, shown)}


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
        "more": False,
        "where": {},
        "query": "",
        "placed": None,
        "quote": None,
    }
