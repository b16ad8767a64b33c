"""Running the settlement of a month: a set of orders and adjustments in, drafts out, the same again each time.

A run is one SERIALIZABLE transaction under a lock on its period. Killed, it leaves nothing; repeated, it finds
its drafts, computes them again and writes only what is different. Issued statements are never touched: what
became eligible after that goes into the next period's statement as a late line.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.accounts.scope import sees
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Forbidden, NotFound, Unavailable
from app.core.http import Caller
from app.core.ids import new_id
from app.core.sqlstate import is_retryable
from app.settlement import calculation, contracts, lines, periods, queries, queries_runs
from app.settlement.calculation import Totals
from app.settlement.contracts import Terms
from app.settlement.lifecycle import Act, Status, after
from app.settlement.lines import Line

LOST_RACES = 5
WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Draft:
    """What a statement would say."""

    provider_id: UUID
    division_code: str
    lines: tuple[Line, ...]
    totals: Totals
    content_hash: bytes


async def run(database: Database, caller: Caller, period: str, provider_id: UUID | None = None) -> UUID:
    """Settle a period, for one provider or all; returns the run's id.

    Waits up to WAIT_SECONDS for another run of the same period. Raises Unavailable after that, Invalid for a
    period that is no month, Forbidden when a contract lies outside the caller's divisions.
    """
    periods.bounds(period)
    deadline, lost = time.monotonic() + WAIT_SECONDS, 0
    while lost < LOST_RACES and time.monotonic() < deadline:
        try:
            async with database.serializable() as tx:
                await queries_runs.take_time(tx)
                if await queries_runs.try_lock(tx, period):
                    return await settle(tx, caller, period, provider_id)
        except Exception as failure:
            if not is_retryable(failure):
                raise
            lost += 1
        await asyncio.sleep(random.uniform(0.02, 0.1))  # noqa: S311 (jitter, not a secret)
    raise Unavailable("run_in_progress", "another run of this period is still at work", retry_after_s=10)


async def settle(tx: Tx, caller: Caller, period: str, provider_id: UUID | None = None) -> UUID:
    """The run itself, inside a SERIALIZABLE transaction that holds the period's lock."""
    now = clock.now()
    drafts = await compute(tx, caller, period, provider_id)
    statements = {row["provider_id"]: row for row in await queries.statements_of_period(tx, period, provider_id)}
    number = await queries.numbered(tx, period)
    for draft in drafts:
        existing = statements.get(draft.provider_id)
        if existing is None:
            number += 1
            await _insert(tx, caller, period, number, draft)
        elif _differs(existing, draft):
            await _refresh(tx, caller, existing["id"], Status.DRAFT, draft)
    for gone in statements.keys() - {draft.provider_id for draft in drafts}:
        if statements[gone]["status"] == Status.DRAFT:
            await _refresh(tx, caller, statements[gone]["id"], after(Status.DRAFT, Act.EMPTY), _empty(gone, period))
    hashes = [bytes(s["content_hash"]) for s in await queries.statements_of_period(tx, period, provider_id)]
    combined = hashlib.sha256(b"".join(hashes)).digest()
    return await queries_runs.put_run(tx, new_id(), period, provider_id, caller.actor, now, combined)


async def compute(tx: Tx, caller: Caller, period: str, provider_id: UUID | None) -> list[Draft]:
    """What the statements of the period would be now, without those already issued, by provider id."""
    start, end = periods.bounds(period)
    rows = await queries_runs.eligible(tx, period, periods.oldest_start(period), start, end, provider_id)
    terms = await load_terms(tx, {row["contract_id"] for row in rows})
    if any(not sees(caller, entry.division_code) for entry in terms.values()):
        raise Forbidden("outside_scope", "some of these contracts are outside your divisions")
    waiting = await queries_runs.open_adjustments(tx, period, provider_id)
    idle = {row["provider_id"] for row in waiting} - {row["provider_id"] for row in rows}
    homes = {provider: [c["division_code"] for c in await queries_runs.contracts_of(tx, provider)] for provider in idle}
    # A hundred thousand lines take seconds of arithmetic, which must not stop the other requests of this process.
    return await asyncio.to_thread(_drafts, period, rows, waiting, terms, homes)


async def load_terms(tx: Tx, contract_ids: set[UUID]) -> dict[UUID, Terms]:
    return {row["id"]: contracts.terms_of(row) for row in await queries_runs.contracts(tx, contract_ids)}


async def seen_run(tx: Tx, caller: Caller, run_id: UUID) -> Any:
    """The run. Raises NotFound, also for a caller without any division."""
    row = await queries_runs.run(tx, run_id)
    if row is None or not (caller.divisions or caller.kind == "system"):
        raise NotFound("settlement_run_not_found")
    return row


def _drafts(
    period: str, rows: list[Any], waiting: list[Any], terms: dict[UUID, Terms], homes: dict[UUID, list[str]]
) -> list[Draft]:
    """Pure: the drafts by provider. `homes` are the contracts' divisions of providers that only have adjustments."""
    made: dict[UUID, list[Line]] = defaultdict(list)
    divisions: dict[UUID, set[str]] = defaultdict(set, {provider: set(codes) for provider, codes in homes.items()})
    for row in rows:
        made[row["provider_id"]].append(lines.service_line(row, terms[row["contract_id"]]))
        divisions[row["provider_id"]].add(terms[row["contract_id"]].division_code)
    for row in waiting:
        made[row["provider_id"]].append(lines.adjustment_line(row, period))
    return [_draft(provider, period, made[provider], divisions[provider]) for provider in sorted(made)]


def _draft(provider_id: UUID, period: str, made: list[Line], divisions: set[str]) -> Draft:
    ordered = tuple(sorted(made, key=lambda line: line.inputs.position))
    content = calculation.content(str(provider_id), period, [(line.inputs, line.amounts) for line in ordered])
    totals = calculation.totals([(line.inputs.kind, line.amounts) for line in ordered])
    division = contracts.common_division(sorted(divisions)) if divisions else "000000"
    return Draft(provider_id, division, ordered, totals, calculation.digest(content))


def _empty(provider_id: UUID, period: str) -> Draft:
    return _draft(provider_id, period, [], set())


def _differs(existing: Any, draft: Draft) -> bool:
    return existing["status"] == Status.DRAFT and (
        bytes(existing["content_hash"]) != draft.content_hash or existing["division_code"] != draft.division_code
    )


async def _insert(tx: Tx, caller: Caller, period: str, number: int, draft: Draft) -> None:
    statement_id = new_id()
    name = f"JS{period.replace('-', '')}-{number:04d}"
    head = [statement_id, name, draft.provider_id, period, draft.division_code, draft.content_hash, caller.actor]
    await queries.insert_statement(tx, [*head, clock.now()], draft.totals)
    await _insert_lines(tx, statement_id, draft)


async def _refresh(tx: Tx, caller: Caller, statement_id: UUID, status: Status, draft: Draft) -> None:
    head = [statement_id, draft.division_code, draft.content_hash, caller.actor, clock.now(), status]
    await queries.refresh_statement(tx, head, draft.totals)
    await queries.drop_lines(tx, statement_id)
    await _insert_lines(tx, statement_id, draft)


async def _insert_lines(tx: Tx, statement_id: UUID, draft: Draft) -> None:
    await queries.insert_lines(
        tx, statement_id, [(new_id(), line.service_period, line.inputs, line.amounts) for line in draft.lines]
    )
