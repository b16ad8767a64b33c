"""One real PostgreSQL per test process, in memory, migrated once; fixtures for transactions and the API.

`DATABASE_URL_TEST` (or `DATABASE_URL`) names another server to use; its role must be a superuser.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import httpx
import hypothesis
import pytest
from sqlalchemy import make_url

from app.core.config import Settings
from app.core.crypto import Vault
from app.core.db import Database, Tx
from app.core.dsn import asyncpg_dsn
from app.core.events import Bus
from app.serving import migrations, postgres
from tests.world import World

MASTER_KEY = "6e75616e7869616e" * 4
TEMPLATE = "nuanxian_template"
_HOMES = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir())  # noqa: S108
_PREFIX = "nuanxian-tests-"

# Rows that migrations brought stay; everything else goes. Foreign keys and triggers are off meanwhile.
CLEAN = """DO $$
DECLARE t text; filled boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  SET LOCAL lock_timeout = '5s';
  FOR t IN SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'p')
    AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', t) INTO filled;
    CONTINUE WHEN NOT filled;
    EXECUTE format('DELETE FROM %s', t);
    IF to_regclass('kept.' || t) IS NOT NULL THEN
      EXECUTE format('INSERT INTO %s OVERRIDING SYSTEM VALUE SELECT * FROM kept.%s', t, t);
    END IF;
  END LOOP;
END $$"""
KEEP = """DO $$
DECLARE t text; filled boolean;
BEGIN
  CREATE SCHEMA IF NOT EXISTS kept;
  FOR t IN SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r'
    AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', t) INTO filled;
    IF filled THEN EXECUTE format('CREATE TABLE kept.%s AS TABLE %s', t, t); END IF;
  END LOOP;
END $$"""


# How long an example takes to make says something about the machine, nothing about the product.
hypothesis.settings.register_profile("house", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None)
hypothesis.settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--recorded-ami", default=None, help="a folder of recorded Asterisk manager streams (JSON), which are not ours"
    )
    parser.addoption(
        "--every-width",
        action="store_true",
        help="every story at every width in both themes, with pictures in var/faces",
    )


@dataclass(frozen=True)
class TestServer:
    """Addresses on the server of this test process: for the product's role, and for a superuser."""

    __test__ = False

    product: str
    superuser: str

    def dsn(self, database: str, *, superuser: bool = False) -> str:
        """`postgresql://` address of one database."""
        url = make_url(self.superuser if superuser else self.product)
        return url.set(database=database).render_as_string(hide_password=False)

    async def clone(self, name: str, template: str = TEMPLATE) -> str:
        """A fresh copy of the migrated template; returns its address."""
        await self.drop(name)
        await self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.dsn(name)

    async def drop(self, name: str) -> None:
        """Drop a database whoever is connected: even autovacuum, which only a superuser may end."""
        await self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', superuser=True)

    async def run(self, statement: str, *, superuser: bool = False) -> None:
        connection = await asyncpg.connect(self.superuser if superuser else self.product)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def server() -> Iterator[TestServer]:
    """The server: a throw-away one, or the one the environment names."""
    named = os.environ.get("DATABASE_URL_TEST") or os.environ.get("DATABASE_URL")
    if named:
        yield TestServer(asyncpg_dsn(named), asyncpg_dsn(named))
        return
    _sweep_leftovers()
    home = _HOMES / f"{_PREFIX}{os.getpid()}"
    started = postgres.start(home, durable=False, bound=True)
    try:
        yield TestServer(started.dsn(), started.dsn(user="postgres"))
    finally:
        started.stop()
        shutil.rmtree(home, ignore_errors=True)


def _sweep_leftovers() -> None:
    """Remove what killed test runs left; their servers died with them."""
    for home in _HOMES.glob(f"{_PREFIX}*"):
        owner = home.name.removeprefix(_PREFIX)
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
async def template(server: TestServer) -> AsyncIterator[str]:
    """Name of the migrated, otherwise empty database that others are copied from."""
    name = f"{TEMPLATE}_{secrets.token_hex(4)}"
    await server.run(f'CREATE DATABASE "{name}"')
    await migrations.aupgrade(server.dsn(name))
    connection = await asyncpg.connect(server.dsn(name))
    await connection.execute(KEEP)
    await connection.close()
    yield name
    await server.drop(name)


def vault() -> Vault:
    """The vault of all tests; its key is known to everybody and worth nothing."""
    return Vault({1: bytes.fromhex(MASTER_KEY)})


def wired_bus() -> Bus:
    """The bus as the product wires it."""
    if find_spec("app.wiring") is None:
        return Bus()
    from app.wiring import bus

    return bus()


@pytest.fixture(scope="session")
async def shared_database(server: TestServer, template: str) -> AsyncIterator[Database]:
    """The one database of this test process. Tests take `database` or `tx`, which leave it empty."""
    name = f"nuanxian_test_{secrets.token_hex(4)}"
    dsn = await server.clone(name, template)
    database = Database(dsn, vault=vault(), bus=wired_bus(), pool_size=20)
    yield database
    await database.close()
    await server.drop(name)


class _RollBack(Exception):
    pass


@pytest.fixture
async def tx(shared_database: Database) -> AsyncIterator[Tx]:
    """An open transaction that is rolled back after the test. NOTIFY is not delivered from it."""
    shared_database.cache.clear()
    with suppress(_RollBack):
        async with shared_database.transaction() as transaction:
            yield transaction
            raise _RollBack


async def sweep(server: TestServer, database: Database) -> None:
    """Delete every row that was not there after the migrations."""
    name = make_url(database.dsn).database
    assert name is not None
    connection = await asyncpg.connect(server.dsn(name, superuser=True))
    try:
        await connection.execute(CLEAN)
    finally:
        await connection.close()


@pytest.fixture
async def clean_database(server: TestServer, shared_database: Database) -> AsyncIterator[Database]:
    """A database for real commits and several connections; emptied after the test."""
    shared_database.cache.clear()
    yield shared_database
    await sweep(server, shared_database)


@pytest.fixture
def database(clean_database: Database) -> Database:
    return clean_database


@pytest.fixture
def settings(tmp_path: Path, shared_database: Database) -> Settings:
    """Settings of a development deployment over the test database."""
    return Settings(
        environment="development",
        database_url=shared_database.dsn,
        data_dir=tmp_path,
        base_url="https://nuanxian.test",
        demo=False,
        master_key=MASTER_KEY,
    )


@pytest.fixture
async def api(settings: Settings, clean_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application without a network; an unexpected exception reaches the test."""
    from app.main import create_app

    transport = httpx.ASGITransport(app=create_app(settings, clean_database))
    async with httpx.AsyncClient(transport=transport, base_url="https://nuanxian.test") as client:
        yield client


@pytest.fixture
def world() -> World:
    return World()
