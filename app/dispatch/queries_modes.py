"""The SQL of ways of offering: rules, contracts, and how far an offer has come to its provider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.dispatch.modes import Contract, Mode, Rule

RULES = """SELECT version, division_code, item_code, urgency, mode, breadth, valid_from, made_by, made_at, reason
FROM dispatch_mode ORDER BY version"""
ADD_RULE = """INSERT INTO dispatch_mode
  (division_code, item_code, urgency, mode, breadth, valid_from, made_by, made_at, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING version"""

CONTRACTS = """SELECT c.id, c.provider_id, c.division_code, c.item_code, c.scheme_code, c.valid_from, c.valid_to,
  c.contract_number, c.made_by, c.made_at, p.name AS provider FROM fixed_provider c
JOIN provider p ON p.id = c.provider_id ORDER BY c.valid_from, c.id"""
ADD_CONTRACT = """INSERT INTO fixed_provider
  (id, provider_id, division_code, item_code, scheme_code, contract_number, valid_from, valid_to, made_by, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
END_CONTRACT = "UPDATE fixed_provider SET valid_to = $2 WHERE id = $1"

# An offer that is locked is being answered or closed this moment, and its delivery with it.
SENT = """WITH told AS (
  SELECT f.id, fed.txid, fed.entry FROM offer f
  JOIN unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS fed (offer_id, txid, entry) ON fed.offer_id = f.id
  WHERE f.status = 'offered' AND f.delivery = 'queued' FOR NO KEY UPDATE OF f SKIP LOCKED
)
UPDATE offer SET delivery = 'sent', sent_at = $4, fed_txid = told.txid, fed_id = told.entry
FROM told WHERE offer.id = told.id RETURNING offer.order_id"""

FETCHED = """UPDATE offer SET delivery = 'fetched', fetched_at = $4 WHERE id IN (
  SELECT id FROM offer WHERE provider_id = $1 AND status = 'offered' AND delivery = 'sent'
    AND (fed_txid, fed_id) <= ($2::bigint, $3::bigint) FOR NO KEY UPDATE SKIP LOCKED)
RETURNING order_id"""


async def rules(tx: Tx) -> list[Any]:
    """All versions of all rules, oldest first."""
    return await tx.fetch(RULES)


def rule(row: Any) -> Rule:
    return Rule(
        row["version"], row["division_code"], row["item_code"], row["urgency"], Mode(row["mode"]), row["breadth"],
        row["valid_from"],
    )  # fmt: skip


async def add_rule(tx: Tx, values: Sequence[Any]) -> int:
    """Returns the version."""
    return int(await tx.fetchval(ADD_RULE, *values))


async def contracts(tx: Tx) -> list[Any]:
    """Every contract, those that have ended too."""
    return await tx.fetch(CONTRACTS)


def contract(row: Any) -> Contract:
    return Contract(*row[: len(Contract.__slots__)])


async def add_contract(tx: Tx, values: Sequence[Any]) -> None:
    await tx.run(ADD_CONTRACT, *values)


async def end_contract(tx: Tx, contract_id: UUID, last_day: date) -> int:
    return await tx.run(END_CONTRACT, contract_id, last_day)


async def mark_sent(tx: Tx, fed: Sequence[tuple[UUID, int, int]], at: datetime) -> list[UUID]:
    """These offers (id, txid, entry) leave in a page of the feed; returns the orders of those that left first now."""
    offers, txids, entries = ([row[i] for row in fed] for i in range(3))
    return [row["order_id"] for row in await tx.fetch(SENT, offers, txids, entries, at)]


async def mark_fetched(tx: Tx, provider_id: UUID, txid: int, entry: int, at: datetime) -> list[UUID]:
    """The provider has read its feed up to here; returns the orders of the offers it now has."""
    return [row["order_id"] for row in await tx.fetch(FETCHED, provider_id, txid, entry, at)]
