"""Verbs of benefits: what would be paid by whom, and the quota behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.benefits import queries, waterfall
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.regions import divisions

FAMILY = "family"

WARNINGS = {
    waterfall.NO_ASSESSMENT: "没有有效的能力评估，政府购买服务不予支付，费用由家庭承担",
    waterfall.QUOTA_GONE: "本月政府购买服务额度已用完，费用由家庭承担",
    waterfall.QUOTA_LOW: "本月政府购买服务额度不足，差额由家庭承担",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What one payer pays, and why that much. The family's part has no scheme."""

    payer: str
    scheme_id: UUID | None
    scheme_code: str | None
    amount_fen: int
    reason: str
    entitlement_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """The parts in paying order; they add up to the price, none is negative, the family's is last.

    `quota_after_fen` is what remains of the elder's quotas this month; None when there are none.
    """

    parts: tuple[Part, ...]
    copay_fen: int
    quota_after_fen: int | None
    warnings: tuple[str, ...]


async def quote(tx: Tx, elder_id: UUID, item_code: str, amount_fen: int, day: date) -> Split:
    """Who would pay `amount_fen` for this item on this service day. Reserves nothing. Raises NotFound."""
    rows = await queries.quote(tx, elder_id, day, first_of_month(day))
    if not rows:
        raise NotFound("elder_not_found", "there is no such elder")
    schemes = [row for row in rows if row["scheme_id"] is not None]
    sources = [waterfall.Source(row["share_bp"], row["left_fen"], _refusal(row, item_code, day)) for row in schemes]
    shares, rest = waterfall.divide(amount_fen, sources)
    parts = [
        Part(row["payer"], row["scheme_id"], row["code"], share.amount_fen, share.reason, row["entitlement_id"])
        for row, share in zip(schemes, shares, strict=True)
        if share.reason != waterfall.NOT_COVERED
    ]
    refusals = [part.reason for part in parts if part.reason != waterfall.FULL]
    parts.append(Part(FAMILY, None, None, rest, _why_family(schemes, parts)))
    usable = [
        max(row["left_fen"], 0) - share.amount_fen
        for row, share, source in zip(schemes, shares, sources, strict=True)
        if source.refusal is None
    ]
    warnings = tuple(dict.fromkeys(WARNINGS[reason] for reason in refusals if reason in WARNINGS))
    return Split(tuple(parts), rest, sum(usable) if usable else None, warnings)


async def reserve(tx: Tx, order_id: UUID, split: Split, day: date) -> None:
    """Set the quota aside that `split` counts on, in the month of the service day.

    Raises Conflict when another order took it since the quote; the transaction must then be rolled back.
    """
    for part in split.parts:
        if part.entitlement_id is None or part.amount_fen == 0:
            continue
        month = first_of_month(day)
        left = await queries.reserve(tx, part.entitlement_id, month, part.amount_fen, order_id, clock.now())
        if left is None:
            remaining = await queries.left(tx, part.entitlement_id, month)
            raise Conflict("quota_gone", "the quota was used by another order", quota_left_fen=remaining)


async def release(tx: Tx, order_id: UUID) -> None:
    """Give back what the order reserved; nothing happens when that was done or it has been consumed."""
    await queries.release(tx, order_id, clock.now())


async def consume(tx: Tx, order_id: UUID, amount_fen_by_scheme: Mapping[UUID, int]) -> None:
    """Turn the order's reservations into consumption; what was reserved beyond that goes back to the month.

    A scheme with a reservation and no amount consumes nothing. The same call again changes nothing. Raises Conflict
    when more is consumed than was reserved, or the reservation was released or consumed otherwise before.
    """
    moved = await queries.movements(tx, order_id)
    reserved = {row["scheme_id"]: row for row in moved if row["kind"] == "reserve"}
    wanted = {scheme_id: fen for scheme_id, fen in amount_fen_by_scheme.items() if fen or scheme_id in reserved}
    for scheme_id, fen in wanted.items():
        if scheme_id not in reserved or not 0 <= fen <= reserved[scheme_id]["amount_fen"]:
            raise Conflict("consumes_more_than_reserved", "no scheme pays more than it reserved for the order")
    used = {row["entitlement_id"]: wanted.get(scheme_id, 0) for scheme_id, row in reserved.items()}
    closed = await queries.consume(tx, order_id, used, clock.now()) if used else 0
    if closed < len(used):
        now_moved = await queries.movements(tx, order_id)
        consumed = {row["entitlement_id"]: row["amount_fen"] for row in now_moved if row["kind"] == "consume"}
        if consumed != used:
            raise Conflict("reservation_closed", "the reservation was released or consumed before")


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def _refusal(row: Any, item_code: str, day: date) -> str | None:
    if item_code not in row["item_codes"] or not divisions.covers(row["division_code"], row["elder_division"]):
        return waterfall.NOT_COVERED
    if row["elder_status"] != "active":
        return waterfall.NO_ENTITLEMENT
    if row["requires_assessment"] and (row["assessed_until"] is None or row["assessed_until"] < day):
        return waterfall.NO_ASSESSMENT
    return None


def _why_family(schemes: list[Any], parts: list[Part]) -> str:
    """One reason for the family's part: what stopped the others, else that it is the rest."""
    if not schemes:
        return waterfall.NO_ENTITLEMENT
    if not parts:
        return waterfall.NOT_COVERED
    stopped = [part.reason for part in parts if part.reason != waterfall.FULL]
    return stopped[0] if stopped else waterfall.REST
