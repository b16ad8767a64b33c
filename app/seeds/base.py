"""What no city can run without: divisions, calendar, catalogue, rules, weights. May be loaded at every start."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from app.accounts import passwords
from app.accounts import service as accounts
from app.alarms import service as alarms
from app.catalog import service as catalog
from app.core.config import Settings
from app.core.db import Database, Tx
from app.dispatch import batching
from app.followup import figures as followup
from app.hotline import checks
from app.matching import weights
from app.orders import defaults as orders
from app.regions import service as regions
from app.seeds import queries

ADMINISTRATOR = "admin"


async def load_base(tx: Tx) -> None:
    """Add what is missing; what a city has changed stays as it is."""
    await regions.ensure_base_data(tx)
    await catalog.load_items(tx)
    await orders.load_default_rules(tx)
    await weights.load_shipped(tx)
    await batching.load_default_switch(tx)
    await followup.load_default_rules(tx)
    await alarms.load_default_rules(tx)
    await checks.load_default_sheet(tx)
    tx.cache.clear()


async def load_empty_city(database: Database, settings: Settings) -> Path | None:
    """Base data and, where nobody can sign in yet, one administrator.

    Returns the file (mode 0600) that holds the administrator's first password, None when there was somebody.
    """
    async with database.transaction() as tx:
        # Two services may start on one empty database; the second waits and then finds it furnished.
        await tx.one_at_a_time("seeds")
        await load_base(tx)
        if await queries.anybody_can_sign_in(tx):
            return None
        password = secrets.token_urlsafe(15)
        await accounts.create_staff(
            tx, ADMINISTRATOR, "系统管理员", passwords.hash_now(password), ["administrator"], [settings.city_division]
        )
        path = settings.data_dir / "credentials" / "administrator.json"
        write_secret(path, {"username": ADMINISTRATOR, "password": password, "role": "administrator"})
    return path


def write_secret(path: Path, content: object) -> None:
    """A JSON file that only its owner reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
    fresh.replace(path)
