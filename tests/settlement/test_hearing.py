"""What happens after the statement, told by follow-up itself over the wired bus."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Tx
from app.core.errors import Error
from app.core.http import SYSTEM
from app.followup import complaints, rating
from app.orders import service as orders
from app.settlement import adjustments, queries, queries_ledger, runs, statements
from app.settlement.calculation import CARRIED
from app.settlement.ledger import provider_account
from app.settlement.lifecycle import CLOSED
from app.settlement.statements import Objection
from tests.settlement.test_statements import ALL, APPROVER, OCTOBER, draft, issued
from tests.world.orders import provider_caller
from tests.world.settlement import SEPTEMBER_TENTH, Market, clerk, make_market, make_served_order


async def family_says(tx: Tx, order_id: UUID, score: int) -> rating.Heard:
    word = rating.Word(source="family", score=score)
    return await rating.hear(tx, SYSTEM, await orders.locked(tx, order_id), word, closes_as="rated")


async def test_a_family_that_rates_after_the_statement_adjusts_it(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market)
    with clock.hold(OCTOBER):
        await issued(tx)
        await family_says(tx, order, 3)
        (adjustment,) = await tx.fetch("SELECT * FROM adjustment")
        await family_says(tx, order, 1)  # a second word is history
        assert await tx.fetchval("SELECT count(*) FROM adjustment") == 1
    assert (adjustment["source_kind"], adjustment["amount_fen"], adjustment["order_id"]) == ("rating", -560, order)


async def test_a_complaint_upheld_after_the_statement_adjusts_it_on_top(tx: Tx) -> None:
    market = await make_market(tx, terms={"holdback_bp": 0})
    order = await make_served_order(tx, market)
    with clock.hold(OCTOBER):
        await issued(tx)
        heard = await family_says(tx, order, 1)
        assert heard.complaint_id is not None
        await complaints.decide(
            tx, clerk("supervisor"), heard.complaint_id, upheld="full", measures="退款", rework=False, version=None
        )
        found = await tx.fetch("SELECT source_kind, amount_fen FROM adjustment ORDER BY id")
    # 30 % of 56 yuan for the rating, then 20 % of it for the complaint
    assert [tuple(row) for row in found] == [("rating", -1680), ("complaint", -1120)]


async def test_a_rating_takes_no_more_than_a_correction_by_hand_has_left(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market)
    with clock.hold(OCTOBER):
        head = await queries.statement(tx, await issued(tx))
        assert head is not None
        (line,) = await queries.lines(tx, head["id"])
        await adjustments.adjust(tx, clerk(), head, line["id"], -5_300, "核减")
        await family_says(tx, order, 3)
        found = await tx.fetch("SELECT amount_fen FROM adjustment ORDER BY id")
    # 56 yuan less 53 by hand leaves 3, of which 2.80 are held back: rating 3 takes the 20 fen and 28 fen of holdback
    assert [row["amount_fen"] for row in found] == [-5_300, -48]


async def test_a_word_before_the_issue_is_part_of_the_draft_not_of_an_adjustment(tx: Tx) -> None:
    market = await make_market(tx)
    order = await make_served_order(tx, market)
    with clock.hold(OCTOBER):
        await draft(tx)
        await family_says(tx, order, 3)
        assert await tx.fetchval("SELECT count(*) FROM adjustment") == 0
        await issued(tx)
    (line,) = await tx.fetch("SELECT coefficient_bp FROM statement_line")
    assert line["coefficient_bp"] == 9_000


PERIODS = ["2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02"]


class Auditor:
    """Does anything anybody may do, in any order, and checks the books after each deed."""

    def __init__(self, tx: Tx, market: Market, choose: random.Random) -> None:
        self.tx, self.market, self.choose = tx, market, choose
        self.app = provider_caller(market.provider_id)
        self.frozen: dict[UUID, bytes] = {}
        self.done: dict[str, int] = {}

    async def act(self) -> None:
        deeds = {
            self.serve: 5, self.run: 5, self.rate: 4, self.issue: 4, self.answer: 4, self.finish: 4, self.adjust: 4,
            self.decide: 2, self.release: 1,
        }  # fmt: skip
        (deed,) = self.choose.choices(list(deeds), weights=list(deeds.values()))
        try:
            async with self.tx.savepoint():
                await deed()
            self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1
        except (Error, IndexError):
            pass

    async def serve(self) -> None:
        at = SEPTEMBER_TENTH + timedelta(days=30 * self.choose.randrange(6))
        score = self.choose.choice([None, None, 1, 5])
        late, minutes = self.choose.choice([0, 50]), self.choose.choice([60, 90, 120])
        await make_served_order(self.tx, self.market, completed_at=at, rating=score, late_minutes=late, minutes=minutes)

    async def run(self) -> None:
        await runs.settle(self.tx, clerk(), self.choose.choice(PERIODS))

    async def rate(self) -> None:
        order = self.choose.choice(await self.tx.fetch("SELECT id FROM care_order WHERE rating IS NULL ORDER BY id"))
        await family_says(self.tx, order["id"], self.choose.choice([3, 4, 5]))

    async def issue(self) -> None:
        await statements.issue(self.tx, clerk(), await self.one("draft"), early=True)

    async def answer(self) -> None:
        found = await self.one("issued", "disputed")
        lines = await queries.lines(self.tx, found)
        if self.choose.random() < 0.5:
            await statements.confirm(self.tx, self.app, found)
        else:
            line = self.choose.choice(lines)
            await statements.dispute(self.tx, self.app, found, [Objection(line["id"], "?")])

    async def decide(self) -> None:
        found = self.choose.choice(await self.tx.fetch("SELECT * FROM line_dispute WHERE decision IS NULL ORDER BY id"))
        amount = self.choose.choice([0, 50, -50])
        await statements.decide(self.tx, clerk(), found["statement_id"], found["id"], upheld=bool(amount),
                                amount_fen=amount, note="x")  # fmt: skip

    async def finish(self) -> None:
        found = await self.one("confirmed", "disputed")
        await statements.review(self.tx, clerk(), found)
        await statements.approve(self.tx, APPROVER, found)
        await statements.pay(self.tx, APPROVER, found, "B")

    async def adjust(self) -> None:
        row = await queries.statement(self.tx, await self.one(*CLOSED))
        assert row is not None
        line = self.choose.choice(await queries.lines(self.tx, row["id"]))
        amount = self.choose.choice([-5300, -2600, -100, 100, 400])
        await adjustments.adjust(self.tx, clerk(), row, line["id"], amount, "x")

    async def release(self) -> None:
        row = await queries.statement(self.tx, await self.one(*CLOSED))
        await adjustments.release_holdback(self.tx, clerk(), row, None, "x")

    async def one(self, *statuses: str) -> UUID:
        sql = "SELECT id FROM statement WHERE status = ANY($1) ORDER BY id"
        found: UUID = self.choose.choice(await self.tx.fetch(sql, [str(s) for s in statuses]))["id"]
        return found

    async def check(self) -> None:
        heads = await self.tx.fetch("SELECT * FROM statement WHERE status NOT IN ('draft', 'void')")
        owed = 0
        for head in heads:
            again = await statements.recompute(self.tx, head["id"])
            assert again.same
            assert self.frozen.setdefault(head["id"], again.content) == again.content
            lines = await queries.lines(self.tx, head["id"])
            carried = sum(p["payable_fen"] for line in lines for p in line["parts"] if p["payer"] == CARRIED)
            owed += head["due_fen"] - carried - (head["paid_fen"] or 0)
        found = {r["code"]: r["debit_fen"] - r["credit_fen"] for r in await queries_ledger.accounts(self.tx, ALL)}
        assert sum(found.values()) == 0
        assert -found.get(provider_account(self.market.provider_id), 0) == owed
        # What a payment left out is either still disputed or on its way into a later statement.
        assert not await self.tx.fetch("""SELECT s.id FROM statement s
            WHERE s.status = 'paid' AND s.due_fen - s.paid_fen <>
              (SELECT coalesce(sum(d.held_fen), 0) FROM line_dispute d
                 WHERE d.statement_id = s.id AND d.decision IS NULL)
              + (SELECT coalesce(sum((p ->> 'payable_fen')::bigint), 0)
                 FROM adjustment a, jsonb_array_elements(a.parts) p WHERE p ->> 'payer' = 'carried' AND (
                   a.source_id = s.id::text OR a.source_id IN (
                     SELECT d.id::text FROM line_dispute d WHERE d.statement_id = s.id)))""")
        assert not await self.tx.fetch("""SELECT o.id FROM care_order o
            JOIN statement_line l ON l.order_id = o.id AND l.kind = 'service'
            LEFT JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM adjustment a
              WHERE a.order_id = o.id AND a.source_kind IN ('rating', 'complaint', 'manual')) a ON true
            WHERE l.payable_fen + coalesce(a.fen, 0) NOT BETWEEN l.copay_fen AND l.gross_fen""")
        quota: Any = await self.tx.fetchrow("SELECT sum(consumed_fen) AS used FROM quota_month")
        worth = await self.tx.fetchval("""SELECT sum(l.gross_fen - l.copay_fen) FROM statement_line l
            JOIN statement s ON s.id = l.statement_id WHERE l.kind = 'service' AND s.status NOT IN ('draft', 'void')""")
        assert (quota["used"] or 0) == (worth or 0)


@pytest.mark.parametrize("seed", range(6))
async def test_the_books_are_right_whatever_happens_in_whatever_order(tx: Tx, seed: int) -> None:
    with clock.hold(OCTOBER + timedelta(days=150)):
        auditor = Auditor(tx, await make_market(tx), random.Random(seed))
        for _ in range(130):
            await auditor.act()
            await auditor.check()
    assert {"serve", "run", "issue", "answer", "finish", "adjust"} <= auditor.done.keys()
