"""Following up: plan a call for a finished order, call, give up, let pass.

Locks are always taken order first, follow-up second.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from app.accounts import links, scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.http import SYSTEM, Caller, check_version
from app.core.json import dumps
from app.followup import figures, queries, rating
from app.followup.calling import Answer, is_quiet, next_call, outcome_after
from app.followup.events import FollowupClosed
from app.followup.rating import Heard, Word
from app.followup.schemas import Attempt, FamilyRating
from app.followup.selection import Selection, select
from app.messaging.quiet_hours import next_open
from app.orders import service as orders
from app.orders.lifecycle import COMPLAINT
from app.orders.queries import OrderRow
from app.visits.events import ServiceCompleted

FAMILY_LINK = "family_order"
"""Purpose of the signed link that shows a family one order."""


async def plan(tx: Tx, done: ServiceCompleted) -> None:
    """Decide whether a finished order is called, and when at the latest. Planning twice changes nothing."""
    now = clock.now()
    rule = await figures.rule(tx, done.division_code, done.urgency, now)
    facts = await queries.circumstances(tx, done.order_id, done.elder_id, done.provider_id)
    drawn = select(
        done.order_id,
        rule,
        outcome=done.outcome,
        first_visit=facts["first_visit"],
        open_complaint=facts["open_complaint"],
    )
    passes_at = now + timedelta(hours=rule.pass_hours)
    watching = drawn.selection is Selection.NOT_SAMPLED
    await queries.plan(
        tx, done.order_id, done.elder_id, done.provider_id, done.division_code, done.urgency, drawn.selection.value,
        drawn.because, "watching" if watching else "due", facts["due_at"] or passes_at,
        None if watching else next_open(now), passes_at if watching else None, rule.max_attempts, now,
    )  # fmt: skip


async def attempt(tx: Tx, caller: Caller, followup_id: UUID, made: Attempt, version: int | None = None) -> Heard:
    """Write down one call of the centre and draw the consequences.

    Raises NotFound out of scope, Forbidden("own_order") for whoever took the order, Stale, Conflict when the
    follow-up is closed. A call in the quiet hours has happened, so it is written down, marked.
    """
    row = await queries.one(tx, followup_id)
    if row is None:
        raise NotFound("followup_not_found")
    scope.see(caller, row["division_code"])
    if caller.actor in {row["placed_by"], row["taken_by"]}:
        raise Forbidden("own_order", "whoever took the order does not ask how it went")
    order = await orders.locked(tx, row["order_id"])
    current = await queries.lock(tx, followup_id)
    check_version(version, current["version"])
    if current["status"] == "closed":
        raise Conflict("followup_closed", "this follow-up is over", outcome=row["outcome"])
    now, number = clock.now(), current["attempts"] + 1
    await _keep_attempt(tx, caller, followup_id, number, made, now)
    outcome = outcome_after(made.outcome, number, row["max_attempts"])
    again_at = next_call(now) if outcome is None else None
    await queries.tried(tx, followup_id, number, again_at, made.solved)
    if made.outcome is Answer.REACHED:
        word = Word(source="call", score=made.score, solved=made.solved, comment=made.note, remedy=made.remedy)
        return await rating.hear(tx, caller, order, word, closes_as="reached")
    if outcome is not None:
        await _close(tx, order, followup_id, outcome, caller.actor, now)
    return Heard(None, counts=False, complaint_id=None)


async def rate_as_family(tx: Tx, caller: Caller, order_id: UUID, given: FamilyRating) -> Heard:
    """A family's word through its link. The first word of an order counts, later ones are kept as history."""
    order = await orders.locked(tx, order_id)
    word = Word(source="family", score=given.score, solved=given.solved, tags=given.tags, comment=given.comment)
    return await rating.hear(tx, caller, order, word, closes_as="rated")


async def rate_by_link(tx: Tx, token: str, given: FamilyRating) -> Heard:
    """`rate_as_family` of the order the link leads to. Raises NotFound for a link that leads nowhere."""
    order_id = await links.resolve(tx, token, FAMILY_LINK)
    # The link is the proof; who of the family holds it is not known.
    return await rate_as_family(tx, Caller(kind="family", id=f"link-{order_id}", name="家属"), order_id, given)


async def let_pass(tx: Tx, order_id: UUID) -> bool:
    """Close a follow-up that nobody drew and nobody rated, unless a complaint is open: then somebody calls.

    Returns whether it passed.
    """
    order = await orders.locked(tx, order_id)
    row, now = await queries.of_order(tx, order_id), clock.now()
    if row is None or row["status"] != "watching" or row["passes_at"] > now:
        return False
    if COMPLAINT in order.flags:
        await queries.call_after_all(tx, row["id"], "open_complaint", next_open(now))
        return False
    await _close(tx, order, row["id"], "passed", SYSTEM.actor, now)
    return True


async def close_if_followed_up(tx: Tx, order_id: UUID, actor: str) -> None:
    """Close a completed order whose follow-up ended while a flag held it."""
    order = await orders.locked(tx, order_id)
    row = await queries.of_order(tx, order_id)
    if row is not None and row["status"] == "closed":
        await rating.close_order(tx, order, actor)


async def _close(tx: Tx, order: OrderRow, followup_id: UUID, outcome: str, actor: str, now: datetime) -> None:
    if await queries.close(tx, followup_id, outcome, None, now):
        await rating.close_order(tx, order, actor)
        await tx.publish(FollowupClosed(order_id=order.id, outcome=outcome, at=now))


async def _keep_attempt(tx: Tx, caller: Caller, followup_id: UUID, number: int, made: Attempt, now: datetime) -> None:
    row_id = f"{followup_id}:{number}"
    answers = dumps([answer.model_dump() for answer in made.answers]) if made.answers else None
    await queries.add_attempt(
        tx, followup_id, number, now, caller.actor, made.outcome.value, is_quiet(now), made.solved, made.score,
        tx.vault.seal("followup_attempt.answers", row_id, answers) if answers else None,
        tx.vault.seal("followup_attempt.note", row_id, made.note) if made.note else None,
    )  # fmt: skip
