"""Statements, their lines, disputes and adjustments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.json import dumps
from app.settlement.calculation import LineAmounts, PartAmounts, Totals, parts_json, totals_json
from app.settlement.inputs import AdjustmentInputs, LineInputs

CLOSED = "('issued','confirmed','disputed','reviewed','approved','paid')"
BATCH = 2000
TOTALS = ("lines", "gross_fen", "quality_fen", "penalty_fen", "adjustment_fen", "payable_fen", "copay_fen",
          "holdback_fen", "due_fen")  # fmt: skip
INSERT_STATEMENT = f"""INSERT INTO statement (id, number, provider_id, period, division_code, status, version,
  content_hash, created_by, refreshed_by, created_at, fence_at, {", ".join(TOTALS)})
VALUES ($1, $2, $3, $4, $5, 'draft', 1, $6, $7, $7, $8, $8, {", ".join(f"${n}" for n in range(9, 18))})"""
REFRESH_STATEMENT = f"""UPDATE statement SET division_code = $2, content_hash = $3, refreshed_by = $4, fence_at = $5,
  status = $6, version = version + 1, {", ".join(f"{name} = ${n}" for n, name in enumerate(TOTALS, start=7))}
WHERE id = $1 AND status = 'draft'"""

AMOUNTS = ("gross_fen", "coefficient_bp", "quality_fen", "penalty_fen", "payable_fen", "copay_fen", "holdback_fen",
           "due_fen")  # fmt: skip
INSERT_LINES = f"""INSERT INTO statement_line (id, statement_id, position, kind, order_id, adjustment_id, void,
  service_period, inputs, parts, {", ".join(AMOUNTS)})
SELECT u.id, $1, u.position, u.kind, u.order_id, u.adjustment_id, false, u.service_period, u.inputs::jsonb,
  u.parts::jsonb, {", ".join(f"u.{name}" for name in AMOUNTS)}
FROM unnest($2::uuid[], $3::int[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[],
  {", ".join(f"${n}::bigint[]" for n in range(10, 18))})
  AS u (id, position, kind, order_id, adjustment_id, service_period, inputs, parts, {", ".join(AMOUNTS)})"""

STATEMENT_COLUMNS = """s.*, (SELECT name FROM provider p WHERE p.id = s.provider_id) AS provider_name,
  (SELECT coalesce(sum(d.held_fen), 0)::bigint FROM line_dispute d
    WHERE d.statement_id = s.id AND d.decision IS NULL) AS held_fen"""
DISPUTE = """SELECT d.*, l.order_id, l.parts, l.kind FROM line_dispute d JOIN statement_line l ON l.id = d.line_id
WHERE d.id = $1 AND d.statement_id = $2"""
LINES = """SELECT l.*, d.id AS dispute_id, d.reason AS dispute_reason, d.evidence AS dispute_evidence, d.decision,
  d.decision_note FROM statement_line l LEFT JOIN line_dispute d ON d.line_id = l.id
WHERE l.statement_id = $1 AND NOT l.void AND l.position > $2 ORDER BY l.position LIMIT $3"""


async def statements_of_period(tx: Tx, period: str, provider_id: UUID | None) -> list[Any]:
    """Live statements of a period."""
    sql = f"""SELECT {STATEMENT_COLUMNS} FROM statement s WHERE s.period = $1 AND s.status <> 'void'
    AND ($2::uuid IS NULL OR s.provider_id = $2) ORDER BY s.number"""
    return await tx.fetch(sql, period, provider_id)


async def numbered(tx: Tx, period: str) -> int:
    """How many numbers of this period are taken."""
    return int(await tx.fetchval("SELECT count(*) FROM statement WHERE period = $1", period))


async def insert_statement(tx: Tx, head: Sequence[Any], total: Totals) -> None:
    await tx.run(INSERT_STATEMENT, *head, *totals_json(total).values())


async def refresh_statement(tx: Tx, head: Sequence[Any], total: Totals) -> int:
    return await tx.run(REFRESH_STATEMENT, *head, *totals_json(total).values())


async def drop_lines(tx: Tx, statement_id: UUID) -> None:
    """Only ever of a draft."""
    await tx.run(
        """DELETE FROM statement_line l USING statement s WHERE s.id = l.statement_id AND s.id = $1
        AND s.status IN ('draft', 'void')""",
        statement_id,
    )


async def insert_lines(
    tx: Tx,
    statement_id: UUID,
    lines: Sequence[tuple[UUID, str, LineInputs | AdjustmentInputs, LineAmounts]],
) -> None:
    """`(line id, service period, inputs, amounts)` in the order of their positions."""
    for begin in range(0, len(lines), BATCH):
        batch = list(enumerate(lines[begin : begin + BATCH], start=begin + 1))
        await tx.run(
            INSERT_LINES,
            statement_id,
            [line[0] for _, line in batch],
            [position for position, _ in batch],
            [line[2].kind for _, line in batch],
            [UUID(line[2].order_id) if line[2].order_id else None for _, line in batch],
            [UUID(line[2].adjustment_id) if isinstance(line[2], AdjustmentInputs) else None for _, line in batch],
            [line[1] for _, line in batch],
            [dumps(line[2].as_json()) for _, line in batch],
            [dumps(parts_json(line[3].parts)) for _, line in batch],
            *([getattr(line[3], name) for _, line in batch] for name in AMOUNTS),
        )


async def statement(tx: Tx, statement_id: UUID, *, lock: bool = False) -> Any | None:
    """One statement with the provider's name and the sum held back by disputes."""
    if lock:  # first the lock, then the facts: what is read after waiting must be the newest
        await tx.run("SELECT FROM statement WHERE id = $1 FOR NO KEY UPDATE", statement_id)
    return await tx.fetchrow(f"SELECT {STATEMENT_COLUMNS} FROM statement s WHERE s.id = $1", statement_id)


async def statements(
    tx: Tx,
    *,
    ranges: Sequence[tuple[str, str]] | None,
    statuses: Sequence[str],
    period: str | None,
    provider_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Any]:
    """Statements with one of `statuses`, newest first; `ranges` of divisions, None for all."""
    low, high = [r[0] for r in ranges or []], [r[1] for r in ranges or []]
    sql = f"""SELECT {STATEMENT_COLUMNS} FROM statement s WHERE s.status = ANY($1)
      AND ($2::text IS NULL OR s.period = $2) AND ($3::uuid IS NULL OR s.provider_id = $3)
      AND ($4::uuid IS NULL OR s.id < $4)
      AND ($5::bool OR EXISTS (SELECT FROM unnest($6::text[], $7::text[]) AS r (low, high)
        WHERE s.division_code >= r.low AND s.division_code < r.high))
    ORDER BY s.id DESC LIMIT $8"""
    return await tx.fetch(sql, list(statuses), period, provider_id, before, ranges is None, low, high, limit)


async def move(tx: Tx, statement_id: UUID, status: str, **changes: Any) -> None:
    """Write a new status of a locked statement, and what goes with it."""
    assignments = "".join(f", {name} = ${n}" for n, name in enumerate(changes, start=3))
    sql = f"UPDATE statement SET status = $2, version = version + 1{assignments} WHERE id = $1"
    await tx.run(sql, statement_id, status, *changes.values())


async def lines(tx: Tx, statement_id: UUID, after: int = 0, limit: int = 1_000_000) -> list[Any]:
    """Lines with their disputes, by position."""
    return await tx.fetch(LINES, statement_id, after, limit)


async def settled_line(tx: Tx, order_id: UUID) -> Any | None:
    """The order's live line, with its statement locked so that issuing and adjusting cannot cross."""
    find = "SELECT statement_id FROM statement_line WHERE order_id = $1 AND kind = 'service' AND NOT void"
    statement_id = await tx.fetchval(find, order_id)
    if statement_id is None:
        return None
    await tx.run("SELECT FROM statement WHERE id = $1 FOR NO KEY UPDATE", statement_id)
    sql = """SELECT l.*, s.status, s.period, s.provider_id
    FROM statement_line l JOIN statement s ON s.id = l.statement_id
    WHERE l.order_id = $1 AND l.kind = 'service' AND NOT l.void"""
    return await tx.fetchrow(sql, order_id)


async def adjustments_of(tx: Tx, order_id: UUID) -> list[Any]:
    return await tx.fetch("SELECT * FROM adjustment WHERE order_id = $1 ORDER BY id", order_id)


async def newest_closed_period(tx: Tx, provider_id: UUID) -> str | None:
    sql = f"SELECT max(period) FROM statement WHERE provider_id = $1 AND status IN {CLOSED}"
    found: str | None = await tx.fetchval(sql, provider_id)
    return found


async def add_adjustment(tx: Tx, values: dict[str, Any]) -> bool:
    """False when its source has adjusted already."""
    names, marks = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
    sql = f"INSERT INTO adjustment ({names}) VALUES ({marks}) ON CONFLICT (source_kind, source_id) DO NOTHING"
    return bool(await tx.run(sql, *values.values()))


async def line(tx: Tx, statement_id: UUID, line_id: UUID) -> Any | None:
    sql = "SELECT * FROM statement_line WHERE id = $1 AND statement_id = $2 AND NOT void"
    return await tx.fetchrow(sql, line_id, statement_id)


async def add_dispute(
    tx: Tx,
    dispute_id: UUID,
    statement_id: UUID,
    disputed: Any,
    reason: str,
    evidence: list[str],
    actor: str,
    at: datetime,
) -> None:
    """Held back is what the line would pay; a line that takes money away is not held."""
    sql = """INSERT INTO line_dispute (id, line_id, statement_id, reason, evidence, raised_by, raised_at, held_fen)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)"""
    held = max(0, disputed["due_fen"])
    await tx.run(sql, dispute_id, disputed["id"], statement_id, reason, dumps(evidence), actor, at, held)


def adjusted_parts(parts: Iterable[PartAmounts]) -> str:
    """The JSON of an adjustment's parts; they have no gross."""
    names = ("payer", "scheme", "payable_fen", "holdback_fen")
    return dumps([{name: getattr(part, name) for name in names} for part in parts])


async def dispute(tx: Tx, statement_id: UUID, dispute_id: UUID) -> Any | None:
    return await tx.fetchrow(DISPUTE, dispute_id, statement_id)


async def decide_dispute(tx: Tx, dispute_id: UUID, decision: str, note: str, actor: str, at: datetime) -> None:
    sql = "UPDATE line_dispute SET decision = $2, decision_note = $3, decided_by = $4, decided_at = $5 WHERE id = $1"
    await tx.run(sql, dispute_id, decision, note, actor, at)
