"""After the visits: follow-up calls, families' words, complaints, and the settlement of last month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.core.ids import new_id
from app.followup import complaints
from app.followup import queries as followup_queries
from app.followup import service as followup
from app.followup.calling import Answer
from app.followup.schemas import Attempt, FamilyRating
from app.seeds.chance import chance
from app.seeds.plots import SCORES, drawn
from app.seeds.story import Stage
from app.settlement import agreements, queries, runs, statements
from app.settlement.contracts import WHOLE, Band, LatePenalty, Terms

COMMENTS = ("阿姨做事很仔细", "来得准时，态度很好", "老人很满意", "下次还想请同一位")
GRIEVANCES = ("约好的时间没有来，晚了很久", "打扫得不干净", "态度不耐烦")
STILL_OPEN = timedelta(days=4)
"""Complaints younger than this wait for a decision."""


async def contracts(tx: Tx, approver: Caller, stage: Stage, valid_from: datetime) -> None:
    """The same demo terms for every provider, in force in the whole city."""
    for provider_id in stage.companies:
        await agreements.add_contract(tx, approver, provider_id, _terms(), clock.service_day(valid_from))


def _terms() -> Terms:
    """Figures to look at, agreed by nobody."""
    return Terms(
        contract_id=new_id(),
        division_code="620300",
        bands=(Band(1, 6_000), Band(2, 7_500), Band(3, 9_000), Band(4, WHOLE)),
        unrated_bp=WHOLE,
        late=(LatePenalty(15, 200), LatePenalty(60, 1_000)),
        complaint_bp=2_000,
        partly_visit_bp=5_000,
        holdback_bp=500,
        confirm_days=5,
    )


async def follow_up(tx: Tx, stage: Stage, order_ids: Sequence[UUID], endings: dict[UUID, str]) -> None:
    """Call back, let families speak, let the rest pass; only as far as the present day allows."""
    draw, now = chance("aftermath"), clock.now()
    for order_id in order_ids:
        await _follow_up(tx, stage, order_id, endings.get(order_id, "done"), draw, now)


async def _follow_up(tx: Tx, stage: Stage, order_id: UUID, ending: str, draw: Random, now: datetime) -> None:
    row = await followup_queries.of_order(tx, order_id)
    if row is None or row["status"] == "closed":
        return
    if row["status"] == "watching":
        await _watch(tx, order_id, row["created_at"] + timedelta(hours=2), row["passes_at"], draw, now)
        return
    calls_at = row["next_call_at"] + timedelta(hours=20)
    tries = 3 if draw.random() < 0.05 else 1
    for number in range(tries):
        at = calls_at + timedelta(hours=5 * number)
        if at >= now:
            return
        made = _call(Answer.NO_ANSWER) if tries == 3 else _answer(ending, draw)
        with clock.hold(at):
            heard = await followup.attempt(tx, stage.caller_back, row["id"], made)
        if heard.complaint_id is not None:
            await _decide(tx, stage, heard.complaint_id, at, draw, now)


def _call(outcome: Answer, **heard: Any) -> Attempt:
    return Attempt(outcome=outcome, answers=[], **heard)


def _answer(ending: str, draw: Random) -> Attempt:
    if ending == "nobody_home":
        return _call(Answer.REACHED, note="老人外出，已另约时间")
    if ending == "done_dissatisfied":
        return _call(Answer.REACHED, score=draw.choice((1, 2)), solved=True, note=draw.choice(GRIEVANCES))
    score = drawn(draw, SCORES) if draw.random() < 0.9 else None
    return _call(Answer.REACHED, score=score, solved=True, note=draw.choice(COMMENTS))


async def _watch(tx: Tx, order_id: UUID, at: datetime, passes_at: datetime, draw: Random, now: datetime) -> None:
    if draw.random() < 0.35 and at < now:
        family = Caller("family", f"order:{order_id}", "家属")
        given = FamilyRating(score=drawn(draw, SCORES), tags=["准时"], comment=draw.choice(COMMENTS))
        with clock.hold(at):
            await followup.rate_as_family(tx, family, order_id, given)
    elif passes_at < now:
        with clock.hold(passes_at + timedelta(minutes=1)):
            await followup.let_pass(tx, order_id)


async def _decide(tx: Tx, stage: Stage, complaint_id: UUID, opened_at: datetime, draw: Random, now: datetime) -> None:
    if now - opened_at < STILL_OPEN:
        return
    with clock.hold(opened_at + timedelta(hours=4)):
        await complaints.reply(tx, stage.supervisor, complaint_id, "已向您致歉，三个工作日内给出处理结果", None)
    with clock.hold(opened_at + timedelta(days=1, hours=3)):
        upheld = draw.choice(("full", "partly", "no"))
        measures = "企业已道歉并补做" if upheld != "no" else "核对签到和照片后未发现问题"
        await complaints.decide(
            tx, stage.supervisor, complaint_id, upheld=upheld, measures=measures, rework=False, version=None
        )


async def settle(tx: Tx, clerk: Caller, approver: Caller, stage: Stage, period: str, at: datetime) -> None:
    """Settle a month: most statements are paid, one is disputed, one waits for its provider."""
    with clock.hold(at):
        await runs.settle(tx, clerk, period)
    for number, row in enumerate(await queries.statements_of_period(tx, period, None)):
        await _settle_one(tx, clerk, approver, stage, row, number, at)


async def _settle_one(
    tx: Tx, clerk: Caller, approver: Caller, stage: Stage, row: Any, number: int, at: datetime
) -> None:
    statement_id, provider_id = row["id"], row["provider_id"]
    company = stage.provider(provider_id)
    with clock.hold(at):
        await statements.issue(tx, clerk, statement_id)
    if number == 0:
        return
    with clock.hold(at + timedelta(hours=5)):
        if number == 1:
            line = (await queries.lines(tx, statement_id))[0]
            objection = statements.Objection(line["id"], "实际服务时间更长，有照片为证")
            await statements.dispute(tx, company, statement_id, [objection])
            return
        await statements.confirm(tx, company, statement_id)
        await statements.review(tx, clerk, statement_id)
        if number == 2:
            return
        await statements.approve(tx, approver, statement_id)
        await statements.pay(tx, approver, statement_id, f"演示付款-{number:03d}")
