"""The life of a statement after it was computed: issue, answer, review, approve, pay.

Every verb locks the statement, asks the table of states, writes, and leaves an audit row. Numbers are not
touched any more: a draft that no longer says what is true has to be computed again before it can be issued.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.accounts.scope import sees
from app.benefits import service as benefits
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.jobs import feed
from app.settlement import adjustments, calculation, ledger, lines, periods, queries, queries_ledger, queries_runs, runs
from app.settlement.calculation import FAMILY, PartAmounts
from app.settlement.contracts import Terms
from app.settlement.inputs import AdjustmentInputs, LineInputs, read
from app.settlement.lifecycle import Act, Status, after


@dataclass(frozen=True, slots=True)
class Objection:
    """What a provider says about a line; `evidence` are ids of uploads or addresses of documents."""

    line_id: UUID
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recomputation:
    """The statement computed again from its frozen inputs. `differing` are line ids whose amounts differ."""

    content: bytes
    content_hash: bytes
    stored_hash: bytes
    differing: tuple[UUID, ...]

    @property
    def same(self) -> bool:
        return self.content_hash == self.stored_hash and not self.differing


async def seen(tx: Tx, caller: Caller, statement_id: UUID, *, lock: bool = False) -> Any:
    """The statement, for staff who cover its division and for its own provider. Raises NotFound."""
    row = await queries.statement(tx, statement_id, lock=lock)
    if row is None or not _may_see(caller, row):
        raise NotFound("statement_not_found")
    return row


def _may_see(caller: Caller, row: Any) -> bool:
    if caller.kind == "provider":
        own = caller.provider_id is not None and row["provider_id"] == caller.provider_id
        return own and row["status"] not in (Status.DRAFT, Status.VOID)
    return sees(caller, row["division_code"])


async def issue(tx: Tx, caller: Caller, statement_id: UUID, *, version: int | None = None, early: bool = False) -> None:
    """Fix the numbers: the quota is consumed, the ledger written, the provider told.

    Raises Conflict `period_not_over` before the month has ended (unless `early`), `statement_outdated` when the
    orders would give other lines now.
    """
    await queries_runs.take_time(tx)
    row, to = await _begin(tx, caller, statement_id, Act.ISSUE, version)
    now = clock.now()
    if not early and now < periods.bounds(row["period"])[1]:
        raise Conflict("period_not_over", "the month has not ended; more services may follow")
    found = await queries.lines(tx, statement_id)
    terms = await _check_current(tx, found)
    await _consume(tx, found)
    await ledger.post_lines(tx, row, found, now)
    days = max((entry.confirm_days for entry in terms.values()), default=0)
    changes = {"issued_by": caller.actor, "issued_at": now, "confirm_by": now + timedelta(days=days)}
    await _finish(tx, caller, row, to, Act.ISSUE, **changes)


async def confirm(tx: Tx, caller: Caller, statement_id: UUID, *, version: int | None = None) -> None:
    """The provider agrees with every line."""
    row, to = await _begin(tx, caller, statement_id, Act.CONFIRM, version)
    await _finish(tx, caller, row, to, Act.CONFIRM, confirmed_by=caller.actor, confirmed_at=clock.now())


async def dispute(
    tx: Tx, caller: Caller, statement_id: UUID, objections: list[Objection], *, version: int | None = None
) -> None:
    """The provider objects to lines. What they would pay is left out of the payment until somebody decides.

    Raises NotFound for a line of another statement, Conflict for one objected to before.
    """
    row, to = await _begin(tx, caller, statement_id, Act.DISPUTE, version)
    found = {line["id"]: line for line in await queries.lines(tx, statement_id)}
    now = clock.now()
    if len({entry.line_id for entry in objections}) != len(objections):
        raise Invalid("line_twice", "a line is named twice", field="lines")
    for entry in objections:
        line = found.get(entry.line_id)
        if line is None:
            raise NotFound("line_not_found", "this statement has no such line")
        if line["dispute_id"] is not None:
            raise Conflict("line_already_disputed", "there is an objection to this line already")
        await queries.add_dispute(tx, new_id(), row["id"], line, entry.reason, list(entry.evidence), caller.actor, now)
    await _finish(tx, caller, row, to, Act.DISPUTE)


async def decide(
    tx: Tx, caller: Caller, statement_id: UUID, dispute_id: UUID, *, upheld: bool, amount_fen: int, note: str
) -> None:
    """Decide an objection. `amount_fen` is what an upheld one changes about the line, signed.

    The line is paid with the statement; when that is paid already, what was held back is carried forward. A change
    is an adjustment of the next open period either way. Raises NotFound, Conflict when decided before.
    """
    row = await seen(tx, caller, statement_id, lock=True)
    entry = await queries.dispute(tx, statement_id, dispute_id)
    if entry is None:
        raise NotFound("dispute_not_found")
    if entry["decision"] is not None:
        raise Conflict("dispute_decided", "this objection has been decided", decision=entry["decision"])
    if amount_fen and not upheld:
        raise Invalid("amount_without_cause", "a rejected objection changes nothing", field="amount_fen")
    decision = "upheld" if upheld else "rejected"
    await queries.decide_dispute(tx, dispute_id, decision, note, caller.actor, clock.now())
    await adjustments.after_dispute(tx, caller, row, entry, amount_fen, note)
    await audit.record(tx, caller, "settlement.decide_dispute", "statement", statement_id, ["decision"], note)


async def review(tx: Tx, caller: Caller, statement_id: UUID, *, version: int | None = None) -> None:
    """The clerk has looked. An unanswered statement only after the provider's time has passed."""
    row, to = await _begin(tx, caller, statement_id, Act.REVIEW, version)
    now = clock.now()
    if row["status"] == Status.ISSUED and now < row["confirm_by"]:
        raise Conflict("provider_has_time", "the provider may still answer", confirm_by=row["confirm_by"].isoformat())
    await _finish(tx, caller, row, to, Act.REVIEW, reviewed_by=caller.actor, reviewed_at=now)


async def approve(tx: Tx, caller: Caller, statement_id: UUID, *, version: int | None = None) -> None:
    """The second person. Raises Forbidden `same_person` for anybody who made, issued or reviewed it."""
    row, to = await _begin(tx, caller, statement_id, Act.APPROVE, version)
    if caller.actor in {row["created_by"], row["refreshed_by"], row["issued_by"], row["reviewed_by"]}:
        raise Forbidden("same_person", "who made or reviewed a statement does not approve it")
    await _finish(tx, caller, row, to, Act.APPROVE, approved_by=caller.actor, approved_at=clock.now())


async def pay(tx: Tx, caller: Caller, statement_id: UUID, reference: str, *, version: int | None = None) -> None:
    """Record the transfer: what is due without disputed lines. What falls below zero is carried forward."""
    row, to = await _begin(tx, caller, statement_id, Act.PAY, version)
    now = clock.now()
    payable = row["due_fen"] - row["held_fen"]
    paid = max(0, payable)
    await ledger.post_payment(tx, row, paid, now)
    changes = {"paid_by": caller.actor, "paid_at": now, "paid_fen": paid, "payment_reference": reference}
    await _finish(tx, caller, row, to, Act.PAY, **changes)
    await adjustments.carry(tx, caller, row, payable - paid)


async def recompute(tx: Tx, statement_id: UUID) -> Recomputation:
    """Compute a statement again from nothing but its lines' frozen inputs. Raises NotFound."""
    row = await queries.statement(tx, statement_id)
    if row is None:
        raise NotFound("statement_not_found")
    return await asyncio.to_thread(_recompute, row, await queries.lines(tx, statement_id))


def _recompute(row: Any, found: list[Any]) -> Recomputation:
    made, differing = [], []
    for line in found:
        inputs = _frozen(line)
        amounts = calculation.amounts(inputs)
        made.append((inputs, amounts))
        stored = {name: line[name] for name in queries.AMOUNTS} | {"parts": line["parts"]}
        if stored != calculation.amounts_json(amounts):
            differing.append(line["id"])
    content = calculation.content(str(row["provider_id"]), row["period"], made)
    return Recomputation(content, calculation.digest(content), bytes(row["content_hash"]), tuple(differing))


async def _begin(tx: Tx, caller: Caller, statement_id: UUID, act: Act, version: int | None) -> tuple[Any, Status]:
    row = await seen(tx, caller, statement_id, lock=True)
    check_version(version, row["version"])
    return row, after(Status(row["status"]), act)


async def _finish(tx: Tx, caller: Caller, row: Any, to: Status, act: Act, **changes: Any) -> None:
    await queries.move(tx, row["id"], to, **changes)
    await audit.record(tx, caller, f"settlement.{act}", "statement", row["id"], sorted(changes))
    facts = {"statement_id": str(row["id"]), "number": row["number"], "period": row["period"]}
    await feed.append(tx, f"provider:{row['provider_id']}", f"statement.{to}", facts=facts)


async def _check_current(tx: Tx, found: list[Any]) -> dict[UUID, Terms]:
    """Would the orders give the same lines now? Raises Conflict if not; returns the terms by contract id."""
    order_ids = [line["order_id"] for line in found if line["kind"] == LineInputs.kind]
    rows = await queries_runs.candidates(tx, order_ids)
    terms = await runs.load_terms(tx, {row["contract_id"] for row in rows.values() if row["contract_id"]})
    stale = await asyncio.to_thread(_outdated, found, rows, terms)
    if stale:
        raise Conflict("statement_outdated", "run the settlement again first", orders=stale[:20])
    return terms


def _outdated(found: list[Any], rows: dict[UUID, Any], terms: dict[UUID, Terms]) -> list[str]:
    """Pure: numbers of the orders whose lines would be different now."""
    stale = []
    for line in found:
        if line["kind"] != LineInputs.kind:
            continue
        row = rows.get(line["order_id"])
        if row is None or row["reasons"] or _frozen(line) != lines.service_line(row, terms[row["contract_id"]]).inputs:
            stale.append(line["inputs"]["number"])
    return stale


def _frozen(line: Any) -> LineInputs | AdjustmentInputs:
    return read(line["kind"], line["inputs"])


async def _consume(tx: Tx, found: list[Any]) -> None:
    """Consume each order's quota by the value of the service; what the minutes did not use is released."""
    codes = {part["scheme"] for line in found for part in line["parts"] if part["scheme"]}
    schemes = await queries_ledger.schemes(tx, codes)
    for line in found:
        if line["kind"] != LineInputs.kind:
            continue
        parts = [PartAmounts(**part) for part in line["parts"]]
        used = {schemes[p.scheme]["id"]: p.gross_fen for p in parts if p.payer != FAMILY and p.scheme in schemes}
        if used:
            await benefits.consume(tx, line["order_id"], used)
