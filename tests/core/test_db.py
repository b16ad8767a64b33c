"""Transactions: what is in them, what is not, and how failures are told apart."""

from __future__ import annotations

from app.core.db import Database, Tx


async def test_a_transaction_stands(tx: Tx) -> None:
    assert await tx.fetchval("SELECT 1") == 1
    assert await tx.fetchval("SELECT count(*) FROM idempotency_key") == 0
    assert await tx.fetchval("SELECT version_num >= '0002' FROM alembic_version")


async def test_commits_are_swept_away_1(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM job_receipt") == 0
        await tx.run("INSERT INTO job_receipt VALUES (1, now())")


async def test_commits_are_swept_away_2(clean_database: Database) -> None:
    await test_commits_are_swept_away_1(clean_database)
