"""Making contracts known. A contract is never edited: other terms are another contract from another day."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import asyncpg

from app.accounts import audit
from app.accounts.scope import see
from app.core.db import Tx
from app.core.errors import Conflict, Invalid
from app.core.http import Caller
from app.providers import service as providers
from app.settlement import contracts, queries_runs
from app.settlement.contracts import Terms


async def add_contract(
    tx: Tx, caller: Caller, provider_id: UUID, terms: Terms, valid_from: date, valid_to: date | None = None
) -> UUID:
    """Put terms in force in their division and everything below it that has none of its own; both days included.

    Raises Invalid for terms nobody can mean, NotFound for an unknown provider or a division out of the caller's
    scope, Conflict when another contract holds there on one of these days.
    """
    contracts.check(terms)
    if valid_to is not None and valid_to < valid_from:
        raise Invalid("validity_empty", "the contract ends before it begins", field="valid_to")
    see(caller, terms.division_code)
    await providers.provider(tx, provider_id)
    try:
        async with tx.savepoint():
            await queries_runs.add_contract(tx, terms, provider_id, valid_from, valid_to, caller.actor)
    except asyncpg.ExclusionViolationError as overlap:
        raise Conflict("contract_overlaps", "another contract holds on one of these days") from overlap
    await audit.record(tx, caller, "settlement.add_contract", "contract", terms.contract_id)
    return terms.contract_id
