"""Makers and their codes: rows that an administrator writes, known to a process for some seconds."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from app.accounts import audit
from app.channels import queries
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.http import Caller

JSON, ONENET = "json", "onenet"
FORMS = (JSON, "action", "form", ONENET)
"""`json` is our own, signed with a device key; the others prove themselves by the maker's secret."""
TYPES = (
    "sos", "fall", "smoke", "gas", "water", "pull_cord", "low_battery", "offline", "online", "heartbeat", "restore",
    "test",
)  # fmt: skip
_TOKEN, _CACHED = "device_maker.token", "channels.device_makers"
PATIENCE_S = 0.15


@dataclass(frozen=True, slots=True)
class Maker:
    """`codes`: the city's own rows; `datum` of its positions, where they do not name one."""

    form: str
    datum: str
    token: str | None
    codes: Mapping[str, str]

    def type_of(self, code: str) -> str:
        """Our word for a code, or the code itself. A code of two parts (`button:1`) may be mapped by its first."""
        code = code.lower()
        for known in (self.codes, shipped().get(self.form, {})):
            for name in (code, code.partition(":")[0]):
                if name in known:
                    return known[name]
        return code


UNKNOWN = Maker(JSON, "wgs84", None, {})
"""A maker without a row sends our JSON and our words."""


async def maker(tx: Tx, vendor: str) -> Maker:
    known = await tx.cache.get(_CACHED, lambda: _load(tx))
    return known.get(vendor, UNKNOWN)


async def known(database: Database) -> dict[str, Maker]:
    """Every maker with a row; while the database is away, those of before. Fails where there is no before."""

    async def load() -> dict[str, Maker]:
        async with database.transaction() as tx:
            return await _load(tx)

    return await database.cache.last_known(_CACHED, load, PATIENCE_S)


async def put_maker(tx: Tx, caller: Caller, vendor: str, form: str, datum: str, token: str | None) -> None:
    """Add a maker or change it; without a token the one it has stays. Raises Invalid when it needs one."""
    old = (await _load(tx)).get(vendor)
    token = token or (old.token if old is not None else None)
    if (form == JSON) == (token is not None):
        raise Invalid("maker_token_mismatch", "a form of its own, and no other, is proved by a token", field="token")
    sealed = tx.vault.seal(_TOKEN, vendor, token) if token is not None else None
    await queries.put_maker(tx, vendor, form, datum, sealed, clock.now())
    await audit.record(tx, caller, "device_maker.put", "device_maker", vendor, ("form", "datum", "token"))
    tx.cache.clear()


async def put_code(tx: Tx, caller: Caller, vendor: str, code: str, type_: str) -> None:
    """Say what a code means from now on. Raises NotFound for a maker without a row."""
    if not await queries.put_code(tx, vendor, code.lower(), type_, clock.now()):
        raise NotFound("device_maker_not_found")
    await audit.record(tx, caller, "device_maker.map", "device_maker", vendor, (code.lower()[:40], type_))
    tx.cache.clear()


async def all_makers(tx: Tx) -> dict[str, Maker]:
    return await _load(tx)


@cache
def shipped() -> dict[str, dict[str, str]]:
    """By form, the codes its makers publish."""
    found: dict[str, dict[str, str]] = {}
    with (files("app.channels") / "data" / "device_codes.csv").open(encoding="utf-8") as listed:
        for row in csv.DictReader(listed):
            found.setdefault(row["form"], {})[row["code"]] = row["type"]
    return found


async def _load(tx: Tx) -> dict[str, Maker]:
    codes: dict[str, dict[str, str]] = {}
    for row in await queries.codes(tx):
        codes.setdefault(row["vendor"], {})[row["code"]] = row["type"]
    return {
        row["vendor"]: Maker(
            row["form"],
            row["datum"],
            tx.vault.open(_TOKEN, row["vendor"], row["token"]) if row["token"] is not None else None,
            codes.get(row["vendor"], {}),
        )
        for row in await queries.makers(tx)
    }
