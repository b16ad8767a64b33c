"""The rules and contracts behind the modes: read for an order, shown to the desk, added by a supervisor.

Neither is ever edited: another rule is a newer version, a contract can only end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.accounts import audit
from app.accounts.scope import see
from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.dispatch import queries_modes as queries
from app.dispatch.modes import ANY, Mode, Plan, contract_for, plan, rule_for
from app.orders.queries import OrderRow
from app.providers import service as providers
from app.regions.divisions import covers_any, lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContract:
    """What is agreed: one provider for a division, an item or "any", a scheme or "any"; both days included."""

    provider_id: UUID
    division_code: str
    item_code: str
    scheme_code: str
    contract_number: str
    valid_from: date
    valid_to: date | None


async def plan_for(tx: Tx, order: OrderRow, asked: Sequence[UUID]) -> Plan:
    """How this order goes out now, when the providers `asked` have had their chance."""
    rules = await tx.cache.get("dispatch.modes", lambda: _rules(tx))
    if not rules:
        return Plan(Mode.RANKED)
    places, today = lineage(order.division_code), clock.today()
    rule = rule_for(rules, places, order.item_code, order.urgency, today)
    if rule is None or rule.mode is not Mode.FIXED:
        return plan(rule, None, asked)
    schemes = {payer["scheme"] for payer in order.payers if payer["scheme"]}
    contracts = [queries.contract(row) for row in await tx.cache.get("dispatch.fixed", lambda: queries.contracts(tx))]
    return plan(rule, contract_for(contracts, places, order.item_code, schemes, today), asked)


async def add_rule(
    tx: Tx,
    caller: Caller,
    *,
    division_code: str,
    item_code: str,
    urgency: str,
    mode: Mode,
    breadth: int | None,
    valid_from: date,
    reason: str,
) -> int:
    """Put a rule in force from a day on; returns its version. Orders offered already are not touched.

    Raises NotFound for an unknown item or a division out of the caller's scope, Invalid for a breadth where nothing
    is grabbed or none where something is.
    """
    see(caller, division_code)
    if (mode is Mode.GRAB) != (breadth is not None):
        raise Invalid("breadth_misplaced", "breadth says how many may grab, and is for that alone", field="breadth")
    if item_code != ANY:
        await catalog.item(tx, item_code)
    values = (division_code, item_code, urgency, mode.value, breadth, valid_from, caller.actor, clock.now(), reason)
    version = await queries.add_rule(tx, values)
    tx.cache.clear()
    await audit.record(tx, caller, "dispatch.set_mode", "dispatch_mode", version, ["mode", "breadth"], reason)
    return version


async def rules_for(tx: Tx, caller: Caller, division_code: str) -> list[Any]:
    """Every version of the rules that may bear on this division, the newest first."""
    see(caller, division_code)
    places = lineage(division_code)
    return [row for row in reversed(await queries.rules(tx)) if row["division_code"] in places]


async def add_contract(tx: Tx, caller: Caller, new: NewContract) -> UUID:
    """Make a contract known; it counts where a rule says `fixed`.

    Raises NotFound for an unknown provider or item or a division out of scope, Invalid when it ends before it
    begins, Conflict when another one holds for the same on one of these days.
    """
    see(caller, new.division_code)
    if new.valid_to is not None and new.valid_to < new.valid_from:
        raise Invalid("validity_empty", "the contract ends before it begins", field="valid_to")
    await providers.provider(tx, new.provider_id)
    if new.item_code != ANY:
        await catalog.item(tx, new.item_code)
    contract_id = new_id()
    values = (
        contract_id, new.provider_id, new.division_code, new.item_code, new.scheme_code, new.contract_number,
        new.valid_from, new.valid_to, caller.actor, clock.now(),
    )  # fmt: skip
    try:
        async with tx.savepoint():
            await queries.add_contract(tx, values)
    except asyncpg.ExclusionViolationError as overlap:
        raise Conflict("contract_overlaps", "another contract holds for the same on one of these days") from overlap
    tx.cache.clear()
    await audit.record(tx, caller, "dispatch.fix_provider", "fixed_provider", contract_id, (), new.contract_number)
    return contract_id


async def end_contract(tx: Tx, caller: Caller, contract_id: UUID, last_day: date, reason: str) -> None:
    """Let a contract end. Raises NotFound, Invalid for a day before it begins or before yesterday."""
    found = next((row for row in await queries.contracts(tx) if row["id"] == contract_id), None)
    if found is None:
        raise NotFound("contract_not_found")
    see(caller, found["division_code"])
    if last_day < max(found["valid_from"], clock.today() - timedelta(days=1)):
        raise Invalid("too_early", "what has been dispatched under a contract stays under it", field="last_day")
    await queries.end_contract(tx, contract_id, last_day)
    tx.cache.clear()
    await audit.record(tx, caller, "dispatch.end_contract", "fixed_provider", contract_id, ["valid_to"], reason)


async def contracts_for(tx: Tx, caller: Caller) -> list[Any]:
    """The contracts of the caller's divisions, those that have ended too."""
    rows = await queries.contracts(tx)
    return rows if caller.kind == "system" else [r for r in rows if covers_any(caller.divisions, r["division_code"])]


async def _rules(tx: Tx) -> list[Any]:
    return [queries.rule(row) for row in await queries.rules(tx)]
