"""Indexes and constraints of the tables a load fills, laid aside before it and put back afterwards word by word.

Keeping them up row by row is most of what a large load costs. They come back in the catalog's own words, and the
catalog before and after is compared, so that a loaded database is the migrated one with more rows in it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg

HANDS = 2
"""Connections that build at the same time."""

CONSTRAINTS = """SELECT conrelid::regclass::text AS of, conname AS name, contype::text AS kind,
  pg_get_constraintdef(oid) AS words FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND (
  contype IN ('p', 'u', 'x') AND conrelid = ANY($1::text[]::regclass[])
  OR contype = 'f' AND (conrelid = ANY($1::text[]::regclass[]) OR confrelid = ANY($1::text[]::regclass[])))
ORDER BY conrelid::regclass::text, contype DESC, conname"""
INDEXES = """SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS of,
  pg_get_indexdef(i.indexrelid) AS words FROM pg_index i
WHERE i.indrelid = ANY($1::text[]::regclass[])
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
ORDER BY 2, 1"""
CATALOG = """SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
UNION ALL SELECT pg_get_indexdef(indexrelid) || ' ' || indisvalid || ' ' || indisready FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT relname || ' ' || coalesce(array_to_string(reloptions, ' '), '') FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"""


@dataclass(frozen=True)
class Aside:
    """What was taken away. `built` and `references` hold (table, statement) that bring it back."""

    tables: tuple[str, ...]
    built: tuple[tuple[str, str], ...]
    references: tuple[tuple[str, str, str], ...]
    """(table, name, definition) of foreign keys."""
    catalog: frozenset[str]


async def lay_aside(connection: asyncpg.Connection, tables: Sequence[str]) -> Aside:
    """Take keys, references, exclusions and indexes off `tables`, and the references to them; all or nothing."""
    async with connection.transaction():
        catalog = await _catalog(connection)
        constraints = await connection.fetch(CONSTRAINTS, list(tables))
        indexes = await connection.fetch(INDEXES, list(tables))
        for row in sorted(constraints, key=lambda row: row["kind"] != "f"):
            await connection.execute(f'ALTER TABLE {row["of"]} DROP CONSTRAINT "{row["name"]}"')
        for row in indexes:
            await connection.execute(f"DROP INDEX {row['name']}")
        for table in tables:  # its work would be thrown away
            await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    built = [
        (row["of"], f'ALTER TABLE {row["of"]} ADD CONSTRAINT "{row["name"]}" {row["words"]}')
        for row in constraints
        if row["kind"] != "f"
    ]
    built += [(row["of"], row["words"]) for row in indexes]
    references = [(row["of"], row["name"], row["words"]) for row in constraints if row["kind"] == "f"]
    return Aside(tuple(tables), tuple(built), tuple(references), catalog)


async def put_back(dsn: str, aside: Aside, say: Callable[[str], None]) -> None:
    """Build, count and check everything again. Raises RuntimeError when the catalog is not what it was."""
    by_table: dict[str, list[str]] = defaultdict(list, {table: [] for table in aside.tables})
    for table, statement in aside.built:
        by_table[table].append(statement)
    for table in aside.tables:
        by_table[table] += [f"ALTER TABLE {table} RESET (autovacuum_enabled)", f"VACUUM (ANALYZE) {table}"]
    await _together(dsn, list(by_table.items()), say)

    await _together(dsn, [("references", [_unchecked(*reference) for reference in aside.references])], say)
    by_table.clear()
    for table, name, _ in aside.references:
        by_table[table].append(f'ALTER TABLE {table} VALIDATE CONSTRAINT "{name}"')
    await _together(dsn, [(f"references of {table}", checks) for table, checks in by_table.items()], say)

    connection = await asyncpg.connect(dsn)
    try:
        if differing := await _catalog(connection) ^ aside.catalog:
            raise RuntimeError("not as before the load:\n" + "\n".join(sorted(differing)))
    finally:
        await connection.close()


def _unchecked(table: str, name: str, words: str) -> str:
    return f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {words} NOT VALID'


async def _together(dsn: str, jobs: list[tuple[str, list[str]]], say: Callable[[str], None]) -> None:
    """Do each job's statements in order, `HANDS` jobs at a time."""
    waiting = list(reversed(jobs))

    async def hand() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await prepare(connection)
            while waiting:
                name, statements = waiting.pop()
                for statement in statements:
                    await connection.execute(statement)
                say(name)
        finally:
            await connection.close()

    hands: list[Awaitable[None]] = [hand() for _ in range(min(HANDS, len(jobs)))]
    async with asyncio.TaskGroup() as group:
        for one in hands:
            group.create_task(one)  # type: ignore[arg-type]


async def prepare(connection: asyncpg.Connection) -> None:
    """A session for large work; what it commits is durable at the next checkpoint."""
    await connection.execute("""SET synchronous_commit = off; SET maintenance_work_mem = '512MB';
    SET work_mem = '128MB'; SET temp_buffers = '64MB'; SET statement_timeout = 0;
    SET max_parallel_maintenance_workers = 0""")


async def _catalog(connection: asyncpg.Connection) -> frozenset[str]:
    return frozenset(row[0] for row in await connection.fetch(CATALOG))
