"""What a database consists of, in PostgreSQL's own words, to compare a migrated one with a declared one."""

from __future__ import annotations

import asyncpg

COLUMNS = """SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
  || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
  || CASE a.attidentity WHEN '' THEN '' ELSE ' identity ' || a.attidentity::text END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"""
CONSTRAINTS = """SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'"""
INDEXES = "SELECT tablename || ' ' || indexdef FROM pg_indexes WHERE schemaname = 'public'"

_FOREIGN = ("pgqueuer", "alembic_version")
"""Tables of the queue's library and of Alembic itself."""


async def describe(dsn: str) -> set[str]:
    """One sentence per column, constraint and index of the product's own tables."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = [row[0] for sql in (COLUMNS, CONSTRAINTS, INDEXES) for row in await connection.fetch(sql)]
    finally:
        await connection.close()
    return {row for row in rows if not row.startswith(_FOREIGN)}


def differences(migrated: set[str], declared: set[str]) -> list[str]:
    """What is in one only."""
    return [f"only migrated: {row}" for row in sorted(migrated - declared)] + [
        f"only declared: {row}" for row in sorted(declared - migrated)
    ]
