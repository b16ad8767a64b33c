"""Saved views: one's own, by name, not too many."""

from __future__ import annotations

import pytest

from app.accounts import saved_views
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import Caller
from tests.world.accounts import make_staff


async def somebody(tx: Tx) -> Caller:
    made = await make_staff(tx)
    return Caller(kind="staff", id=str(made.id), name="王敏", roles=frozenset({"operator"}))


async def test_a_view_is_its_owners_and_is_replaced_by_its_name(tx: Tx) -> None:
    mine, others = await somebody(tx), await somebody(tx)
    await saved_views.save(tx, mine, "board", "夜班", "late=1")
    await saved_views.save(tx, mine, "board", "夜班", "late=1&sort=item")
    (view,) = await saved_views.mine(tx, mine, "board")
    assert (view.name, view.query) == ("夜班", "late=1&sort=item")
    assert await saved_views.mine(tx, mine, "queues") == []
    assert await saved_views.mine(tx, others, "board") == []
    with pytest.raises(NotFound):
        await saved_views.forget(tx, others, view.id)
    await saved_views.forget(tx, mine, view.id)
    assert await saved_views.mine(tx, mine, "board") == []


async def test_there_are_not_too_many(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 2)
    mine = await somebody(tx)
    for name in ("一", "二", "一"):
        await saved_views.save(tx, mine, "board", name, "")
    with pytest.raises(Conflict):
        await saved_views.save(tx, mine, "board", "三", "")
