"""Corrections of what has been settled: never an edit, always a line of the next open period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import SYSTEM, Caller
from app.core.ids import new_id
from app.core.money import split
from app.settlement import calculation, lines, periods, queries, queries_runs, runs
from app.settlement.calculation import CARRIED, FAMILY, HOLDBACK, LineAmounts, PartAmounts
from app.settlement.inputs import LineInputs
from app.settlement.lifecycle import CLOSED, Status


async def adjust(tx: Tx, caller: Caller, statement: Any, line_id: UUID, amount_fen: int, reason: str) -> UUID:
    """Pay more (or less) for a service line of a closed statement; returns the adjustment's id.

    The agencies share the amount: never more than the service was worth to each of them, never less than nothing.
    Raises NotFound, Conflict for a statement that is still a draft, Invalid outside those bounds with the bounds.
    """
    if Status(statement["status"]) not in CLOSED:
        raise Conflict("statement_state", "a draft is computed again, not adjusted", status=statement["status"])
    line = await _service_line(tx, statement["id"], line_id)
    parts = await _shared(tx, line, amount_fen)
    adjustment_id = new_id()
    source = ("manual", str(adjustment_id))
    await _add(tx, caller, statement, source, parts, reason, line["order_id"], adjustment_id)
    await audit.record(tx, caller, "settlement.adjust", "statement", statement["id"], ["amount_fen"], reason)
    return adjustment_id


async def release_holdback(tx: Tx, caller: Caller, statement: Any, amount_fen: int | None, reason: str) -> UUID:
    """Pay out what a statement held back, or part of it, once. Returns the adjustment's id.

    Raises Conflict when nothing is held back or it was released before, Invalid for more than was held back.
    """
    if Status(statement["status"]) not in CLOSED or statement["holdback_fen"] <= 0:
        raise Conflict("nothing_held_back", "this statement holds nothing back")
    amount = statement["holdback_fen"] if amount_fen is None else amount_fen
    if not 0 < amount <= statement["holdback_fen"]:
        raise Invalid("amount_out_of_range", "from 1 fen to what was held back", field="amount_fen",
                      most_fen=statement["holdback_fen"])  # fmt: skip
    part = PartAmounts(HOLDBACK, None, 0, amount, 0)
    adjustment_id = new_id()
    if not await _add(tx, caller, statement, ("holdback", str(statement["id"])), [part], reason, None, adjustment_id):
        raise Conflict("holdback_released", "what this statement held back has been released before")
    await audit.record(tx, caller, "settlement.release_holdback", "statement", statement["id"], ["amount_fen"], reason)
    return adjustment_id


async def after_dispute(tx: Tx, caller: Caller, statement: Any, dispute: Any, amount_fen: int, note: str) -> None:
    """What a decided objection still needs: the held amount, if the statement was paid without it, and the change."""
    parts: list[PartAmounts] = []
    if amount_fen:
        parts += await _shared(tx, await _service_line(tx, statement["id"], dispute["line_id"]), amount_fen)
    if statement["status"] == Status.PAID and dispute["held_fen"]:
        parts.append(PartAmounts(CARRIED, None, 0, dispute["held_fen"], 0))
    if parts:
        await _add(tx, caller, statement, ("dispute", str(dispute["id"])), parts, note, dispute["order_id"])


async def carry(tx: Tx, caller: Caller, statement: Any, amount_fen: int) -> None:
    """Bring an amount below zero forward: the provider owes it and pays with its next statement."""
    if amount_fen:
        part = PartAmounts(CARRIED, None, 0, amount_fen, 0)
        reason = f"{statement['number']} 结转"
        await _add(tx, caller, statement, ("carried", str(statement["id"])), [part], reason, None)


async def rejudge(tx: Tx, order_id: UUID, source: tuple[str, str], reason: str) -> bool:
    """Adjust a settled order to what is known of its quality now; `source` does so once.

    Nothing happens while the order is not on an issued statement: the next run sees the same facts by itself.
    """
    line = await queries.settled_line(tx, order_id)
    if line is None or Status(line["status"]) not in CLOSED:
        return False
    frozen = LineInputs.from_json(line["inputs"])
    terms = (await runs.load_terms(tx, {UUID(frozen.contract_id)}))[UUID(frozen.contract_id)]
    now = (await queries_runs.candidates(tx, [order_id]))[order_id]
    judged = lines.rejudged(frozen, terms, now["rating"], now["complaint_upheld"])
    # Only what quality explains: corrections by hand stay as they are, and nobody pays beyond the service's value.
    wanted = calculation.difference(calculation.line(judged), await _paid(tx, line, ("rating", "complaint")))
    parts = _bounded(wanted, await _paid(tx, line))
    if not parts:
        return False
    statement = {"provider_id": line["provider_id"], "period": line["period"]}
    return await _add(tx, SYSTEM, statement, source, parts, reason, order_id)


async def _paid(tx: Tx, line: Any, kinds: tuple[str, ...] | None = None) -> list[LineAmounts]:
    """The line's amounts and those of its adjustments so far (of some kinds)."""
    earlier = [row for row in await queries.adjustments_of(tx, line["order_id"])
               if kinds is None or row["source_kind"] in kinds]  # fmt: skip
    return [_amounts(line), *(calculation.adjustment(lines.adjustment_inputs(row)) for row in earlier)]


def _bounded(wanted: Sequence[PartAmounts], paid: list[LineAmounts]) -> list[PartAmounts]:
    bounded = []
    for part in wanted:
        up, down = _room(part, paid, True), _room(part, paid, False)
        # What goes down together with its holdback may go down by both.
        fen = max(part.holdback_fen - down, min(up, part.payable_fen))
        if fen or part.holdback_fen:
            bounded.append(replace(part, payable_fen=fen))
    return bounded


async def _shared(tx: Tx, line: Any, amount_fen: int) -> list[PartAmounts]:
    """Divide an amount among the agencies of a line by the room that each has left."""
    paid = await _paid(tx, line)
    original = [part for part in paid[0].parts if part.payer != FAMILY]
    room = [_room(part, paid, amount_fen > 0) for part in original]
    if amount_fen == 0 or abs(amount_fen) > sum(room):
        bound = {"most_fen": sum(room)} if amount_fen > 0 else {"least_fen": -sum(room)}
        raise Invalid("amount_out_of_range", "more than this line leaves room for", field="amount_fen", **bound)
    sign = 1 if amount_fen > 0 else -1
    shares = split(abs(amount_fen), room)
    return [
        PartAmounts(part.payer, part.scheme, 0, sign * fen, 0)
        for part, fen in zip(original, shares, strict=True)
        if fen
    ]


def _room(part: PartAmounts, paid: Sequence[LineAmounts], upward: bool) -> int:
    """What a payer may still pay more: up to the value of the service; or less: down to the holdback.

    `paid` is the line followed by its adjustments.
    """
    own = [p for amounts in paid for p in amounts.parts if (p.payer, p.scheme) == (part.payer, part.scheme)]
    payable, held = sum(p.payable_fen for p in own), sum(p.holdback_fen for p in own)
    return max(0, sum(p.gross_fen for p in own) - payable if upward else payable - held)


def _amounts(line: Any) -> LineAmounts:
    fields = {name: line[name] for name in queries.AMOUNTS}
    return LineAmounts(**fields, parts=tuple(PartAmounts(**part) for part in line["parts"]))


async def _service_line(tx: Tx, statement_id: UUID, line_id: UUID) -> Any:
    line = await queries.line(tx, statement_id, line_id)
    if line is None:
        raise NotFound("line_not_found", "this statement has no such line")
    if line["kind"] != LineInputs.kind:
        raise Invalid("not_a_service_line", "only services are adjusted", field="line_id")
    return line


async def _add(
    tx: Tx,
    caller: Caller,
    statement: Any,
    source: tuple[str, str],
    parts: Sequence[PartAmounts],
    reason: str,
    order_id: UUID | None,
    adjustment_id: UUID | None = None,
) -> bool:
    now = clock.now()
    closed = await queries.newest_closed_period(tx, statement["provider_id"])
    values = {
        "id": adjustment_id or new_id(),
        "provider_id": statement["provider_id"],
        "order_id": order_id,
        "target_period": periods.next_open(now, closed, statement["period"]),
        "source_kind": source[0],
        "source_id": source[1],
        "amount_fen": sum(part.payable_fen for part in parts),
        "parts": queries.adjusted_parts(parts),
        "reason": reason,
        "created_by": caller.actor,
        "created_at": now,
    }
    return await queries.add_adjustment(tx, values)
