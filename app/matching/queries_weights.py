"""The SQL of weights: versioned rows that are added, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from app.core.db import Tx
from app.core.json import dumps

COLUMNS = """version, service_type, division_code, urgency, weights, max_travel_minutes, valid_from, made_by, reason,
  made_at"""
ALL = f"SELECT {COLUMNS} FROM dispatch_weights ORDER BY version"
ONE = f"SELECT {COLUMNS} FROM dispatch_weights WHERE version = $1"
ADD = """INSERT INTO dispatch_weights (service_type, division_code, urgency, weights, max_travel_minutes, valid_from,
  made_by, reason, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING version"""
SEED = """INSERT INTO dispatch_weights (service_type, division_code, urgency, weights, max_travel_minutes, valid_from,
  made_by, reason, made_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE NOT EXISTS (
  SELECT 1 FROM dispatch_weights WHERE service_type = $1 AND division_code = $2 AND urgency = $3)"""


async def everything(tx: Tx) -> list[dict[str, Any]]:
    return [dict(row) for row in await tx.fetch(ALL)]


async def one(tx: Tx, version: int) -> Any:
    return await tx.fetchrow(ONE, version)


async def add(
    tx: Tx,
    scope: tuple[str, str, str],
    weights: Mapping[str, int],
    max_travel_minutes: int,
    valid_from: date,
    made: tuple[str, str, datetime],
) -> int:
    """A new version for (service type, division, urgency); `made` is by whom, why and when."""
    return int(await tx.fetchval(ADD, *scope, dumps(weights), max_travel_minutes, valid_from, *made))


async def seed(
    tx: Tx,
    scope: tuple[str, str, str],
    weights: Mapping[str, int],
    max_travel_minutes: int,
    valid_from: date,
    made: tuple[str, str, datetime],
) -> None:
    """The same where nothing was ever published for this scope."""
    await tx.run(SEED, *scope, dumps(weights), max_travel_minutes, valid_from, *made)
