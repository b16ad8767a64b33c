"""Quotes and the quota on a real database."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from app.benefits import service, waterfall
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import SYSTEM
from app.core.sqlstate import constraint_of
from app.elders import registration
from tests.world import World

DAY = date(2026, 3, 17)


async def quota(tx: Tx) -> list[tuple[Any, ...]]:
    rows = await tx.fetch("SELECT month, granted_fen, reserved_fen, consumed_fen FROM quota_month ORDER BY month")
    return [tuple(row) for row in rows]


async def movements(tx: Tx, order_id: UUID) -> list[tuple[str, int]]:
    rows = await tx.fetch(
        "SELECT kind, amount_fen FROM quota_movement WHERE order_id = $1 ORDER BY kind DESC", order_id
    )
    return [(row["kind"], row["amount_fen"]) for row in rows]


async def test_quote_reserve_release_consume(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id)
    first, second = uuid4(), uuid4()
    split = await service.quote(tx, elder_id, "clean_home", 12_001, DAY)
    assert [(p.payer, p.amount_fen, p.reason) for p in split.parts] == [
        ("government", 9601, waterfall.FULL), ("family", 2400, waterfall.REST),
    ]  # fmt: skip
    assert (split.copay_fen, split.quota_after_fen, split.warnings) == (2400, 10_399, ())
    assert await quota(tx) == []  # a quote reserves nothing
    await service.reserve(tx, first, split, DAY)
    again = await service.quote(tx, elder_id, "clean_home", 20_000, DAY)
    assert (again.parts[0].amount_fen, again.parts[0].reason) == (10_399, waterfall.QUOTA_LOW)
    assert again.warnings == (service.WARNINGS[waterfall.QUOTA_LOW],)
    await service.reserve(tx, second, again, DAY)
    assert await quota(tx) == [(date(2026, 3, 1), 20_000, 20_000, 0)]
    await service.release(tx, second)
    await service.release(tx, second)
    scheme_id = split.parts[0].scheme_id
    assert scheme_id is not None
    await service.consume(tx, first, {scheme_id: 5000})
    await service.consume(tx, first, {scheme_id: 5000})
    await service.release(tx, first)
    assert await quota(tx) == [(date(2026, 3, 1), 20_000, 0, 5000)]  # the rest of the reservation went back
    assert await movements(tx, first) == [("reserve", 9601), ("consume", 5000)]
    assert await movements(tx, second) == [("reserve", 10_399), ("release", 10_399)]


async def test_what_consume_refuses(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id)
    split = await service.quote(tx, elder_id, "clean_home", 10_000, DAY)
    scheme_id = split.parts[0].scheme_id
    assert scheme_id is not None
    settled, released = uuid4(), uuid4()
    for order_id in (settled, released):
        await service.reserve(tx, order_id, split, DAY)
    for amount in ({scheme_id: 8001}, {scheme_id: -1}, {uuid4(): 1}):
        with pytest.raises(Conflict):
            await service.consume(tx, settled, amount)
    await service.release(tx, released)
    with pytest.raises(Conflict) as closed:
        await service.consume(tx, released, {scheme_id: 8000})
    assert closed.value.code == "reservation_closed"
    await service.consume(tx, settled, {})  # the government pays nothing after all
    with pytest.raises(Conflict):
        await service.consume(tx, settled, {scheme_id: 8000})
    assert await quota(tx) == [(date(2026, 3, 1), 20_000, 0, 0)]
    await service.consume(tx, uuid4(), {})  # an order nobody else paid for


@pytest.mark.parametrize(
    ("entitled", "scheme", "reason", "warned"),
    [
        ({"assessed_until": None}, {}, waterfall.NO_ASSESSMENT, True),
        ({"assessed_until": date(2026, 3, 16)}, {}, waterfall.NO_ASSESSMENT, True),
        ({"monthly_quota_fen": 0}, {}, waterfall.QUOTA_GONE, True),
        ({}, {"item_codes": ["meal_home"]}, waterfall.NOT_COVERED, False),
        ({}, {"division_code": "620321"}, waterfall.NOT_COVERED, False),
        ({"valid_from": date(2026, 3, 18)}, {}, waterfall.NO_ENTITLEMENT, False),
        ({"valid_to": date(2026, 3, 16)}, {}, waterfall.NO_ENTITLEMENT, False),
        ({}, {"valid_to": date(2026, 3, 16)}, waterfall.NO_ENTITLEMENT, False),
    ],
)
async def test_when_the_family_pays_all(
    tx: Tx, world: World, entitled: dict[str, Any], scheme: dict[str, Any], reason: str, warned: bool
) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id, await world.scheme(tx, **scheme), **entitled)
    split = await service.quote(tx, elder_id, "clean_home", 10_000, DAY)
    assert sum(part.amount_fen for part in split.parts) == 10_000
    assert (split.copay_fen, split.parts[-1].payer, split.parts[-1].reason) == (10_000, "family", reason)
    assert bool(split.warnings) is warned
    await service.reserve(tx, uuid4(), split, DAY)
    assert await quota(tx) == []


@pytest.mark.parametrize(
    ("entitled", "scheme"),
    [
        ({"assessed_until": DAY}, {}),
        ({"valid_from": DAY, "valid_to": DAY}, {}),
        ({"assessed_until": None}, {"requires_assessment": False}),
        ({}, {"division_code": "620302001001", "valid_from": DAY, "valid_to": DAY}),
    ],
)
async def test_the_edges_of_validity_count(
    tx: Tx, world: World, entitled: dict[str, Any], scheme: dict[str, Any]
) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id, await world.scheme(tx, **scheme), **entitled)
    assert (await service.quote(tx, elder_id, "clean_home", 10_000, DAY)).copay_fen == 2000


async def test_nobody_buys_for_who_has_gone(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id)
    await registration.change(tx, SYSTEM, elder_id, {"status": "deceased"}, None)
    assert (await service.quote(tx, elder_id, "clean_home", 10_000, DAY)).copay_fen == 10_000
    with pytest.raises(NotFound):
        await service.quote(tx, uuid4(), "clean_home", 10_000, DAY)


async def test_months_are_separate(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id)
    for day in (date(2026, 3, 31), date(2026, 4, 1)):
        split = await service.quote(tx, elder_id, "clean_home", 25_000, day)
        assert split.quota_after_fen == 0
        await service.reserve(tx, uuid4(), split, day)
    assert [row[0] for row in await quota(tx)] == [date(2026, 3, 1), date(2026, 4, 1)]


async def test_two_schemes_pay_in_their_order(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx)
    second = await world.scheme(tx, code="second", share_bp=5000, position=2)
    first = await world.scheme(tx, code="first", share_bp=6000, position=1)
    for scheme_id in (second, first):
        await world.entitlement(tx, elder_id, scheme_id)
    split = await service.quote(tx, elder_id, "clean_home", 10_000, DAY)
    assert [(part.scheme_code, part.amount_fen) for part in split.parts] == [
        ("first", 6000), ("second", 4000), (None, 0),
    ]  # fmt: skip
    order_id = uuid4()
    await service.reserve(tx, order_id, split, DAY)
    await service.consume(tx, order_id, {first: 3000})
    assert sorted(row[1:] for row in await quota(tx)) == [(20_000, 0, 0), (20_000, 0, 3000)]


async def test_a_stale_quote_is_refused_with_what_is_left(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id)
    split = await service.quote(tx, elder_id, "clean_home", 15_000, DAY)
    await service.reserve(tx, uuid4(), split, DAY)
    with pytest.raises(Conflict) as gone:
        await service.reserve(tx, uuid4(), split, DAY)
    assert (gone.value.code, gone.value.facts) == ("quota_gone", {"quota_left_fen": 8000})
    assert await quota(tx) == [(date(2026, 3, 1), 20_000, 12_000, 0)]


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE quota_month SET reserved_fen = 20001", "ck_quota_month_not_overdrawn"),
        ("UPDATE quota_month SET consumed_fen = 12001", "ck_quota_month_not_overdrawn"),
        ("UPDATE quota_month SET reserved_fen = -1", "ck_quota_month_not_negative"),
        ("UPDATE quota_month SET month = '2026-03-02'", "ck_quota_month_month"),
        (
            "INSERT INTO quota_movement SELECT gen_random_uuid(), entitlement_id, month, order_id, kind, 1, at"
            " FROM quota_movement",
            "uq_quota_movement_order_id_kind_entitlement_id",
        ),
        (
            "INSERT INTO quota_movement SELECT gen_random_uuid(), entitlement_id, month, order_id, k, 1, at"
            " FROM quota_movement, unnest(ARRAY['release', 'consume']) AS k",
            "ix_quota_movement_closed_once",
        ),
        (
            "INSERT INTO entitlement SELECT gen_random_uuid(), elder_id, scheme_id, 1, NULL, '2026-01-01', NULL"
            " FROM entitlement",
            "ex_entitlement_overlap",
        ),
    ],
)
async def test_the_database_itself_refuses(tx: Tx, world: World, statement: str, constraint: str) -> None:
    elder_id = await world.elder(tx)
    await world.entitlement(tx, elder_id)
    split = await service.quote(tx, elder_id, "clean_home", 10_000, DAY)
    await service.reserve(tx, uuid4(), split, DAY)
    with pytest.raises(DBAPIError) as refused:
        async with tx.savepoint():
            await tx.driver_execute(statement, ())
    assert constraint_of(refused.value) == constraint
