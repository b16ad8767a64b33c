"""Which orders a run takes, what it makes of them, and that it makes the same of them again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, Invalid
from app.settlement import calculation, queries, queries_runs, runs, statements
from tests.world.settlement import (
    SEPTEMBER_TENTH,
    clerk,
    make_contract,
    make_market,
    make_served_order,
)

OCTOBER = datetime(2025, 10, 8, 2, 0, tzinfo=UTC)
ALL = [("", "a")]


async def settle(tx: Tx, period: str = "2025-09", **how: Any) -> list[Any]:
    """Run and return the statements of the period."""
    await runs.settle(tx, how.pop("caller", clerk()), period, how.pop("provider_id", None))
    return await queries.statements_of_period(tx, period, None)


async def reasons(tx: Tx, period: str = "2025-09") -> dict[Any, list[str]]:
    start, end = clock.month_bounds(period)
    found = await queries_runs.unsettled(tx, period, start, end, None, ALL, None, 100)
    return {row["order_id"]: row["reasons"] for row in found}


async def test_a_month_becomes_a_statement(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market, rating=5)
    other = await make_served_order(tx, market, rating=3, minutes=60, late_minutes=45)
    (statement,) = await settle(tx)
    # 120 and 60 minutes at 35 yuan an hour; the second: 10 % less for rating 3, 5 % for being late; 5 % held back
    assert statement["number"] == "JS202509-0001"
    assert (statement["lines"], statement["gross_fen"], statement["copay_fen"]) == (2, 7000 + 3500, 1400 + 700)
    assert (statement["quality_fen"], statement["penalty_fen"]) == (280, 140)
    assert statement["holdback_fen"] == 280 + 119
    assert statement["due_fen"] == (5600 - 280) + (2800 - 280 - 140 - 119)
    first, second = await queries.lines(tx, statement["id"])
    assert [first["order_id"], second["order_id"]] == [order, other]
    assert second["inputs"]["penalties"] == [{"name": "late_arrival", "bp": 500}]
    assert second["inputs"]["billable_minutes"] == 60
    assert first["parts"] == [
        {"payer": "government", "scheme": market.scheme_code, "gross_fen": 5600, "payable_fen": 5600,
         "holdback_fen": 280},
        {"payer": "family", "scheme": None, "gross_fen": 1400, "payable_fen": 1400, "holdback_fen": 0},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": "completed"}, "not_followed_up"),
        ({"outcome": "not_done"}, "not_done"),
        ({"verification": "review"}, "visit_under_review"),
        ({"verification": "rejected"}, "visit_rejected"),
        ({"verification": "pending"}, "visit_not_verified"),
        ({"visited": False}, "visit_not_verified"),
        ({"flags": ["complaint"]}, "flagged"),
        ({"price_version_id": None}, "no_price"),
    ],
)
async def test_what_is_not_settled_and_why(tx: Tx, changed: dict[str, Any], reason: str) -> None:
    market = await make_market(tx)
    settled = await make_served_order(tx, market)
    left = await make_served_order(tx, market, **changed)
    (statement,) = await settle(tx)
    assert [line["order_id"] for line in await queries.lines(tx, statement["id"])] == [settled]
    assert reason in (await reasons(tx))[left]
    assert settled not in await reasons(tx)


async def test_without_a_contract_nothing_is_settled(tx: Tx) -> None:
    market = await make_market(tx)
    await tx.run("UPDATE contract SET division_code = '620321' WHERE id = $1", market.contract_id)
    order = await make_served_order(tx, market)
    assert await settle(tx) == []
    assert (await reasons(tx))[order] == ["no_contract"]


async def test_the_contract_of_the_closest_division_holds(tx: Tx) -> None:
    market = await make_market(tx)
    await make_contract(tx, market.provider_id, division_code="620302", holdback_bp=0)
    await make_contract(tx, market.provider_id, division_code="620321", holdback_bp=9_999)
    await make_served_order(tx, market)
    (statement,) = await settle(tx)
    assert statement["holdback_fen"] == 0
    assert statement["division_code"] == "620302"


async def test_a_purchased_service_outside_the_assessment_is_not_settled(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market)
    sql = "UPDATE entitlement SET assessed_until = $2 WHERE id = $1"
    await tx.run(sql, market.entitlement_id, SEPTEMBER_TENTH.date() - timedelta(days=1))
    assert await settle(tx) == []
    assert (await reasons(tx))[order] == ["assessment_expired"]
    await tx.run(sql, market.entitlement_id, SEPTEMBER_TENTH.date())
    assert len(await settle(tx)) == 1


@pytest.mark.parametrize(
    ("at", "period"),
    [
        (datetime(2025, 8, 31, 15, 59, tzinfo=UTC), "2025-08"),
        (datetime(2025, 8, 31, 16, 0, tzinfo=UTC), "2025-09"),
        (datetime(2025, 9, 30, 15, 59, tzinfo=UTC), "2025-09"),
        (datetime(2025, 9, 30, 16, 0, tzinfo=UTC), "2025-10"),
    ],
)
async def test_the_month_is_shanghais(tx: Tx, at: datetime, period: str) -> None:
    await make_served_order(tx, await make_market(tx), completed_at=at)
    for month in ("2025-08", "2025-09", "2025-10"):
        assert len(await settle(tx, month)) == (month == period)


async def test_the_same_run_gives_the_same_bytes_and_touches_nothing(tx: Tx) -> None:
    market = await make_market(tx)
    for _ in range(5):
        await make_served_order(tx, market, rating=4)
    first = [dict(row) for row in await settle(tx)]
    first_lines = [dict(row) for row in await queries.lines(tx, first[0]["id"])]
    run_id = await runs.settle(tx, clerk("clerk-2"), "2025-09")
    again = [dict(row) for row in await queries.statements_of_period(tx, "2025-09", None)]
    assert again == first
    assert [dict(row) for row in await queries.lines(tx, first[0]["id"])] == first_lines
    assert run_id == await runs.settle(tx, clerk(), "2025-09")


async def test_a_draft_follows_the_facts_until_it_is_issued(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market, rating=5)
    (before,) = await settle(tx)
    await tx.run("UPDATE care_order SET rating = 1 WHERE id = $1", order)
    (after,) = await settle(tx, caller=clerk("clerk-2"))
    assert after["id"] == before["id"]
    assert after["version"] == before["version"] + 1
    assert (before["quality_fen"], after["quality_fen"]) == (0, 1680)
    assert (after["created_by"], after["refreshed_by"]) == ("staff:clerk-1", "staff:clerk-2")


async def test_a_draft_without_orders_is_void_and_the_next_has_a_new_number(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market)
    (draft,) = await settle(tx)
    await tx.run("UPDATE care_order SET flags = '{complaint}' WHERE id = $1", order)
    assert await settle(tx) == []
    void = await queries.statement(tx, draft["id"])
    assert void is not None
    assert (void["status"], void["due_fen"], void["lines"]) == ("void", 0, 0)
    await tx.run("UPDATE care_order SET flags = '{}' WHERE id = $1", order)
    (again,) = await settle(tx)
    assert again["number"] == "JS202509-0002"


async def test_what_becomes_eligible_later_is_a_late_line_of_the_next_period(tx: Tx) -> None:
    market = await make_market(tx)
    await make_served_order(tx, market)
    late = await make_served_order(tx, market, status="completed")
    (september,) = await settle(tx)
    with clock.hold(OCTOBER):
        await statements.issue(tx, clerk(), september["id"])
    issued = dict(await queries.statement(tx, september["id"]) or {})
    await tx.run("UPDATE care_order SET status = 'closed' WHERE id = $1", late)
    assert (await reasons(tx))[late] == ["next_period"]
    (unchanged,) = await settle(tx)
    assert dict(unchanged) == issued
    (october,) = await settle(tx, "2025-10")
    (line,) = await queries.lines(tx, october["id"])
    assert (line["order_id"], line["service_period"]) == (late, "2025-09")


async def test_an_open_earlier_month_is_left_to_its_own_run(tx: Tx) -> None:
    await make_served_order(tx, await make_market(tx))
    assert await settle(tx, "2025-10") == []


async def test_one_provider_alone(tx: Tx) -> None:
    one, other = await make_market(tx), await make_market(tx)
    await make_served_order(tx, one)
    await make_served_order(tx, other)
    (statement,) = await settle(tx, provider_id=one.provider_id)
    assert statement["provider_id"] == one.provider_id
    assert {row["provider_id"] for row in await settle(tx)} == {one.provider_id, other.provider_id}


async def test_a_clerk_does_not_settle_beyond_their_divisions(tx: Tx) -> None:
    await make_served_order(tx, await make_market(tx))
    with pytest.raises(Forbidden) as refused:
        await runs.settle(tx, clerk("district", "620302"), "2025-09")
    assert refused.value.code == "outside_scope"


@pytest.mark.parametrize("period", ["2025-13", "2025-9", "abc", "1999-01", "2025-09-01"])
async def test_a_period_is_a_month(tx: Tx, period: str) -> None:
    with pytest.raises(Invalid):
        await runs.settle(tx, clerk(), period)


async def test_a_rework_is_a_line_of_nothing(tx: Tx) -> None:
    market = await make_market(tx)
    await make_served_order(tx, market, price_fen=0, agency_fen=0, payers=[])
    (statement,) = await settle(tx)
    assert (statement["lines"], statement["gross_fen"], statement["due_fen"]) == (1, 0, 0)


async def test_recomputed_byte_for_byte_after_everything_around_it_changed(tx: Tx) -> None:
    market = await make_market(tx)
    for rating in (1, 3, 5, None):
        await make_served_order(tx, market, rating=rating, minutes=75)
    (statement,) = await settle(tx)
    with clock.hold(OCTOBER):
        await statements.issue(tx, clerk(), statement["id"])
    before = await statements.recompute(tx, statement["id"])
    await tx.run("UPDATE price_version SET price_fen = price_fen * 2")
    await tx.run("UPDATE contract SET holdback_bp = 9999, bands = '[[1, 1]]'")
    await tx.run("UPDATE care_order SET rating = 2, payers = '[]'")
    await tx.run("UPDATE service_item SET rounding_minutes = 1")
    after = await statements.recompute(tx, statement["id"])
    assert after.content == before.content
    assert after.same
    assert calculation.digest(after.content) == bytes(statement["content_hash"])


async def test_recomputing_notices_a_changed_fen_and_a_changed_input(tx: Tx) -> None:
    market = await make_market(tx)
    await make_served_order(tx, market)
    (statement,) = await settle(tx)
    await tx.run("UPDATE statement_line SET payable_fen = payable_fen - 1, penalty_fen = 1, due_fen = due_fen - 1")
    changed = await statements.recompute(tx, statement["id"])
    assert len(changed.differing) == 1
    assert not changed.same
    await tx.run("UPDATE statement_line SET inputs = jsonb_set(inputs, '{rating}', '1')")
    assert (await statements.recompute(tx, statement["id"])).content_hash != bytes(statement["content_hash"])


async def test_an_outdated_draft_cannot_be_issued(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market, rating=5)
    (statement,) = await settle(tx)
    for change in ("rating = 2", "flags = '{complaint}'"):
        await tx.run(f"UPDATE care_order SET {change} WHERE id = $1", order)
        with clock.hold(OCTOBER), pytest.raises(Conflict) as refused:
            await statements.issue(tx, clerk(), statement["id"])
        assert refused.value.code == "statement_outdated"
