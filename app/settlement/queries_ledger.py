"""The ledger's SQL: accounts are opened, transfers added, balances summed. Nothing is ever changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.settlement.queries import BATCH

INSERT_TRANSFERS = """INSERT INTO ledger_transfer
  (id, debit_account, credit_account, amount_fen, statement_id, line_id, reason, at)
SELECT u.id, u.debit, u.credit, u.amount, $1, u.line, u.reason, $2
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::uuid[], $8::text[])
  AS u (id, debit, credit, amount, line, reason)"""

ACCOUNTS = """SELECT a.code, a.name, a.kind,
  coalesce(sum(t.amount_fen) FILTER (WHERE t.debit_account = a.code), 0)::bigint AS debit_fen,
  coalesce(sum(t.amount_fen) FILTER (WHERE t.credit_account = a.code), 0)::bigint AS credit_fen
FROM ledger_account a
JOIN ledger_transfer t ON t.debit_account = a.code OR t.credit_account = a.code
JOIN statement s ON s.id = t.statement_id
WHERE EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS r (low, high)
  WHERE s.division_code >= r.low AND s.division_code < r.high)
GROUP BY a.code ORDER BY a.code"""
ENTRIES = """SELECT t.id, t.debit_account, t.credit_account, t.amount_fen, t.reason, t.at, t.statement_id, t.line_id,
  s.number AS statement_number
FROM ledger_transfer t JOIN statement s ON s.id = t.statement_id
WHERE (t.debit_account = $1 OR t.credit_account = $1) AND ($2::uuid IS NULL OR t.id > $2)
  AND EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
    WHERE s.division_code >= r.low AND s.division_code < r.high)
ORDER BY t.id LIMIT $5"""


async def schemes(tx: Tx, codes: Iterable[str]) -> dict[str, Any]:
    """`id` and `name` by code."""
    rows = await tx.fetch("SELECT id, code, name FROM scheme WHERE code = ANY($1)", list(codes))
    return {row["code"]: row for row in rows}


async def open_accounts(tx: Tx, accounts: Sequence[tuple[str, str, str]]) -> None:
    """`(code, name, kind)`; those that exist stay as they are."""
    sql = """INSERT INTO ledger_account (code, name, kind)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING"""
    ordered = sorted(accounts)
    await tx.run(sql, *([account[n] for account in ordered] for n in range(3)))


async def post(
    tx: Tx, statement_id: UUID, at: datetime, transfers: Sequence[tuple[UUID, str, str, int, UUID | None, str]]
) -> None:
    """`(id, debit, credit, fen, line id, reason)`."""
    for begin in range(0, len(transfers), BATCH):
        batch = transfers[begin : begin + BATCH]
        await tx.run(INSERT_TRANSFERS, statement_id, at, *([entry[n] for entry in batch] for n in range(6)))


async def accounts(tx: Tx, ranges: Sequence[tuple[str, str]]) -> list[Any]:
    """Accounts with the sums of what the caller may see."""
    return await tx.fetch(ACCOUNTS, [r[0] for r in ranges], [r[1] for r in ranges])


async def entries(tx: Tx, code: str, ranges: Sequence[tuple[str, str]], after: UUID | None, limit: int) -> list[Any]:
    return await tx.fetch(ENTRIES, code, after, [r[0] for r in ranges], [r[1] for r in ranges], limit)
