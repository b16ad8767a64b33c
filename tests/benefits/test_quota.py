"""The quota on a real database."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from app.benefits import service
from app.core.db import Tx
from app.core.errors import Conflict
from tests.world import World

DAY = date(2026, 3, 17)


async def test_quote_reserve_release_consume(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id)
    first, second = uuid4(), uuid4()
    split = await service.quote(tx, elder_id, "clean_home", 12_001, DAY)
    assert [(p.payer, p.amount_fen) for p in split.parts] == [("government", 9601), ("family", 2400)]
    assert (split.copay_fen, split.quota_after_fen) == (2400, 10_399)
    await service.reserve(tx, first, split, DAY)
    again = await service.quote(tx, elder_id, "clean_home", 20_000, DAY)
    assert again.parts[0].amount_fen == 10_399
    await service.reserve(tx, second, again, DAY)
    await service.release(tx, second)
    await service.release(tx, second)
    scheme_id = split.parts[0].scheme_id
    assert scheme_id is not None
    await service.consume(tx, first, {scheme_id: 5000})
    await service.consume(tx, first, {scheme_id: 5000})
    row = await tx.fetchrow("SELECT granted_fen, reserved_fen, consumed_fen FROM quota_month")
    assert row is not None
    assert tuple(row) == (20_000, 0, 5000)
    with pytest.raises(Conflict):
        await service.consume(tx, first, {scheme_id: 6000})
    with pytest.raises(Conflict):
        await service.consume(tx, second, {scheme_id: 1})
