"""Alembic's way to the database: one asyncpg connection, one transaction per migration.

Started through `app.serving.migrations`, which passes the connection in; `alembic` on the command line
works as well and takes DATABASE_URL.
"""

from __future__ import annotations

import asyncio
import os

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.core.dsn import sqlalchemy_url
from app.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
        version_table="alembic_version",
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_run() -> None:
    engine = create_async_engine(
        sqlalchemy_url(os.environ["DATABASE_URL"]),
        poolclass=NullPool,
        connect_args={"server_settings": {"timezone": "UTC", "lock_timeout": "5s"}},
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


handed_in: Connection | None = context.config.attributes.get("connection")
if handed_in is not None:
    _run(handed_in)
else:
    asyncio.run(_connect_and_run())
