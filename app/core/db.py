"""The pool of connections. One request or task is one transaction (`core.tx`); nobody below the edge commits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from types import TracebackType
from typing import Any

import asyncpg
from sqlalchemy import MetaData, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from app.core.cache import Cache
from app.core.crypto import Vault
from app.core.dsn import sqlalchemy_url
from app.core.errors import Unavailable
from app.core.events import Bus
from app.core.json import dumps, loads
from app.core.sqlstate import away, is_lost
from app.core.tx import Tx as Tx

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables hang on this one metadata; Alembic compares it with the migrated schema."""

    metadata = MetaData(naming_convention=NAMING)


def one_of(column: str, words: Iterable[str]) -> str:
    """A CHECK that a column holds one of an enum's words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"{column} IN ({listed})"


def _replace_if_unfit(connection: Any, _record: Any, _proxy: Any) -> None:
    """Keep the pool from handing out what a restarted server closed, which raw statements hide from SQLAlchemy, and
    what is still in somebody's transaction."""
    driver = connection.driver_connection
    if driver.is_closed() or driver.is_in_transaction():
        raise DisconnectionError


class Database:
    """The pool of one process."""

    def __init__(
        self,
        dsn: str,
        *,
        vault: Vault,
        bus: Bus | None = None,
        schema: str = "public",
        pool_size: int = 10,
        pool_timeout: float = 5,
    ) -> None:
        self.dsn = dsn
        self.bus = bus or Bus()
        self.vault = vault
        self.cache = Cache()
        self.pool_size = pool_size
        self.schema = schema
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(dsn),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout,
            pool_recycle=1800,
            pool_use_lifo=True,  # the connection used last has its statements and their tables at hand
            hide_parameters=True,  # the text of an error must not quote what people told us
            json_serializer=dumps,
            json_deserializer=loads,
            connect_args={
                "timeout": 5,
                "statement_cache_size": 1000,
                "max_cached_statement_lifetime": 0,  # a plan does not grow old; pool_recycle sees to the rest
                "server_settings": {
                    "timezone": "UTC",
                    "jit": "off",
                    "application_name": "nuanxian",
                    # Our statements look rows up by key: a plan per call costs more than the call itself.
                    "plan_cache_mode": "force_generic_plan",
                    # One forgotten transaction would hold back every reader of the feed.
                    "idle_in_transaction_session_timeout": "15s",
                },
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _replace_if_unfit)
        self._longest_wait_s = 0.0

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """READ COMMITTED; commits when the block ends well, rolls back otherwise.

        Raises Unavailable when no connection is to be had.
        """
        return _Transaction(self)

    def statements(self) -> AbstractAsyncContextManager[Tx]:
        """No transaction: every plain statement stands for itself, whatever becomes of the next one."""
        return _Transaction(self, begins=False)

    def serializable(self) -> AbstractAsyncContextManager[Tx]:
        """SERIALIZABLE, for settlement runs only; the caller repeats on `is_retryable`."""
        return _Transaction(self, isolation="serializable")

    async def connection(self) -> PoolProxiedConnection:
        """One connection out of the pool. Raises Unavailable when none is to be had."""
        began = perf_counter()
        try:
            return await greenlet_spawn(self.engine.sync_engine.raw_connection)
        except PoolTimeout as full:
            raise Unavailable("overloaded", "too many requests at once", retry_after_s=2) from full
        except (OSError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
            raise away() from failure
        finally:
            self._longest_wait_s = max(self._longest_wait_s, perf_counter() - began)

    def longest_wait_s(self) -> float:
        """How long somebody had to wait for a connection since this was asked last."""
        longest, self._longest_wait_s = self._longest_wait_s, 0.0
        return longest

    async def close(self) -> None:
        await self.engine.dispose()


class _Transaction:
    """`async with`: a connection, and a `Tx` on it. Without SQLAlchemy's own context managers, which cost more than
    three statements each time."""

    def __init__(self, database: Database, *, isolation: str | None = None, begins: bool = True) -> None:
        self._database, self._isolation, self._begins = database, isolation, begins
        self._pooled: PoolProxiedConnection | None = None

    async def __aenter__(self) -> Tx:
        owner = self._database
        pooled = self._pooled = await owner.connection()
        self._tx = Tx(owner.engine.sync_engine, pooled, owner.bus, owner.vault, owner.cache, begins=self._begins)
        try:
            await self._prepare(self._tx)
        except BaseException as failure:
            await self._release(pooled, failure)
            raise
        return self._tx

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._pooled is not None  # noqa: S101 (entered)
        try:
            if kind is None:
                await self._tx.end()
        except BaseException as failed:
            failure = failed
            raise
        finally:
            await self._release(self._pooled, failure)

    async def _prepare(self, tx: Tx) -> None:
        if self._isolation is not None:
            await tx.begin(self._isolation)
            # Few, large statements over a whole month: here a plan made for its values is worth it.
            await tx.run("SET LOCAL plan_cache_mode = force_custom_plan")
        if self._database.schema != "public":
            await tx.fetchval("SELECT set_config('search_path', $1, true)", f"{self._database.schema}, public")

    @staticmethod
    async def _release(pooled: PoolProxiedConnection, failure: BaseException | None) -> None:
        """Back into the pool, rolled back if need be, even when the caller is being cancelled; or thrown away."""
        if not pooled.is_valid:
            return
        adapted: Any = pooled.dbapi_connection
        if failure is not None and is_lost(failure):
            await asyncio.shield(greenlet_spawn(pooled.invalidate))
        elif adapted._transaction is not None:
            await asyncio.shield(greenlet_spawn(pooled.close))
        else:
            pooled.close()
