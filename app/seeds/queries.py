"""The seeds' own SQL: is anybody here, one at a time, and nothing said about what is long over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert

from app.channels.notices import TELL_FAMILY
from app.core.db import Tx


async def inhabited(tx: Tx) -> bool:
    return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM elder)"))


async def in_use(tx: Tx) -> bool:
    """Somebody has begun to work with this database."""
    tables = "SELECT EXISTS (SELECT FROM staff) OR EXISTS (SELECT FROM elder) OR EXISTS (SELECT FROM provider)"
    return bool(await tx.fetchval(tables))


async def anybody_can_sign_in(tx: Tx) -> bool:
    return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM staff)"))


async def add_many(tx: Tx, rows: Mapping[Any, Sequence[Mapping[str, Any]]]) -> None:
    """Rows by table; one statement each."""
    for table, values in rows.items():
        await tx.execute(insert(table), list(values))


async def tell_nobody(tx: Tx) -> None:
    """Families are not told today of visits of last month."""
    await tx.run("DELETE FROM pgqueuer WHERE entrypoint = $1", TELL_FAMILY)
