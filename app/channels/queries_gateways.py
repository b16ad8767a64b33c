"""SQL of the gateways and of how they know our templates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.core.db import Tx

ACTIVE = "SELECT name, vendor, endpoint, settings FROM message_gateway WHERE channel = $1 AND active"
LETTERS = """SELECT DISTINCT ON (template_code) template_code, external_code, params FROM gateway_template
WHERE gateway = $1 AND valid_from <= $2 ORDER BY template_code, valid_from DESC"""
ALL_LETTERS = """SELECT gateway, template_code, valid_from, external_code, params FROM gateway_template
ORDER BY gateway, template_code, valid_from"""
GATEWAYS = """SELECT name, channel, vendor, endpoint, receipt_index IS NOT NULL AS receipts, active, updated_at
FROM message_gateway ORDER BY name"""
WITH_RECEIPTS = "SELECT name, vendor, channel, receipt_index FROM message_gateway WHERE receipt_index IS NOT NULL"
TAKEN = "SELECT EXISTS (SELECT FROM message_gateway WHERE receipt_index = $2 AND name <> $1)"
REST_OTHERS = "UPDATE message_gateway SET active = false, updated_at = $3 WHERE channel = $2 AND active AND name <> $1"
PUT = """INSERT INTO message_gateway (name, channel, vendor, endpoint, settings, receipt_index, active, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (name) DO UPDATE SET channel = excluded.channel, vendor = excluded.vendor, endpoint = excluded.endpoint,
  settings = excluded.settings, receipt_index = excluded.receipt_index, active = excluded.active,
  updated_at = excluded.updated_at"""
PUT_LETTER = """INSERT INTO gateway_template (gateway, template_code, valid_from, external_code, params)
SELECT name, $2, $3, $4, $5 FROM message_gateway WHERE name = $1
ON CONFLICT (gateway, template_code, valid_from) DO UPDATE SET external_code = excluded.external_code,
  params = excluded.params"""


async def active_gateway(tx: Tx, channel: str) -> Any:
    return await tx.fetchrow(ACTIVE, channel)


async def letters(tx: Tx, gateway: str, day: date) -> list[Any]:
    """How a gateway knows our templates on that day."""
    return await tx.fetch(LETTERS, gateway, day)


async def gateways(tx: Tx) -> tuple[list[Any], list[Any]]:
    """(gateways without their keys, all their templates)."""
    return await tx.fetch(GATEWAYS), await tx.fetch(ALL_LETTERS)


async def with_receipts(tx: Tx) -> list[Any]:
    return await tx.fetch(WITH_RECEIPTS)


async def taken_by_another(tx: Tx, name: str, receipt_index: bytes) -> bool:
    return bool(await tx.fetchval(TAKEN, name, receipt_index))


async def rest_others(tx: Tx, name: str, channel: str, now: datetime) -> None:
    await tx.run(REST_OTHERS, name, channel, now)


async def put_gateway(tx: Tx, *values: Any) -> None:
    await tx.run(PUT, *values)


async def put_letter(tx: Tx, *values: Any) -> bool:
    """False for no such gateway."""
    return await tx.run(PUT_LETTER, *values) == 1
