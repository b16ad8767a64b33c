"""Plans become orders on a real database: exactly once, withdrawn and made anew, held for the round, seen by doors."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid
from app.core.http import SYSTEM
from app.dispatch import batching
from app.dispatch.tasks import dispatch_waiting
from app.elders.events import ElderDeparted
from app.orders import handlers, queries, queries_recurring, recurring_orders, recurring_plans, service
from app.orders.recurring import HORIZON
from app.orders.tasks import announce_missed_deadlines
from tests.world.accounts import staff_headers
from tests.world.orders import TUESDAY_TEN, Town, make_town
from tests.world.recurring import make_recurring_plan

TODAY = date(2026, 3, 3)
TOMORROW = date(2026, 3, 4)
AHEAD = HORIZON.days
"""Whole days that lie before the horizon, today's morning being over."""

MADE = """SELECT c.day, c.slot, c.state, c.reason, c.order_id, o.status FROM recurring_occurrence c
LEFT JOIN care_order o ON o.id = c.order_id WHERE c.plan_id = $1 ORDER BY c.day, c.slot"""


@pytest.fixture(autouse=True)
def tuesday() -> Any:
    with clock.hold(TUESDAY_TEN):
        yield


async def made(tx: Tx, plan_id: UUID) -> list[Any]:
    return await tx.fetch(MADE, plan_id)


async def orders_of(tx: Tx, town: Town) -> list[Any]:
    return await tx.fetch("SELECT id, status, wanted_from FROM care_order WHERE elder_id = $1 ORDER BY id", town.elder)


async def test_the_coming_days_become_orders_that_wait(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder, slots=[{"windows": [(480, 600)]}, {"windows": [(1020, 1140)]}])
    rows = await made(tx, plan)
    # This morning is over, this evening is not; today's is past its cut-off and goes out at once.
    assert [(row["day"], row["slot"]) for row in rows[:3]] == [(TODAY, 1), (TOMORROW, 0), (TOMORROW, 1)]
    assert len(rows) == 1 + 2 * AHEAD
    assert [row["status"] for row in rows] == ["dispatched"] + ["placed"] * 2 * AHEAD
    order = await queries.get(tx, rows[1]["order_id"])
    assert (order.channel, order.urgency, order.minutes) == ("plan", "appointment", 60)
    assert order.wanted_from.astimezone(clock.SHANGHAI).hour == 8


async def test_batches_leave_orders_alone_that_wait_for_their_round(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder)
    assert await batching.measure(tx) == await batching.assign_waiting(tx) == 0
    assert {row["status"] for row in await made(tx, plan)} == {"placed"}


async def test_orders_go_out_one_by_one_after_the_cut_off(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder)
    evening = TUESDAY_TEN + timedelta(hours=8)
    with clock.hold(evening - timedelta(minutes=1)):
        await dispatch_waiting(tx)
        await announce_missed_deadlines(tx)
    assert {row["status"] for row in await made(tx, plan)} == {"placed"}
    with clock.hold(evening):
        await dispatch_waiting(tx)
    statuses = {row["day"]: row["status"] for row in await made(tx, plan)}
    assert statuses.pop(TOMORROW) == "dispatched"
    assert set(statuses.values()) == {"placed"}
    late = await tx.fetchval("SELECT count(*) FROM order_deadline WHERE announced_at IS NOT NULL")
    assert late == 0, "nobody is late with what has to wait"


async def test_the_horizon_moves_with_the_days(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder)
    assert await recurring_orders.make_orders(tx) == 0
    with clock.hold(TUESDAY_TEN + timedelta(days=2)):
        assert await recurring_orders.make_orders(tx) == 1
    rows = await made(tx, plan)
    assert [row["day"] for row in rows] == [TOMORROW + timedelta(days=n) for n in range(AHEAD + 2)]
    assert len(await orders_of(tx, town)) == len(rows)


async def test_a_rest_cancels_what_has_not_begun_and_its_end_makes_it_anew(tx: Tx) -> None:
    town = await make_town(tx)
    first = await make_recurring_plan(tx, town.elder)
    second = await make_recurring_plan(tx, town.elder, slots=[{"windows": [(840, 960)]}])
    stay = {"first_day": TOMORROW, "last_day": None, "reason": "hospital", "all_plans": True}
    rest = await recurring_plans.rest(tx, SYSTEM, first, stay, None)
    for plan in (first, second):
        rows = [row for row in await made(tx, plan) if row["day"] >= TOMORROW]
        assert {(row["state"], row["reason"], row["status"]) for row in rows} == {
            ("withdrawn", "rest:hospital", "cancelled")
        }
    old = {row["order_id"] for row in await made(tx, first)}
    back = TOMORROW + timedelta(days=3)
    await recurring_plans.end_rest(tx, SYSTEM, first, rest, back - timedelta(days=1))
    for plan in (first, second):
        rows = {row["day"]: row["status"] for row in await made(tx, plan) if row["day"] >= TOMORROW}
        assert all(status == ("placed" if day >= back else "cancelled") for day, status in rows.items())
        assert len(rows) == AHEAD
    assert len(old & {row["order_id"] for row in await made(tx, first)}) == 3


async def test_a_rest_that_never_came_leaves_no_trace(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder)
    stay = {"first_day": TOMORROW, "last_day": None, "reason": "hospital", "all_plans": False}
    rest = await recurring_plans.rest(tx, SYSTEM, plan, stay, None)
    await recurring_plans.end_rest(tx, SYSTEM, plan, rest, TODAY)
    assert {row["status"] for row in await made(tx, plan)} == {"placed"}
    assert await queries_recurring.rest_rows(tx, town.elder, plan) == []


async def test_a_visit_that_has_begun_or_was_cancelled_by_hand_stays_so(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder)
    begun, dropped = [row["order_id"] for row in (await made(tx, plan))[:2]]
    await tx.run(
        "UPDATE care_order SET status = 'in_service', provider_id = $2, caregiver_id = $3 WHERE id = $1",
        begun, town.providers[0], town.caregivers[0][0],
    )  # fmt: skip
    await service.cancel(tx, SYSTEM, dropped, "not_needed", "family")
    await recurring_plans.end(tx, SYSTEM, plan, "家属接走", None)
    rows = {row["order_id"]: row for row in await made(tx, plan)}
    assert rows[begun]["status"] == "in_service"
    assert (rows[dropped]["state"], rows[dropped]["status"]) == ("ordered", "cancelled")
    assert {row["status"] for key, row in rows.items() if key not in (begun, dropped)} == {"cancelled"}


async def test_a_changed_plan_replaces_its_orders(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder)
    before = {row["order_id"] for row in await made(tx, plan)}
    await recurring_plans.change(tx, SYSTEM, plan, {"holidays": "skip", "note": "钥匙在邻居家"}, None)
    assert {row["order_id"] for row in await made(tx, plan)} == before
    await recurring_plans.change(tx, SYSTEM, plan, {"slots": [{"windows": [(600, 720)]}]}, None)
    rows = await made(tx, plan)
    assert not before & {row["order_id"] for row in rows}
    assert {row["status"] for row in rows} == {"placed"}
    assert {row["status"] for row in await orders_of(tx, town) if row["id"] in before} == {"cancelled"}


async def test_what_cannot_be_ordered_says_why_and_is_tried_again(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder)
    await recurring_plans.end(tx, SYSTEM, plan, "换新计划", None)
    await tx.run("DELETE FROM price_version WHERE item_code = 'laundry'")
    tx.cache.clear()
    plan = await make_recurring_plan(tx, town.elder, item_code="laundry")
    assert {(row["state"], row["reason"], row["order_id"]) for row in await made(tx, plan)} == {
        ("failed", "price_not_set", None)
    }
    await tx.run(
        """INSERT INTO price_version (id, item_code, division_code, price_fen, source, valid_from)
        VALUES ($1, 'laundry', '620300', 3000, 'test', '2020-01-01')""",
        uuid4(),
    )
    tx.cache.clear()
    assert await recurring_orders.make_orders(tx) == 0, "not at once"
    with clock.hold(TUESDAY_TEN + recurring_orders.TRY_AGAIN_AFTER):
        assert await recurring_orders.make_orders(tx) == 1
    assert {row["state"] for row in await made(tx, plan)} == {"ordered"}


async def test_plans_of_the_departed_end(tx: Tx) -> None:
    town = await make_town(tx)
    plan = await make_recurring_plan(tx, town.elder)
    await handlers.on_elder_departed(
        tx, ElderDeparted(elder_id=town.elder, status="deceased", actor="staff:1", at=clock.now())
    )
    assert {row["status"] for row in await made(tx, plan)} == {"cancelled"}
    with clock.hold(TUESDAY_TEN + timedelta(days=2)):
        assert await recurring_orders.make_orders(tx) == 0
    assert (await queries_recurring.plan(tx, plan)).ended_reason == "elder_deceased"


async def test_impossible_plans_are_refused(tx: Tx) -> None:
    town = await make_town(tx)
    for wrong, code in (
        ({"slots": [{"windows": [(540, 570)]}]}, "window_too_short"),
        ({"minutes": 5}, "minutes_out_of_range"),
        ({"item_code": "health_advice", "minutes": None}, "item_not_orderable"),
        ({"valid_to": TODAY - timedelta(days=9)}, "interval_empty"),
    ):
        with pytest.raises(Invalid) as refused:
            await make_recurring_plan(tx, town.elder, **wrong)
        assert refused.value.code == code
    plan = await make_recurring_plan(tx, town.elder)
    await recurring_plans.end(tx, SYSTEM, plan, "不需要了", None)
    with pytest.raises(Conflict):
        await recurring_plans.change(tx, SYSTEM, plan, {"minutes": 90}, None)


class Interrupted(Exception):
    pass


async def sweep(database: Database) -> int:
    async with database.transaction() as tx:
        return await recurring_orders.make_orders(tx)


async def without_lock(database: Database, plan_id: UUID) -> None:
    """What a sweep does to a plan that it has forgotten to lock."""
    async with database.transaction() as tx:
        await recurring_orders.reconcile(tx, await queries_recurring.plan(tx, plan_id))


async def counted(database: Database, plan_id: UUID) -> tuple[int, int]:
    """(orders of the plan's elder, its visits)."""
    async with database.transaction() as tx:
        row = await tx.fetchrow(
            """SELECT (SELECT count(*) FROM care_order o WHERE o.elder_id = p.elder_id) AS orders,
              (SELECT count(*) FROM recurring_occurrence c WHERE c.plan_id = p.id) AS visits
            FROM recurring_plan p WHERE p.id = $1""",
            plan_id,
        )
    assert row is not None
    return row["orders"], row["visits"]


async def town_with_plan(database: Database) -> UUID:
    async with database.transaction() as tx:
        town = await make_town(tx)
        return await make_recurring_plan(tx, town.elder)


async def test_sweeps_at_once_and_a_restart_in_between_order_each_visit_once(database: Database) -> None:
    plan = await town_with_plan(database)
    with clock.hold(TUESDAY_TEN + timedelta(days=3)):
        with pytest.raises(Interrupted):
            async with database.transaction() as tx:
                assert await recurring_orders.make_orders(tx) == 1
                raise Interrupted
        assert await counted(database, plan) == (AHEAD, AHEAD)
        assert sum(await asyncio.gather(*(sweep(database) for _ in range(4)))) == 1
        assert await counted(database, plan) == (AHEAD + 3, AHEAD + 3)


async def test_the_key_alone_keeps_a_visit_from_being_ordered_twice(database: Database) -> None:
    plan = await town_with_plan(database)
    with clock.hold(TUESDAY_TEN + timedelta(days=3)):
        await asyncio.gather(*(without_lock(database, plan) for _ in range(4)))
    assert await counted(database, plan) == (AHEAD + 3, AHEAD + 3)


async def test_without_the_key_the_same_visit_is_ordered_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the test before would notice."""
    plan = await town_with_plan(database)
    careless = """INSERT INTO recurring_occurrence (plan_id, day, slot, state, reason, terms, at)
    SELECT $1, $2, $3::int + $7::int, 'failed', 'in_hand', $4, $5 WHERE cardinality($6::text[]) > 0 RETURNING true"""
    offset = iter(range(10, 99))

    async def claim(tx: Tx, *values: Any) -> bool:
        *kept, before = values
        return bool(await tx.fetchval(careless, *kept, list(before), next(offset)))

    monkeypatch.setattr(queries_recurring, "claim", claim)
    with clock.hold(TUESDAY_TEN + timedelta(days=3)):
        await asyncio.gather(*(without_lock(database, plan) for _ in range(2)))
    assert (await counted(database, plan))[0] > AHEAD + 3


async def test_the_doors(api: httpx.AsyncClient, database: Database) -> None:
    async with database.transaction() as tx:
        town = await make_town(tx)
    desk = await staff_headers(database)

    def keyed() -> dict[str, str]:
        return {**desk, "Idempotency-Key": str(uuid4())}

    body = {
        "elder_id": str(town.elder), "item_code": "bath_home", "weekdays": [1, 3, 5], "valid_from": "2026-03-02",
        "slots": [{"windows": [[540, 720], [840, 1020]]}], "holidays": "next_workday", "note": "浴室在二楼",
    }  # fmt: skip
    answer = await api.post("/v1/recurring-plans", json=body, headers=keyed())
    assert answer.status_code == 201, answer.text
    plan = answer.json()
    where = f"/v1/recurring-plans/{plan['id']}"
    assert answer.headers["Location"] == where
    assert (plan["elder_name"], plan["version"], plan["minutes"]) == ("曾**", 1, 90)
    seen = (await api.get(f"{where}/occurrences?last_day=2026-03-20", headers=desk)).json()
    assert [one["state"] for one in seen] == ["ordered"] * 3 + ["expected"] * 5
    assert seen[0]["number"]

    rest = {"first_day": "2026-03-06", "reason": "hospital"}
    answer = await api.post(f"{where}/rests", json=rest, headers=keyed())
    assert [one["reason"] for one in answer.json()["rests"]] == ["hospital"]
    rest_id = answer.json()["rests"][0]["id"]
    answer = await api.post(f"{where}/rests/{rest_id}/end", json={"last_day": "2026-03-08"}, headers=keyed())
    assert answer.json()["rests"][0]["last_day"] == "2026-03-08"

    stale = await api.patch(where, json={"minutes": 60}, headers={**keyed(), "If-Match": '"1"'})
    assert stale.status_code == 412
    version = answer.json()["version"]
    changed = await api.patch(where, json={"minutes": 60}, headers={**keyed(), "If-Match": f'"{version}"'})
    assert changed.json()["minutes"] == 60
    assert (await api.patch(where, json={"slots": None}, headers=keyed())).status_code == 422
    listed = (await api.get(f"/v1/recurring-plans?elder_id={town.elder}", headers=desk)).json()["items"]
    assert [one["id"] for one in listed] == [plan["id"]]
    ended = await api.post(f"{where}/end", json={"reason": "家属接走"}, headers=keyed())
    assert ended.json()["ended_reason"] == "家属接走"
    assert (await api.get("/v1/recurring-plans", headers=desk)).json()["items"] == []

    elsewhere = await staff_headers(database, divisions=("620321",))
    assert (await api.get(where, headers=elsewhere)).status_code == 404
    assert (await api.get("/v1/recurring-plans?ended=true", headers=elsewhere)).json()["items"] == []
    answer = await api.post("/v1/recurring-plans", json=body, headers=elsewhere)
    assert answer.status_code == 404
