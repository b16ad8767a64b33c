"""Which database a command works on: the one DATABASE_URL names, or the embedded one; and is it fit."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from app.core.config import Settings
from app.core.dsn import asyncpg_dsn, without_password
from app.serving import postgres
from app.serving.failures import ServingFailure

DATABASE = "nuanxian"
_OLDEST_VERSION = 150000
_PATIENCE_SECONDS = 30.0
_EXTENSIONS = ("btree_gist", "pg_trgm")
_FACTS = """
SELECT current_setting('server_version_num')::int AS version,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       pg_encoding_to_char(encoding) AS encoding,
       pg_is_in_recovery() AS replica,
       ARRAY(SELECT name::text FROM pg_available_extensions) AS extensions
  FROM pg_database WHERE datname = current_database()
"""


def embedded(settings: Settings, *, bound: bool = False) -> postgres.Server:
    """The embedded server of this data directory, running and with our database in it."""
    server = postgres.start(settings.data_dir / "postgres", bound=bound)
    server.create_database(DATABASE)
    return server


@contextmanager
def available(settings: Settings) -> Iterator[str]:
    """The address of a usable database for the length of one command.

    An embedded server that already runs is shared; one started for the command ends with it.
    """
    refuse_embedded_in_production(settings)
    if settings.database_url is not None:
        check(settings.database_url, production=settings.environment == "production")
        yield settings.database_url
        return
    server = embedded(settings, bound=True)
    try:
        yield server.dsn(DATABASE)
    finally:
        if server.started_here:
            server.stop()


def refuse_embedded_in_production(settings: Settings) -> None:
    """Raise ServingFailure when production is asked for without a database of its own."""
    if settings.environment == "production" and settings.database_url is None:
        raise ServingFailure(
            "DATABASE_URL is not set: production needs its own PostgreSQL (15 or newer), the embedded "
            "one is for trying out and developing."
        )


def check(dsn: str, *, production: bool) -> None:
    """Wait up to 30 s for the database and raise ServingFailure with all that makes it unfit."""
    facts = asyncio.run(_facts(dsn))
    if found := unfitness(facts, production=production):
        raise ServingFailure(f"The database {without_password(dsn)} is not fit:\n  " + "\n  ".join(found))


def unfitness(facts: dict[str, object], *, production: bool) -> list[str]:
    """What is wrong with a server, as sentences; `facts` are the columns of the query above."""
    found = []
    version, extensions = facts["version"], facts["extensions"]
    assert isinstance(version, int)  # noqa: S101
    assert isinstance(extensions, list)  # noqa: S101
    if version < _OLDEST_VERSION:
        found.append(f"it is PostgreSQL {version // 10000}; 15 is the oldest we support.")
    if facts["encoding"] != "UTF8":
        found.append(f"its encoding is {facts['encoding']}, not UTF8.")
    if facts["replica"]:
        found.append("it is a read-only replica.")
    found += [f"the extension {name} is not installed." for name in _EXTENSIONS if name not in extensions]
    if production:
        found += [f"{name} is off." for name in ("fsync", "full_page_writes") if facts[name] != "on"]
        if facts["synchronous_commit"] == "off":
            found.append("synchronous_commit is off: acknowledged orders could be lost.")
    return found


async def _facts(dsn: str) -> dict[str, object]:
    deadline, waiting = time.monotonic() + _PATIENCE_SECONDS, False
    while True:
        try:
            connection = await asyncpg.connect(asyncpg_dsn(dsn), timeout=5)
            break
        except ValueError as wrong:
            raise ServingFailure(f"DATABASE_URL cannot be used: {wrong}.") from None
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as refused:
            raise ServingFailure(f"The database {without_password(dsn)} refuses us: {refused}") from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
            if time.monotonic() > deadline:
                why = str(away) or type(away).__name__
                raise ServingFailure(f"The database {without_password(dsn)} does not answer: {why}") from None
            if not waiting:
                waiting = True
                print("Waiting for the database ...", file=sys.stderr, flush=True)
            await asyncio.sleep(0.5)
    try:
        return dict(await connection.fetchrow(_FACTS) or {})
    finally:
        await connection.close()
