"""What is published: whole months, and nothing that few people stand behind."""

from __future__ import annotations

from datetime import date, timedelta

from app.core import clock
from app.core.db import Tx
from app.followup import published
from app.followup.published import Share, publishable, whole_months
from tests.world import World


def test_months_are_those_that_are_over() -> None:
    assert whole_months(date(2026, 2, 28), 3) == [date(2026, 1, 1), date(2025, 12, 1), date(2025, 11, 1)]


def test_few_people_are_not_published() -> None:
    assert publishable(9, 9) is None
    assert publishable(3, 10) == Share(3, 10)


async def test_figures_of_last_month(tx: Tx, world: World) -> None:
    first = clock.today().replace(day=1)
    at = clock.day_bounds(first - timedelta(days=3))[0] + timedelta(hours=3)
    before = await published.months(tx)
    assert [one.visits for one in before] == [None] * published.MONTHS
    provider = await world.provider(tx)
    caregiver = await world.caregiver(tx, provider)
    made = [
        await world.assigned_order(
            tx, assigned_at=at + timedelta(hours=i), provider_id=provider, caregiver_id=caregiver,
            status="completed", outcome="done", completed_at=at + timedelta(hours=i),
        )
        for i in range(12)
    ]  # fmt: skip
    for i, one in enumerate(made):
        met = one.at + timedelta(minutes=30 if i < 9 else 90)
        await tx.run(
            "INSERT INTO order_deadline (order_id, name, due_at, met_at) VALUES ($1, 'arrive', $2, $3)",
            one.order_id, one.at + timedelta(minutes=60), met,
        )  # fmt: skip
    for i, one in enumerate(made[:9]):
        await tx.run(
            """INSERT INTO rating (id, order_id, provider_id, source, score, tags, counts, first_of_source, actor, at)
            VALUES (gen_random_uuid(), $1, $2, 'family', $3, '{}', true, true, 'x', $4)""",
            one.order_id, provider, 5 if i else 2, at,
        )  # fmt: skip
    tx.cache.clear()
    latest = (await published.months(tx))[0]
    assert latest.month == (first - timedelta(days=1)).replace(day=1)
    assert (latest.visits, latest.on_time) == (12, Share(9, 12))
    assert latest.satisfied is None, "nine ratings are too few"
    assert latest.complaints is None
    tx.cache.clear()
