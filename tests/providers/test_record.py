"""Scorecards and continuity, also with many writers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.core.db import Database, Tx
from app.core.errors import Invalid, NotFound
from app.providers import service
from tests.world import World

AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


async def test_facts(tx: Tx, world: World) -> None:
    provider_id = await world.provider(tx)
    caregiver_id = await world.caregiver(tx, provider_id, phone="+8613800000002")
    assert (await service.provider(tx, provider_id)).status == "active"
    assert (await service.caregiver(tx, caregiver_id)).provider_id == provider_id
    assert [c.id for c in await service.caregivers_by_phone(tx, "+8613800000002")] == [caregiver_id]
    assert await service.caregivers_by_phone(tx, "+8613800000003") == []
    with pytest.raises(NotFound):
        await service.provider(tx, uuid4())
    with pytest.raises(NotFound):
        await service.caregiver(tx, uuid4())


async def test_visits_told_late_do_not_turn_the_clock_back(tx: Tx, world: World) -> None:
    provider_id = await world.provider(tx)
    caregiver_id = await world.caregiver(tx, provider_id)
    elder_id = uuid4()
    for hours in (0, 48, 24):
        await service.record_completion(tx, provider_id, caregiver_id, elder_id, AT + timedelta(hours=hours))
    row = await tx.fetchrow("SELECT visits, last_at FROM continuity WHERE caregiver_id = $1", caregiver_id)
    assert row is not None
    assert tuple(row) == (3, AT + timedelta(hours=48))
    card = await tx.fetchrow("SELECT completed, last_completed_at, ratings FROM scorecard")
    assert card is not None
    assert tuple(card) == (3, AT + timedelta(hours=48), 0)


async def test_many_ratings_at_once_are_all_counted(database: Database, world: World) -> None:
    async with database.transaction() as tx:
        provider_id = await world.provider(tx)
        caregiver_id = await world.caregiver(tx, provider_id)

    async def rate(score: int) -> None:
        async with database.transaction() as tx:
            await service.record_rating(tx, provider_id, caregiver_id, score)

    await asyncio.gather(*(rate(score) for score in (1, 2, 3, 4, 5) * 4))
    async with database.transaction() as tx:
        row = await tx.fetchrow("SELECT ratings, score_sum FROM scorecard WHERE caregiver_id = $1", caregiver_id)
    assert row is not None
    assert tuple(row) == (20, 60)


@pytest.mark.parametrize("score", [0, 6, -1])
async def test_other_scores_are_refused(tx: Tx, score: int) -> None:
    with pytest.raises(Invalid):
        await service.record_rating(tx, uuid4(), uuid4(), score)
