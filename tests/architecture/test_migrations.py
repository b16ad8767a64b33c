"""The migrated schema is the declared one; revisions are numbered files in one line; there is a way back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from types import ModuleType

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Integer, MetaData, Table
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.core.dsn import sqlalchemy_url
from app.serving import migrations
from app.tables import metadata
from tests.architecture import catalog
from tests.conftest import TestServer

MIGRATED, DECLARED = (f"nuanxian_{kind}_{token_hex(4)}" for kind in ("migrated", "declared"))
"""Names of this process alone: several may share a server."""
VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"


@pytest.fixture
async def migrated(server: TestServer, template: str) -> AsyncIterator[AsyncEngine]:
    """A migrated database of its own."""
    engine = create_async_engine(sqlalchemy_url(await server.clone(MIGRATED, template)), poolclass=NullPool)
    yield engine
    await engine.dispose()
    await server.drop(MIGRATED)


def drift(connection: Connection, declared: MetaData) -> list[object]:
    """What Alembic would write into the next migration."""

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and (name or "").startswith("pgqueuer"))

    options = {"compare_type": True, "compare_server_default": True, "include_name": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), declared))


async def test_nothing_is_left_to_migrate(migrated: AsyncEngine) -> None:
    async with migrated.connect() as connection:
        assert await connection.run_sync(drift, metadata) == []


async def test_an_undeclared_or_unmigrated_table_is_reported(migrated: AsyncEngine) -> None:
    declared = MetaData()
    for table in metadata.tables.values():
        if table.name != "job_receipt":
            table.to_metadata(declared)
    Table("annex", declared, Column("id", Integer, primary_key=True))
    async with migrated.connect() as connection:
        found = str(await connection.run_sync(drift, declared))
    assert "job_receipt" in found
    assert "annex" in found


async def test_the_catalogs_agree(server: TestServer, migrated: AsyncEngine) -> None:
    """Also where Alembic does not look: checks, exclusions, the exact words of defaults and indexes."""
    dsn = await server.clone(DECLARED, "template0")
    try:
        engine = create_async_engine(sqlalchemy_url(dsn), poolclass=NullPool)
        async with engine.begin() as connection:
            for extension in ("btree_gist", "pg_trgm"):
                await connection.exec_driver_sql(f"CREATE EXTENSION {extension}")
            await connection.run_sync(metadata.create_all)
        await engine.dispose()
        declared = await catalog.describe(dsn)
        assert len(declared) > 200
        found = catalog.differences(await catalog.describe(server.dsn(MIGRATED)), declared)
        assert not found, "\n".join(found)
        async with migrated.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE job_receipt ADD CONSTRAINT ck_annex CHECK (job_id > 0)")
            await connection.exec_driver_sql("ALTER TABLE job_receipt ALTER done_at SET DEFAULT now()")
        found = catalog.differences(await catalog.describe(server.dsn(MIGRATED)), declared)
        assert any("ck_annex" in one for one in found)
        assert any("default now()" in one for one in found)
    finally:
        await server.drop(DECLARED)


async def test_down_to_nothing_and_up_again(server: TestServer, migrated: AsyncEngine) -> None:
    before = await catalog.describe(server.dsn(MIGRATED))

    def down(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(migrations.SCRIPTS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

    async with migrated.connect() as connection:
        await connection.run_sync(down)
        await connection.commit()
    assert await catalog.describe(server.dsn(MIGRATED)) == set()
    await migrations.aupgrade(server.dsn(MIGRATED))
    assert await catalog.describe(server.dsn(MIGRATED)) == before


def misnumbered(files: list[tuple[str, ModuleType]]) -> list[str]:
    """Revisions whose number is not their file's, or that do not follow the one before."""
    found, before = [], None
    for name, module in files:
        number = name[:4]
        if not re.fullmatch(r"\d{4}_[a-z0-9_]+", name) or module.revision != number:
            found.append(f"{name} calls itself {module.revision}")
        if module.down_revision != before or number != f"{int(before or 0) + 1:04d}":
            found.append(f"{name} follows {module.down_revision}, not {before}")
        before = number
    return found


def revisions() -> list[tuple[str, ModuleType]]:
    return [(file.stem, import_module(f"migrations.versions.{file.stem}")) for file in sorted(VERSIONS.glob("*.py"))]


def test_revisions_are_numbered_files_in_one_line() -> None:
    assert len(revisions()) >= 16
    assert misnumbered(revisions()) == []


@pytest.mark.parametrize(
    ("name", "revision", "follows"),
    [("0002_b", "0003", "0001"), ("0002_b", "0002", "0000"), ("0003_b", "0003", "0001"), ("2_b", "2", "0001")],
)
def test_a_misnumbered_revision_is_reported(name: str, revision: str, follows: str) -> None:
    first, second = ModuleType("a"), ModuleType("b")
    first.revision, first.down_revision = "0001", None  # type: ignore[attr-defined]
    second.revision, second.down_revision = revision, follows  # type: ignore[attr-defined]
    assert misnumbered([("0001_a", first), (name, second)])
