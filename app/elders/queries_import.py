"""SQL of bringing a register in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert

from app.core.db import Tx


async def add_many(tx: Tx, rows: Mapping[Any, Sequence[Mapping[str, Any]]]) -> None:
    """Rows by table, parents before children; one statement each."""
    for table, values in rows.items():
        if values:
            await tx.execute(insert(table), list(values))
