"""The caregiver's day: what it says is what the tables say; it drifts and is put right; it books nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.dispatch import queries
from app.matching import availability, queries_bookings, search
from app.matching.queries_bookings import Time
from app.matching.slots import SLOT_MINUTES, SLOTS, mask, outward, row_of
from app.orders import service as orders
from app.providers import workforce
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town
from tests.world.providers import make_caregiver

TUESDAY = date(2026, 3, 3)
MIDNIGHT = datetime(2026, 3, 2, 16, 0, tzinfo=TUESDAY_TEN.tzinfo)


@pytest.fixture(autouse=True)
def tuesday() -> Iterator[None]:
    with clock.hold(TUESDAY_TEN):
        yield


@pytest.fixture
async def town(tx: Tx) -> Town:
    town = await make_town(tx, providers=1, caregivers=1)
    await availability.prepare(tx, [TUESDAY - timedelta(days=1), TUESDAY, TUESDAY + timedelta(days=1)])
    return town


async def bits(tx: Tx, caregiver_id: UUID, column: str, day: date = TUESDAY) -> str:
    found = await tx.fetchval(
        f"SELECT {column} FROM caregiver_day WHERE caregiver_id = $1 AND day = $2", caregiver_id, day
    )
    return found.as_string().replace(" ", "") if found is not None else ""


async def booked(tx: Tx, order_id: UUID, caregiver_id: UUID, starts_at: datetime, minutes: int, way: int = 10) -> bool:
    until = starts_at + timedelta(minutes=minutes + 5)
    members = [(caregiver_id, "lead", starts_at - timedelta(minutes=way))]
    return await queries_bookings.book(tx, Time(order_id, members, until, starts_at, minutes), "booked", clock.now())


def test_a_row_reaches_to_eight_the_next_morning() -> None:
    assert SLOTS * SLOT_MINUTES == 32 * 60
    assert outward(TUESDAY, MIDNIGHT + timedelta(hours=23), MIDNIGHT + timedelta(hours=25)) == (276, 300)
    assert row_of(MIDNIGHT) == TUESDAY
    assert row_of(MIDNIGHT - timedelta(seconds=1)) == TUESDAY - timedelta(days=1)


@given(st.integers(0, SLOTS), st.integers(0, SLOTS))
def test_a_mask_has_a_bit_for_every_slot_between(first: int, end: int) -> None:
    if first > end:
        with pytest.raises(ValueError, match="not in one row"):
            mask(first, end)
        return
    text = mask(first, end)
    assert len(text) == SLOTS
    assert [place for place, bit in enumerate(text) if bit == "1"] == list(range(first, end))


minutes_of_day = st.integers(0, 30 * 60)


@given(minutes_of_day, st.integers(1, 100), minutes_of_day, st.integers(1, 100))
def test_taken_inward_and_asked_outward_never_refuse_wrongly(a: int, long: int, b: int, wide: int) -> None:
    """Where the bitmap sees a conflict, booking [a, a + long) and visit [b, b + wide) do overlap."""
    inside = range(-(-a // SLOT_MINUTES), (a + long) // SLOT_MINUTES)
    asked = outward(TUESDAY, MIDNIGHT + timedelta(minutes=b), MIDNIGHT + timedelta(minutes=b + wide))
    if set(inside) & set(range(*asked)):
        assert a < b + wide
        assert b < a + long


async def test_a_row_says_what_the_tables_say(tx: Tx, town: Town) -> None:
    caregiver = town.caregivers[0][0]
    assert await bits(tx, caregiver, "shift") == mask(96, 240)[:240] + "0" * 48 + "0" * 96
    assert await bits(tx, caregiver, "taken") == "0" * SLOTS
    assert await bits(tx, caregiver, "away") == ""
    row = await tx.fetchrow("SELECT * FROM caregiver_day WHERE caregiver_id = $1 AND day = $2", caregiver, TUESDAY)
    assert row["certificates"] == sum(map(availability.certificate_bit, ("health_certificate", "nursing_assistant")))
    assert (row["active"], row["sex"], row["minutes"], round(row["rating"], 3)) == (True, "female", 0, 4.5)


async def test_a_certificate_and_an_absence_hold_on_their_days_only(tx: Tx, town: Town) -> None:
    caregiver = town.caregivers[0][0]
    nurse = {"kind": "nurse", "number": None, "valid_from": TUESDAY, "valid_to": TUESDAY}
    await workforce.certify(tx, SYSTEM, caregiver, nurse)
    away = {
        "starts_at": MIDNIGHT + timedelta(hours=12, minutes=2),
        "ends_at": MIDNIGHT + timedelta(hours=26),
        "reason": "病",
    }
    await workforce.excuse(tx, SYSTEM, caregiver, away)
    rows = await tx.fetch("SELECT day, certificates FROM caregiver_day WHERE caregiver_id = $1 ORDER BY day", caregiver)
    held = {row["day"]: bool(row["certificates"] & availability.certificate_bit("nurse")) for row in rows}
    assert held == {day: day == TUESDAY for day in held}
    assert await bits(tx, caregiver, "away") == mask(144, 312)
    assert await bits(tx, caregiver, "away", TUESDAY + timedelta(days=1)) == mask(0, 24)


async def test_booking_marks_and_freeing_clears_the_slots_that_lie_inside(tx: Tx, town: Town) -> None:
    caregiver = town.caregivers[0][0]
    order = await make_order(tx, town.elder, urgency="appointment", wanted_from=TUESDAY_TEN + timedelta(hours=2))
    held = await tx.fetchrow("SELECT lower(during) AS f, upper(during) AS t FROM booking WHERE order_id = $1", order.id)
    begin, end = ((held[name] - MIDNIGHT).total_seconds() / 60 for name in ("f", "t"))
    wanted = mask(int(-(-begin // SLOT_MINUTES)), int(end // SLOT_MINUTES))
    assert await bits(tx, caregiver, "taken") == wanted
    minutes = "SELECT minutes FROM caregiver_day WHERE caregiver_id = $1 AND day = $2"
    assert await tx.fetchval(minutes, caregiver, TUESDAY) == order.minutes
    await orders.cancel(tx, SYSTEM, order.id, "not_needed", "elder")
    assert await bits(tx, caregiver, "taken") == "0" * SLOTS
    assert await tx.fetchval(minutes, caregiver, TUESDAY) == 0


async def test_a_night_marks_both_days_and_counts_once(tx: Tx, town: Town) -> None:
    caregiver = town.caregivers[0][0]
    order = await make_order(tx, town.elder, urgency="appointment", wanted_from=MIDNIGHT + timedelta(hours=40))
    await queries_bookings.free(tx, order.id)
    assert await booked(tx, order.id, caregiver, MIDNIGHT + timedelta(hours=23), 120)
    assert await bits(tx, caregiver, "taken") == mask(274, 301)
    assert await bits(tx, caregiver, "taken", TUESDAY + timedelta(days=1)) == mask(0, 13)
    assert await availability.put_right(tx, TUESDAY) == 0
    assert await availability.put_right(tx, TUESDAY + timedelta(days=1)) == 0
    rows = await tx.fetch("SELECT day, minutes FROM caregiver_day WHERE minutes > 0")
    assert [(row["day"], row["minutes"]) for row in rows] == [(TUESDAY, 120)]
    await queries_bookings.free(tx, order.id)
    assert await tx.fetchval("SELECT count(*) FROM caregiver_day WHERE taken <> 0::bit(384) OR minutes <> 0") == 0


async def test_night_work_is_found_after_eleven(tx: Tx) -> None:
    town = await make_town(tx, providers=1, caregivers=1, hours=(0, 24))
    late = MIDNIGHT + timedelta(hours=23, minutes=30)
    order = await make_order(tx, town.elder, urgency="appointment", wanted_from=late)
    assert order.status == "dispatched"


async def test_days_are_made_on_demand_and_ahead(tx: Tx) -> None:
    await make_town(tx, providers=1, caregivers=2)
    for _ in range(20):
        await availability.keep_ready(tx)
    days = [row["day"] for row in await tx.fetch("SELECT DISTINCT day FROM caregiver_day ORDER BY day")]
    assert days == [TUESDAY + timedelta(days=n) for n in range(availability.AHEAD.days + 1)]
    with clock.hold(TUESDAY_TEN + timedelta(days=4)):
        await availability.keep_ready(tx)
    assert await tx.fetchval("SELECT min(day) FROM caregiver_day") == TUESDAY + timedelta(days=2)


async def test_drift_is_found_and_put_right(tx: Tx, town: Town) -> None:
    caregiver = town.caregivers[0][0]
    order = await make_order(tx, town.elder, urgency="appointment", wanted_from=TUESDAY_TEN + timedelta(hours=2))
    right = await bits(tx, caregiver, "taken")
    assert await availability.put_right(tx, TUESDAY) == 0
    for damage in ("taken = 0::bit(384)", "taken = ~0::bit(384)", "minutes = 5", "certificates = 0", "rating = 1"):
        await tx.run(f"UPDATE caregiver_day SET {damage} WHERE day = $1", TUESDAY)
        assert await availability.put_right(tx, TUESDAY) == 1, damage
        assert await bits(tx, caregiver, "taken") == right
    newcomer = await make_caregiver(tx, town.providers[0])
    assert await availability.put_right(tx, TUESDAY) == 1
    assert await bits(tx, newcomer, "taken") == "0" * SLOTS
    assert order.status == "dispatched"


async def test_a_stale_row_shows_nobody_who_is_booked(tx: Tx, town: Town) -> None:
    """The bitmap is emptied behind the service's back: the bookings still refuse, and nobody is booked twice."""
    first = await make_order(tx, town.elder)
    await tx.run("UPDATE caregiver_day SET taken = 0::bit(384)")
    second = await make_order(tx, town.elder)
    assert first.status == "dispatched"
    found = await search.look(tx, second, [], (await queries.open_offer(tx, first.id))["starts_at"])
    assert found.ranked == []
    assert found.refusals == {"busy": 1}


async def test_two_at_once_mark_one_row_without_losing_each_other(database: Database) -> None:
    async with database.transaction() as tx:
        town = await make_town(tx, providers=1, caregivers=1)
        caregiver = town.caregivers[0][0]
        await availability.prepare(tx, [TUESDAY])
        made = [await make_order(tx, town.elder) for _ in range(2)]
        for order in made:
            await queries_bookings.free(tx, order.id)
    async with database.transaction() as one, database.transaction() as other:
        assert await booked(one, made[0].id, caregiver, MIDNIGHT + timedelta(hours=10), 60)
        waiting = asyncio.ensure_future(booked(other, made[1].id, caregiver, MIDNIGHT + timedelta(hours=15), 60))
        await one.end()
        assert await waiting
    async with database.transaction() as tx:
        row = mask(118, 133)
        both = "".join(max(a, b) for a, b in zip(row, mask(178, 193), strict=True))
        assert await bits(tx, caregiver, "taken") == both
        assert await availability.put_right(tx, TUESDAY) == 0


async def test_the_constraint_decides_and_not_the_row(tx: Tx, town: Town) -> None:
    """The control: without marks and without the constraint, one caregiver is booked twice."""
    caregiver = town.caregivers[0][0]
    first, second = [await make_order(tx, town.elder) for _ in range(2)]
    for order in (first, second):
        await queries_bookings.free(tx, order.id)
    assert await booked(tx, first.id, caregiver, MIDNIGHT + timedelta(hours=15), 60)
    await tx.run("UPDATE caregiver_day SET taken = 0::bit(384)")
    assert not await booked(tx, second.id, caregiver, MIDNIGHT + timedelta(hours=15), 60)
    await tx.run("ALTER TABLE booking DROP CONSTRAINT ex_booking_caregiver_during")
    assert await booked(tx, second.id, caregiver, MIDNIGHT + timedelta(hours=15), 60)


async def test_changes_are_heard_in_the_same_transaction(tx: Tx, town: Town) -> None:
    caregiver = town.caregivers[0][0]
    await workforce.set_shifts(tx, SYSTEM, caregiver, [{"weekday": 2, "starts_minute": 0, "ends_minute": 60}])
    assert await bits(tx, caregiver, "shift") == mask(0, 12)
    await workforce.change(tx, SYSTEM, caregiver, {"status": "inactive"})
    active = "SELECT active FROM caregiver_day WHERE caregiver_id = $1 AND day = $2"
    assert await tx.fetchval(active, caregiver, TUESDAY) is False
