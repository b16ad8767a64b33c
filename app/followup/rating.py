"""Somebody rates an order: the first word counts, a bad one opens a complaint."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller
from app.core.ids import new_id
from app.followup import complaints, queries
from app.followup.events import FollowupClosed, RatingRecorded
from app.orders import notes
from app.orders import service as orders
from app.orders.lifecycle import Status, blocking_flag
from app.orders.queries import OrderRow
from app.providers import service as providers

DISSATISFIED = 2
"""A score of this or less is a complaint, whatever else was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody said. `source` is call or family; a call may end without a score."""

    source: str
    score: int | None
    solved: bool | None = None
    tags: list[str] = field(default_factory=list)
    comment: str | None = None
    remedy: str = "complaint"

    @property
    def bad(self) -> bool:
        return self.solved is False or (self.score is not None and self.score <= DISSATISFIED)

    @property
    def grievance(self) -> str:
        return "not_solved" if self.solved is False else "dissatisfied"


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a word."""

    rating_id: UUID | None
    counts: bool
    complaint_id: UUID | None


async def hear(tx: Tx, caller: Caller, order: OrderRow, word: Word, *, closes_as: str) -> Heard:
    """Take down a word about a locked order and close its follow-up as `closes_as`.

    A family's score closes the follow-up too, except where the work was not or only partly done: there the
    centre still wants to hear what happened. Raises Conflict before the visit is over.
    """
    if order.completed_at is None or order.provider_id is None:
        raise Conflict("order_not_completed", "the visit is not over yet", status=order.status)
    now = clock.now()
    standing = await queries.standing(tx, order.id, word.source)
    counts = word.score is not None and not standing.rated
    closes = standing.followup_status != "closed" and (closes_as == "reached" or order.outcome == "done")
    if closes and standing.followup_id is not None:
        await queries.close_open(tx, standing.followup_id, closes_as, word.solved, now)
    moved = await close_order(tx, order, caller.actor, rating=word.score if counts else None) if closes else None
    rating_id = await _keep(tx, caller, order, word, standing, now) if word.score is not None else None
    if counts:
        assert word.score is not None and rating_id is not None  # noqa: S101, PT018 (that is what counts means)
        if moved is None:
            await notes.keep_rating(tx, order.id, word.score)
        await _tell(tx, order, word, rating_id, now)
    if closes:
        await tx.publish(FollowupClosed(order_id=order.id, outcome=closes_as, at=now))
    complaint_id = standing.complaint_id
    if word.bad:
        complaint_id = await complaints.from_word(
            tx, caller, order, standing.complaint_id, source=word.source, reason_code=word.grievance,
            detail=word.comment, rating_id=rating_id, rework=word.remedy == "rework",
        )  # fmt: skip
    return Heard(rating_id, counts, complaint_id)


async def close_order(tx: Tx, order: OrderRow, actor: str, rating: int | None = None) -> OrderRow | None:
    """completed → closed, unless a flag holds the order; None when it did not move."""
    if Status(order.status) is not Status.COMPLETED or blocking_flag(order.flags, Status.CLOSED):
        return None
    changes: dict[str, Any] = {} if rating is None else {"rating": rating}
    return await orders.advance(tx, order, Status.CLOSED, actor=actor, **changes)


async def _keep(tx: Tx, caller: Caller, order: OrderRow, word: Word, standing: queries.Standing, now: datetime) -> UUID:
    rating_id = new_id()
    comment = tx.vault.seal("rating.comment", rating_id, word.comment) if word.comment else None
    await queries.add_rating(
        tx, rating_id, order.id, order.provider_id, order.caregiver_id, word.source, word.score, word.solved,
        word.tags, comment, not standing.rated, not standing.heard, caller.actor, now,
    )  # fmt: skip
    return rating_id


async def _tell(tx: Tx, order: OrderRow, word: Word, rating_id: UUID, now: datetime) -> None:
    assert order.provider_id is not None and word.score is not None  # noqa: S101, PT018 (hear() has checked)
    if order.caregiver_id is not None:
        await providers.record_rating(tx, order.provider_id, order.caregiver_id, word.score)
    recorded = RatingRecorded(
        rating_id=rating_id, order_id=order.id, provider_id=order.provider_id, caregiver_id=order.caregiver_id,
        score=word.score, source=word.source, at=now,
    )  # fmt: skip
    await tx.publish(recorded)
