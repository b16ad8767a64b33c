"""From issue to payment: states, two people, disputes, later ratings, and a ledger that always adds up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.settlement import adjustments, queries, queries_ledger, runs, statements
from app.settlement.ledger import BANK, holdback_account, payer_account, provider_account
from app.settlement.statements import Objection
from tests.world.orders import provider_caller
from tests.world.settlement import SEPTEMBER_TENTH, Market, clerk, make_market, make_served_order

OCTOBER = datetime(2025, 10, 8, 2, 0, tzinfo=UTC)
ALL = [("", "a")]
APPROVER = Caller(kind="staff", id="approver", name="approver", divisions=("620300",))


@pytest.fixture(autouse=True)
async def october() -> AsyncIterator[None]:
    with clock.hold(OCTOBER):
        yield


async def draft(tx: Tx, period: str = "2025-09") -> UUID:
    await runs.settle(tx, clerk(), period)
    (row,) = await queries.statements_of_period(tx, period, None)
    found: UUID = row["id"]
    return found


async def issued(tx: Tx, period: str = "2025-09") -> UUID:
    found = await draft(tx, period)
    await statements.issue(tx, clerk(), found, early=True)
    return found


async def finish(tx: Tx, statement_id: UUID) -> Any:
    """Review, approve and pay."""
    await statements.review(tx, clerk(), statement_id)
    await statements.approve(tx, APPROVER, statement_id)
    await statements.pay(tx, APPROVER, statement_id, "BANK-1")
    return await queries.statement(tx, statement_id)


async def read(tx: Tx, statement_id: UUID) -> Any:
    return await queries.statement(tx, statement_id)


async def balances(tx: Tx) -> dict[str, int]:
    found = {row["code"]: row["debit_fen"] - row["credit_fen"] for row in await queries_ledger.accounts(tx, ALL)}
    assert sum(found.values()) == 0
    return found


async def rate(tx: Tx, market: Market, order_id: UUID, score: int, *, counts: bool = True) -> None:
    """What the follow-up does with a rating, up to telling settlement."""
    await tx.run(
        """INSERT INTO rating (id, order_id, provider_id, source, score, tags, counts, first_of_source, actor, at)
        VALUES ($1, $2, $3, 'family', $4, '{}', $5, false, 'family:1', $6)""",
        new_id(), order_id, market.provider_id, score, counts, clock.now(),
    )  # fmt: skip
    if counts:
        await tx.run("UPDATE care_order SET rating = $2 WHERE id = $1", order_id, score)
    rating = await tx.fetchval("SELECT id FROM rating WHERE order_id = $1 AND counts", order_id)
    await adjustments.rejudge(tx, order_id, ("rating", str(rating)), "later")


async def test_the_whole_way(tx: Tx) -> None:
    market = await make_market(tx)
    await make_served_order(tx, market, rating=3)
    statement_id = await issued(tx)
    app = provider_caller(market.provider_id)
    assert (await read(tx, statement_id))["confirm_by"] == OCTOBER + timedelta(days=7)
    await statements.confirm(tx, app, statement_id)
    paid = await finish(tx, statement_id)
    # 70 yuan: 14 from the family; 90 % of 56 = 50.40, of which 5 % are held back
    assert (paid["status"], paid["paid_fen"], paid["payment_reference"]) == ("paid", 5040 - 252, "BANK-1")
    assert await balances(tx) == {
        payer_account("government", market.scheme_code): 5040,
        payer_account("family", None): 0,
        provider_account(market.provider_id): 0,
        holdback_account(market.provider_id): -252,
        BANK: -(5040 - 252),
    }
    audience = f"provider:{market.provider_id}"
    told = await tx.fetch("SELECT type FROM feed_entry WHERE audience = $1 ORDER BY id", audience)
    assert [row["type"] for row in told] == [
        f"statement.{status}" for status in ("issued", "confirmed", "reviewed", "approved", "paid")
    ]
    deeds = await tx.fetch("SELECT action FROM audit_entry WHERE object_id = $1", str(statement_id))
    assert {row["action"] for row in deeds} >= {"settlement.issue", "settlement.approve", "settlement.pay"}


async def test_the_quota_is_consumed_by_the_minutes_not_by_the_rating(tx: Tx) -> None:
    market = await make_market(tx)
    await make_served_order(tx, market, rating=1, minutes=60)
    await issued(tx)
    month = await tx.fetchrow("SELECT reserved_fen, consumed_fen FROM quota_month")
    assert month is not None
    assert (month["reserved_fen"], month["consumed_fen"]) == (0, 2800)


async def test_a_month_that_is_not_over_is_issued_only_on_purpose(tx: Tx) -> None:
    await make_served_order(tx, await make_market(tx), completed_at=OCTOBER - timedelta(hours=3))
    statement_id = await draft(tx, "2025-10")
    with pytest.raises(Conflict) as refused:
        await statements.issue(tx, clerk(), statement_id)
    assert refused.value.code == "period_not_over"
    await statements.issue(tx, clerk(), statement_id, early=True)


@pytest.mark.parametrize("same", ["created_by", "refreshed_by", "issued_by", "reviewed_by"])
async def test_who_made_a_statement_does_not_approve_it(tx: Tx, same: str) -> None:
    market = await make_market(tx)
    await make_served_order(tx, market)
    statement_id = await issued(tx)
    await statements.confirm(tx, provider_caller(market.provider_id), statement_id)
    await statements.review(tx, clerk(), statement_id)
    sql = "UPDATE statement SET created_by = 'a', refreshed_by = 'b', issued_by = 'c', reviewed_by = 'd'"
    await tx.run(sql)
    await tx.run(f"UPDATE statement SET {same} = $1", APPROVER.actor)
    with pytest.raises(Forbidden) as refused:
        await statements.approve(tx, APPROVER, statement_id)
    assert refused.value.code == "same_person"
    with pytest.raises(asyncpg.CheckViolationError) as constrained:
        async with tx.savepoint():
            await queries.move(tx, statement_id, "approved", approved_by=APPROVER.actor)
    assert constrained.value.constraint_name == "ck_statement_two_people"


async def test_a_provider_sees_only_its_own_and_no_draft(tx: Tx) -> None:
    market, other = await make_market(tx), await make_market(tx)
    await make_served_order(tx, market)
    statement_id = await draft(tx)
    app = provider_caller(market.provider_id)
    for caller in (app, provider_caller(other.provider_id), clerk("far", "110000")):
        with pytest.raises(NotFound):
            await statements.seen(tx, caller, statement_id)
    await statements.issue(tx, clerk(), statement_id)
    assert (await statements.seen(tx, app, statement_id))["status"] == "issued"
    with pytest.raises(NotFound):
        await statements.confirm(tx, provider_caller(other.provider_id), statement_id)


async def test_silence_is_consent_only_after_the_time(tx: Tx) -> None:
    await make_served_order(tx, await make_market(tx))
    statement_id = await issued(tx)
    with pytest.raises(Conflict) as refused:
        await statements.review(tx, clerk(), statement_id)
    assert refused.value.code == "provider_has_time"
    with clock.hold(OCTOBER + timedelta(days=7)):
        await statements.review(tx, clerk(), statement_id)


async def test_a_disputed_line_is_not_paid_until_it_is_decided(tx: Tx) -> None:
    market = await make_market(tx, terms={"holdback_bp": 0})
    for rating in (3, 5):
        await make_served_order(tx, market, rating=rating)
    statement_id, app = await issued(tx), provider_caller(market.provider_id)
    bad, _good = await queries.lines(tx, statement_id)
    await statements.dispute(tx, app, statement_id, [Objection(bad["id"], "评价有误", ("upload-1",))])
    with pytest.raises(Conflict):
        await statements.dispute(tx, app, statement_id, [Objection(bad["id"], "again")])
    with pytest.raises(NotFound):
        await statements.dispute(tx, app, statement_id, [Objection(new_id(), "no such line")])
    assert (await read(tx, statement_id))["held_fen"] == 5040
    paid = await finish(tx, statement_id)
    assert paid["paid_fen"] == 5600
    assert (await balances(tx))[provider_account(market.provider_id)] == -5040

    (dispute,) = await tx.fetch("SELECT id FROM line_dispute")
    await statements.decide(tx, clerk(), statement_id, dispute["id"], upheld=True, amount_fen=560, note="核实")
    with pytest.raises(Conflict):
        await statements.decide(tx, clerk(), statement_id, dispute["id"], upheld=False, amount_fen=0, note="again")
    october = await issued(tx, "2025-10")
    row = await read(tx, october)
    assert (row["adjustment_fen"], row["due_fen"], row["lines"]) == (5600, 5600, 1)
    assert (await statements.recompute(tx, october)).same
    await statements.confirm(tx, app, october)
    assert (await finish(tx, october))["paid_fen"] == 5600
    assert (await balances(tx))[provider_account(market.provider_id)] == 0
    assert (await balances(tx))[payer_account("government", market.scheme_code)] == 5600 * 2


async def test_a_dispute_decided_in_time_is_paid_at_once(tx: Tx) -> None:
    market = await make_market(tx, terms={"holdback_bp": 0})
    await make_served_order(tx, market)
    statement_id = await issued(tx)
    (line,) = await queries.lines(tx, statement_id)
    await statements.dispute(tx, provider_caller(market.provider_id), statement_id, [Objection(line["id"], "?")])
    (dispute,) = await tx.fetch("SELECT id FROM line_dispute")
    with pytest.raises(Invalid):
        await statements.decide(tx, clerk(), statement_id, dispute["id"], upheld=False, amount_fen=1, note="no")
    await statements.decide(tx, clerk(), statement_id, dispute["id"], upheld=False, amount_fen=0, note="no")
    assert (await finish(tx, statement_id))["paid_fen"] == 5600
    assert await tx.fetchval("SELECT count(*) FROM adjustment") == 0


async def test_a_rating_after_the_statement_adjusts_once_in_the_next_period(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market)
    statement_id = await issued(tx)
    before = (await read(tx, statement_id))["content_hash"]
    for _ in range(2):
        await adjust_by_rating(tx, market, order, 2)
    (adjustment,) = await tx.fetch("SELECT * FROM adjustment")
    assert (adjustment["amount_fen"], adjustment["target_period"]) == (-1680, "2025-10")
    assert (await read(tx, statement_id))["content_hash"] == before
    assert (await statements.recompute(tx, statement_id)).same
    october = await issued(tx, "2025-10")
    row = await read(tx, october)
    assert (row["adjustment_fen"], row["holdback_fen"], row["due_fen"]) == (-1680, -84, -1596)
    assert (await balances(tx))[holdback_account(market.provider_id)] == -(280 - 84)


async def adjust_by_rating(tx: Tx, market: Market, order: UUID, score: int) -> None:
    if await tx.fetchval("SELECT count(*) FROM rating") == 0:
        await rate(tx, market, order, score)
    else:
        await rate(tx, market, order, 5, counts=False)


async def test_a_rating_that_changes_nothing_adjusts_nothing(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market)
    await issued(tx)
    await rate(tx, market, order, 5)
    assert await tx.fetchval("SELECT count(*) FROM adjustment") == 0


async def test_a_rating_before_the_issue_goes_into_the_draft(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market)
    statement_id = await draft(tx)
    await rate(tx, market, order, 2)
    assert await tx.fetchval("SELECT count(*) FROM adjustment") == 0
    await runs.settle(tx, clerk(), "2025-09")
    assert (await read(tx, statement_id))["quality_fen"] == 1680


async def test_an_amount_below_zero_is_carried_forward_until_it_is_earned(tx: Tx) -> None:
    market = await make_market(tx, terms={"holdback_bp": 0})
    order = await make_served_order(tx, market)
    await make_served_order(tx, market, completed_at=SEPTEMBER_TENTH + timedelta(days=60), agency_fen=700)
    app = provider_caller(market.provider_id)
    september = await issued(tx)
    await statements.confirm(tx, app, september)
    await finish(tx, september)
    await rate(tx, market, order, 1)
    october = await issued(tx, "2025-10")
    await statements.confirm(tx, app, october)
    assert ((await read(tx, october))["due_fen"], (await finish(tx, october))["paid_fen"]) == (-1680, 0)
    november = await issued(tx, "2025-11")
    await statements.confirm(tx, app, november)
    row = await read(tx, november)
    assert (row["due_fen"], row["adjustment_fen"]) == (700 - 1680, -1680)
    assert (await finish(tx, november))["paid_fen"] == 0
    assert (await balances(tx))[provider_account(market.provider_id)] == 980


async def test_an_adjustment_by_hand_stays_between_nothing_and_the_value(tx: Tx) -> None:
    market = await make_market(tx)
    await make_served_order(tx, market, rating=3)
    statement_id = await issued(tx)
    (line,) = await queries.lines(tx, statement_id)
    row = await read(tx, statement_id)
    for amount in (0, 561, -(5040 - 252) - 1):
        with pytest.raises(Invalid):
            await adjustments.adjust(tx, clerk(), row, line["id"], amount, "不合理")
    await adjustments.adjust(tx, clerk(), row, line["id"], -1000, "核减")
    await adjustments.adjust(tx, clerk(), row, line["id"], 1560, "更正")
    with pytest.raises(Invalid):
        await adjustments.adjust(tx, clerk(), row, line["id"], 1, "再加")
    october = await issued(tx, "2025-10")
    assert (await read(tx, october))["adjustment_fen"] == 560
    assert (await statements.recompute(tx, october)).same
    with pytest.raises(Conflict):
        await adjustments.adjust(tx, clerk(), await read(tx, await draft_of_november(tx, market)), line["id"], 1, "x")


async def draft_of_november(tx: Tx, market: Market) -> UUID:
    await make_served_order(tx, market, completed_at=SEPTEMBER_TENTH + timedelta(days=60))
    return await draft(tx, "2025-11")


async def test_a_holdback_is_released_once(tx: Tx) -> None:
    market = await make_market(tx)
    await make_served_order(tx, market)
    statement_id = await issued(tx)
    row = await read(tx, statement_id)
    with pytest.raises(Invalid):
        await adjustments.release_holdback(tx, clerk(), row, 281, "多了")
    await adjustments.release_holdback(tx, clerk(), row, None, "考核合格")
    with pytest.raises(Conflict):
        await adjustments.release_holdback(tx, clerk(), row, 1, "再来")
    october = await issued(tx, "2025-10")
    assert (await read(tx, october))["due_fen"] == 280
    assert (await balances(tx))[holdback_account(market.provider_id)] == 0


async def test_the_ledger_takes_rows_and_gives_none_back(tx: Tx) -> None:
    await make_served_order(tx, await make_market(tx))
    await issued(tx)
    assert await tx.fetchval("SELECT count(*) FROM ledger_transfer") == 4
    owner = await tx.fetchrow("""SELECT tableowner = current_user AS owns,
        (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS super
        FROM pg_tables WHERE tablename = 'ledger_transfer'""")
    assert owner is not None
    if owner["super"]:
        pytest.skip("a superuser is above all privileges; production must not run as one")
    assert owner["owns"]
    for deed in (
        "UPDATE ledger_transfer SET amount_fen = 1",
        "DELETE FROM ledger_transfer",
        "TRUNCATE ledger_transfer",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.savepoint():
                await tx.run(deed.format("ledger_transfer"))
    assert await tx.fetchval("SELECT count(*) FROM ledger_transfer") == 4


async def test_a_line_is_never_posted_twice(tx: Tx) -> None:
    await make_served_order(tx, await make_market(tx))
    await issued(tx)
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        async with tx.savepoint():
            await tx.run("""INSERT INTO ledger_transfer SELECT gen_random_uuid(), debit_account, credit_account,
                amount_fen, statement_id, line_id, reason, at FROM ledger_transfer""")
    assert refused.value.constraint_name == "uq_ledger_transfer_line"
