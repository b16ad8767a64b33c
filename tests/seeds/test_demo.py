"""The demo world: complete, invented to the eye, sealed, and loaded once."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.core.config import Settings
from app.core.db import Database
from app.elders import id_numbers
from app.orders.lifecycle import Status
from app.providers import credit_codes
from app.seeds import demo, plans
from app.seeds.chance import phone

pytestmark = [pytest.mark.timeout(150), pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
async def loaded(
    server: Any, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Database, Settings]]:
    """A database of its own with the demo world in it; several tests look at it and none changes it."""
    from tests.conftest import vault, wired_bus

    dsn = await server.clone("nuanxian_demo_test", template)
    database = Database(dsn, vault=vault(), bus=wired_bus(), pool_size=3)
    settings = Settings(database_url=dsn, data_dir=tmp_path_factory.mktemp("demo"))
    await demo.load(database, settings)
    yield database, settings
    await database.close()
    await server.drop("nuanxian_demo_test")


async def _count(database: Database, sql: str) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval(sql))


async def test_every_station_of_the_line_has_orders(loaded: tuple[Database, Settings]) -> None:
    database, _ = loaded
    async with database.transaction() as tx:
        found = {
            row["status"]: row["n"] for row in await tx.fetch("SELECT status, count(*) n FROM care_order GROUP BY 1")
        }
    assert set(found) == {status.value for status in Status}


async def test_every_plan_has_orders_that_wait_for_their_round(loaded: tuple[Database, Settings]) -> None:
    database, _ = loaded
    async with database.transaction() as tx:
        rows = await tx.fetch(
            """SELECT p.item_code, p.every, p.retry_at, count(o.id) AS orders,
              count(o.id) FILTER (WHERE o.status = 'placed') AS waiting
            FROM recurring_plan p LEFT JOIN recurring_occurrence r ON r.plan_id = p.id
              LEFT JOIN care_order o ON o.id = r.order_id GROUP BY p.id"""
        )
    assert len(rows) == sum(count for count, _ in plans.KINDS)
    assert {row["item_code"] for row in rows} == {kind["item_code"] for _, kind in plans.KINDS}
    assert all(row["orders"] > 0 or row["every"] > 1 for row in rows)
    assert all(row["retry_at"] is None for row in rows)
    assert sum(row["waiting"] for row in rows) > 50


async def test_some_elders_have_devices(loaded: tuple[Database, Settings]) -> None:
    async with loaded[0].transaction() as tx:
        bound = await tx.fetch("SELECT elder_id, kind FROM elder_device WHERE unbound_at IS NULL")
    assert len({row["elder_id"] for row in bound}) == 40
    assert {row["kind"] for row in bound} == {"button", "watch", "smoke_detector", "gas_detector"}


async def test_last_month_is_settled_and_paid(loaded: tuple[Database, Settings]) -> None:
    database, _ = loaded
    async with database.transaction() as tx:
        found = {
            row["status"]: row["n"] for row in await tx.fetch("SELECT status, count(*) n FROM statement GROUP BY 1")
        }
    assert found["paid"] >= 5
    assert {"issued", "disputed", "reviewed"} <= set(found)
    assert "draft" not in found


async def test_loading_again_changes_nothing(loaded: tuple[Database, Settings]) -> None:
    database, settings = loaded
    before = await _count(database, "SELECT count(*) FROM audit_entry")
    file = settings.data_dir / "demo" / "credentials.json"
    written = file.read_bytes()
    await demo.load(database, settings)
    assert await _count(database, "SELECT count(*) FROM audit_entry") == before
    assert file.read_bytes() == written


async def test_credentials_are_whole_and_only_ours_to_read(loaded: tuple[Database, Settings]) -> None:
    database, settings = loaded
    file = settings.data_dir / "demo" / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    known = json.loads(file.read_text())
    roles = {account["role"] for account in known["staff"]}
    assert {"operator", "supervisor", "settlement_clerk", "finance_approver", "auditor", "administrator"} <= roles
    assert len(known["providers"]) == 12
    assert sum(len(provider["caregivers"]) for provider in known["providers"]) == 96
    assert {"account", "appid", "token", "aes_key"} == set(known["wechat"][0])
    assert {"app_key", "secret"} == set(known["telephony"])
    assert {"vendor", "app_key", "secret"} == set(known["devices"][0])
    assert {"phone", "elder_id"} == set(known["families"][0])
    async with database.transaction() as tx:
        kept = {row["key"] for row in await tx.fetch("SELECT key FROM app_key")}
    assert {provider["app_key"] for provider in known["providers"]} <= kept


PLAIN = """SELECT c.table_name, c.column_name FROM information_schema.columns c
WHERE c.table_schema = 'public' AND c.data_type IN ('text', 'bytea', 'jsonb', 'ARRAY')
  AND c.table_name NOT LIKE 'pgqueuer%'"""


async def _found_in(database: Database, needle: str) -> set[str]:
    """Columns that hold the text, in the open or as bytes."""
    hexed = needle.encode().hex()
    found = set()
    async with database.transaction() as tx:
        for row in await tx.fetch(PLAIN):
            table, column = row["table_name"], row["column_name"]
            holds = f'strpos("{column}"::text, $1) > 0 OR strpos("{column}"::text, $2) > 0'
            sql = f'SELECT EXISTS (SELECT FROM "{table}" WHERE {holds})'
            if await tx.fetchval(sql, needle, hexed):
                found.add(f"{table}.{column}")
    return found


@pytest.mark.parametrize("needle", [phone(1, 0)[:8], phone(2, 0)[:8], phone(3, 0)[:8], "示例楼", "高血压"])
async def test_nothing_personal_lies_open(loaded: tuple[Database, Settings], needle: str) -> None:
    assert await _found_in(loaded[0], needle) == set()


async def test_the_search_for_plain_text_would_find_it(loaded: tuple[Database, Settings]) -> None:
    """Negative control: offices' numbers are public, and the search sees them."""
    assert await _found_in(loaded[0], phone(4, 0)[:8]) == {"provider.phone"}


async def test_id_numbers_are_right_and_nobodys(loaded: tuple[Database, Settings]) -> None:
    database, _ = loaded
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT id, id_number, birth_date, sex FROM elder")
        numbers = [(tx.vault.open("elder.id_number", row["id"], row["id_number"]), row) for row in rows]
    assert len({number for number, _ in numbers}) == 400
    for number, row in numbers:
        read = id_numbers.parse(number, row["birth_date"].replace(year=2020))
        assert read.warnings == ()
        assert (read.birth_date, read.sex) == (row["birth_date"], row["sex"])
        assert number.startswith("6203")
        assert 990 <= int(number[14:17]) <= 999


async def test_credit_codes_are_valid(loaded: tuple[Database, Settings]) -> None:
    async with loaded[0].transaction() as tx:
        codes = [row["uscc"] for row in await tx.fetch("SELECT uscc FROM provider")]
    assert len(set(codes)) == 12
    assert all(credit_codes.is_valid(code) for code in codes)


async def test_half_of_the_elders_have_help_bought_for_them(loaded: tuple[Database, Settings]) -> None:
    entitled = await _count(loaded[0], "SELECT count(DISTINCT elder_id) FROM entitlement")
    assert 140 <= entitled <= 260


async def test_histories_begin_placed_and_never_leave_the_table(loaded: tuple[Database, Settings]) -> None:
    from app.orders.lifecycle import may_move

    async with loaded[0].transaction() as tx:
        rows = await tx.fetch("SELECT order_id, before, after FROM order_history ORDER BY order_id, seq")
    seen: dict[Any, str] = {}
    for row in rows:
        assert row["before"] == seen.get(row["order_id"])
        moved = row["before"] is None and row["after"] == "placed"
        same = row["before"] == row["after"]
        assert moved or same or may_move(Status(row["before"]), Status(row["after"]))
        seen[row["order_id"]] = row["after"]
