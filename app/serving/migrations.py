"""The schema: bringing a database to the newest revision, and asking which one it has.

Revisions are the files `migrations/versions/NNNN_*.py`, one line of descent, four-digit ids equal to the
file number.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from app.core.dsn import sqlalchemy_url
from app.core.sqlstate import sqlstate_of
from app.serving.failures import ServingFailure

ADVISORY_LOCK = 0x4E75616E7869616E  # "Nuanxian": several starters migrate one after the other
SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
_LOCK_TIMEOUT = "5s"
_LOCKED_OUT = "55P03"
_TRIES = 6


def upgrade(dsn: str, revision: str = "head", *, schema: str = "public") -> None:
    """Bring the database at `dsn` to `revision`. Blocking; must not be called inside an event loop.

    A migration that does not get its locks within 5 s is repeated; the ones before it stay done.
    Raises ServingFailure when the database is ahead of this program or stays locked.
    """
    asyncio.run(aupgrade(dsn, revision, schema=schema))


async def aupgrade(dsn: str, revision: str = "head", *, schema: str = "public") -> None:
    """`upgrade` for callers inside an event loop."""
    engine = create_async_engine(
        sqlalchemy_url(dsn),
        poolclass=NullPool,
        connect_args={
            "server_settings": {
                "timezone": "UTC",
                "lock_timeout": _LOCK_TIMEOUT,
                "search_path": schema if schema == "public" else f"{schema}, public",
                "idle_in_transaction_session_timeout": "0",
            }
        },
    )
    try:
        async with engine.connect() as guard:
            await _take_turn(guard)
            if schema != "public":
                await guard.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{_plain(schema)}"'))
                await guard.commit()
            async with engine.connect() as connection:
                await _upgrade_patiently(connection, revision)
    finally:
        await engine.dispose()


def newest_revision() -> str | None:
    """The revision this program was written for; None while there are no migrations."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def new_revision(message: str) -> Path:
    """Write an empty migration under the next number and return its path."""
    head = newest_revision()
    number = f"{int(head or 0) + 1:04d}"
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40]
    config = _config()
    config.set_main_option("file_template", f"{number}_{slug}")
    script = command.revision(config, message=message, rev_id=number)
    if script is None or isinstance(script, list):
        raise ServingFailure("Alembic did not write a single revision.")
    return Path(script.path)


async def _take_turn(guard: AsyncConnection) -> None:
    """A session lock, asked for again and again: a waiting statement's snapshot would stop
    CREATE INDEX CONCURRENTLY in the migration we wait for."""
    await guard.execution_options(isolation_level="AUTOCOMMIT")
    ask = text(f"SELECT pg_try_advisory_lock({ADVISORY_LOCK})")
    while not (await guard.execute(ask)).scalar():  # noqa: ASYNC110
        await asyncio.sleep(0.2)


async def _upgrade_patiently(connection: AsyncConnection, revision: str) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            await connection.run_sync(_run, revision)
            await connection.commit()
            return
        except DBAPIError as failure:
            await connection.rollback()
            if sqlstate_of(failure) != _LOCKED_OUT:
                raise
            await asyncio.sleep(attempt)
    raise ServingFailure("The schema cannot be changed now: other sessions hold its tables. Try again later.")


def _run(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = _current(connection)
    if found is not None and found not in known:
        raise ServingFailure(
            f"The database is at revision {found}, which this program does not know: a newer version "
            "wrote it. Run that version, or restore a backup from before its migration."
        )
    command.upgrade(config, revision)


def _current(connection: Connection) -> str | None:
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        connection.rollback()
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    connection.rollback()
    return None if found is None else str(found)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _plain(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ServingFailure(f"{name!r} is not a plain schema name.")
    return name
