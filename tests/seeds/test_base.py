"""An empty city: base data, and somebody who can sign in."""

from __future__ import annotations

import json
import stat

from app.core.config import Settings
from app.core.db import Database
from app.seeds import base


async def test_an_empty_city_has_rules_and_one_administrator(database: Database, settings: Settings) -> None:
    path = await base.load_empty_city(database, settings)
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["role"] == "administrator"
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM staff") == 1
        assert await tx.fetchval("SELECT count(*) FROM service_item") > 20
        assert await tx.fetchval("SELECT count(*) FROM deadline_rule") == 20
        assert await tx.fetchval("SELECT count(*) FROM division") > 200
        assert await tx.fetchval("SELECT count(*) FROM elder") == 0


async def test_again_keeps_the_administrator_and_what_the_city_changed(database: Database, settings: Settings) -> None:
    await base.load_empty_city(database, settings)
    async with database.transaction() as tx:
        await tx.run("UPDATE deadline_rule SET minutes = 7 WHERE urgency = 'normal' AND name = 'accept'")
    assert await base.load_empty_city(database, settings) is None
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM staff") == 1
        kept = "SELECT minutes FROM deadline_rule WHERE urgency = 'normal' AND name = 'accept'"
        assert await tx.fetchval(kept) == 7
