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

# First by pairs of accounts, which are few, so that every transfer is looked at once.
ACCOUNTS = """WITH pair AS (
  SELECT t.debit_account, t.credit_account, sum(t.amount_fen) AS fen
  FROM ledger_transfer t JOIN statement s ON s.id = t.statement_id
  WHERE EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS r (low, high)
    WHERE s.division_code >= r.low AND s.division_code < r.high)
  GROUP BY t.debit_account, t.credit_account
)
SELECT a.code, a.name, a.kind, sum(side.debit_fen)::bigint AS debit_fen, sum(side.credit_fen)::bigint AS credit_fen
FROM pair CROSS JOIN LATERAL (VALUES (debit_account, fen, 0), (credit_account, 0, fen))
  AS side (code, debit_fen, credit_fen)
JOIN ledger_account a ON a.code = side.code
GROUP BY a.code ORDER BY a.code"""


def _side(column: str) -> str:
    """One side of an account's entries in the order of their ids, as an index has them."""
    return f"""(SELECT t.*, s.number AS statement_number
  FROM ledger_transfer t JOIN statement s ON s.id = t.statement_id
  WHERE t.{column} = $1 AND ($2::uuid IS NULL OR t.id > $2)
    AND EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
      WHERE s.division_code >= r.low AND s.division_code < r.high)
  ORDER BY t.id LIMIT $5)"""


ENTRIES = f"""SELECT id, debit_account, credit_account, amount_fen, reason, at, statement_id, line_id, statement_number
FROM ({_side("debit_account")} UNION ALL {_side("credit_account")}) t ORDER BY id LIMIT $5"""


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
    return await tx.search(ACCOUNTS, [r[0] for r in ranges], [r[1] for r in ranges])


async def entries(tx: Tx, code: str, ranges: Sequence[tuple[str, str]], after: UUID | None, limit: int) -> list[Any]:
    return await tx.search(ENTRIES, code, after, [r[0] for r in ranges], [r[1] for r in ranges], limit)
