"""Transactions. One request or task is one transaction; nobody below the edge commits.

A `Tx` speaks two languages over one connection: SQLAlchemy Core for most statements, and plain asyncpg
(`fetch`, `fetchrow`, `fetchval`, `run`) for the few hottest, at a quarter of the CPU. In plain asyncpg a json or
jsonb parameter is text (`core.json.dumps`), and a json or jsonb result is already a Python value.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy import MetaData, event
from sqlalchemy.engine import CursorResult, Row
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from app.core.cache import Cache
from app.core.crypto import Vault
from app.core.dsn import sqlalchemy_url
from app.core.errors import Unavailable
from app.core.events import Bus, Event
from app.core.json import dumps, loads
from app.core.together import joined, repeated

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


class Tx:
    """One open transaction with what its statements and events need."""

    def __init__(self, connection: AsyncConnection, bus: Bus, vault: Vault, cache: Cache | None = None) -> None:
        self._connection = connection
        self._asyncpg: asyncpg.Connection | None = None
        self._bus = bus
        self.vault = vault
        self.cache = cache or Cache()
        self._later: list[tuple[str, str, tuple[Any, ...]]] = []

    async def execute(self, statement: Any, parameters: Any = None) -> CursorResult[Any]:
        """Run a SQLAlchemy Core statement."""
        await self.flush()
        return cast(CursorResult[Any], await self._connection.execute(statement, parameters))

    async def all(self, statement: Any) -> Sequence[Row[Any]]:
        return (await self.execute(statement)).all()

    async def first(self, statement: Any) -> Row[Any] | None:
        return (await self.execute(statement)).first()

    async def scalar(self, statement: Any) -> Any:
        return (await self.execute(statement)).scalar()

    async def driver_execute(self, sql: str, parameters: tuple[Any, ...]) -> CursorResult[Any]:
        """Run driver SQL through SQLAlchemy's cursor; the job queue's library needs this form."""
        await self.flush()
        return await self._connection.exec_driver_sql(sql, parameters)

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        return cast(list[asyncpg.Record], await (await self._ready(sql)).fetch(sql, *args))

    async def search(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """Fetch a list with filters: what is rare decides the way, so it is planned for its values.

        So is everything after it in this transaction.
        """
        connection = await self._ready(sql)
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        return cast(list[asyncpg.Record], await connection.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        return await (await self._ready(sql)).fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        return await (await self._ready(sql)).fetchval(sql, *args)

    async def run(self, sql: str, *args: Any) -> int:
        """Execute and return the number of rows it touched."""
        status = await (await self._ready(sql)).execute(sql, *args)
        count = status.rsplit(" ", 1)[-1]
        return int(count) if count.isdigit() else 0

    def later(self, table: str, sql: str, *args: Any) -> None:
        """Insert into `table` a row that nothing else in this transaction depends on.

        It is sent together with others: before any statement that names the table, at the latest before the commit.
        """
        self._later.append((table, sql, args))

    async def flush(self) -> None:
        """Send what was put off."""
        if self._later:
            await self.last(None)

    async def last(self, sql: str | None, *args: Any) -> Any:
        """What was put off and `sql`, in one statement; the first value of `sql`, if it returns rows."""
        waiting: dict[str, list[tuple[Any, ...]]] = {}
        for _, text, values in self._later:
            waiting.setdefault(text, []).append(values)
        self._later = []
        # Rows of one kind in one INSERT: parts of a WITH are not written in the order they are named.
        texts = [(repeated(text, len(rows[0]), len(rows)), len(rows[0]) * len(rows)) for text, rows in waiting.items()]
        together = [value for rows in waiting.values() for values in rows for value in values]
        if sql is not None:
            texts.append((sql, len(args)))
        return await (await self.raw()).fetchval(joined(tuple(texts)), *together, *args)

    async def _ready(self, sql: str) -> asyncpg.Connection:
        """The connection, with every row written that `sql` may ask for."""
        if self._later and any(table in sql for table, _, _ in self._later):
            await self.flush()
        return await self.raw()

    async def raw(self) -> asyncpg.Connection:
        """The asyncpg connection, with this transaction begun on it.

        SQLAlchemy sends BEGIN only with its own first statement; without the nudge a raw statement would
        commit by itself and survive a rollback (tests/core/test_db.py holds this).
        """
        if self._asyncpg is None:
            pooled = await self._connection.get_raw_connection()
            adapted = cast(Any, pooled.dbapi_connection)
            if adapted._transaction is None:
                try:
                    await adapted._start_transaction()
                except BaseException:
                    # Interrupted here, the driver believes in a transaction that SQLAlchemy does not know of. The
                    # next one on this connection would be a savepoint in it, and its commit would commit nothing.
                    await asyncio.shield(self._connection.invalidate())
                    raise
            self._asyncpg = adapted.driver_connection
        return self._asyncpg

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail without losing the whole."""
        await self.flush()
        try:
            async with (await self.raw()).transaction():
                yield
        except BaseException:
            self._later.clear()
            raise

    async def publish(self, fact: Event) -> None:
        """Tell everybody who listens, inside this transaction."""
        for hearer in self._bus.hearers(type(fact)):
            await hearer(self, fact)


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
        self._schema = schema
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(dsn),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout,
            pool_recycle=1800,
            hide_parameters=True,  # the text of an error must not quote what people told us
            json_serializer=dumps,
            json_deserializer=loads,
            connect_args={
                "timeout": 5,
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

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """READ COMMITTED; commits when the block ends well, rolls back otherwise.

        Raises Unavailable when no connection is to be had.
        """
        return self._begin(None)

    def serializable(self) -> AbstractAsyncContextManager[Tx]:
        """SERIALIZABLE, for settlement runs only; the caller repeats on `is_retryable`."""
        return self._begin("SERIALIZABLE")

    @asynccontextmanager
    async def _begin(self, isolation: str | None) -> AsyncIterator[Tx]:
        async with self._connect() as connection:
            if isolation is not None:
                await connection.execution_options(isolation_level=isolation)
            async with connection.begin():
                if self._schema != "public":
                    await connection.exec_driver_sql(
                        "SELECT set_config('search_path', $1, true)", (f"{self._schema}, public",)
                    )
                if isolation is not None:
                    # Few, large statements over a whole month: here a plan made for its values is worth it.
                    await connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")
                tx = Tx(connection, self.bus, self.vault, self.cache)
                yield tx
                await tx.flush()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        connection = self.engine.connect()
        try:
            await connection.start()
        except PoolTimeout as full:
            raise Unavailable("overloaded", "too many requests at once", retry_after_s=2) from full
        except (OSError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
            raise _away() from away
        try:
            yield connection
        finally:
            await asyncio.shield(connection.close())

    async def close(self) -> None:
        await self.engine.dispose()


def sqlstate_of(failure: BaseException) -> str | None:
    """The five-character SQLSTATE of a database error, whichever layer raised it."""
    cause: Any = failure.orig if isinstance(failure, DBAPIError) else failure
    return getattr(cause, "sqlstate", None)


def constraint_of(failure: BaseException) -> str | None:
    """The name of the violated constraint, if the failure is a violation."""
    cause: Any = failure.orig if isinstance(failure, DBAPIError) else failure
    while cause is not None:
        name = getattr(cause, "constraint_name", None)
        if name:
            return str(name)
        cause = cause.__cause__
    return None


def is_retryable(failure: BaseException) -> bool:
    """Serialization failures and deadlocks: the same work may succeed on a second try."""
    return sqlstate_of(failure) in {"40001", "40P01"}


def is_unacceptable(failure: BaseException) -> bool:
    """A value that a column of its type cannot hold: too large, not a date, a character that text has not."""
    state = sqlstate_of(failure) or ""
    if state.startswith("22"):
        return state != "22012"  # a division by zero is our own mistake
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, asyncpg.InterfaceError) and isinstance(cause, ValueError):
            return True
        cause = cause.__cause__
    return isinstance(failure, OverflowError)


def as_unavailable(failure: BaseException) -> Unavailable | None:
    """Translate "the database is away" into our own word for it; None for any other failure.

    A connection lost during COMMIT is among them: the result is unknown, and a repetition under the same
    Idempotency-Key finds out.
    """
    state = sqlstate_of(failure) or ""
    if state[:2] in {"08", "53", "57"} or state in {"25006", "25P03", "55P03"} or _lost(failure):
        return _away()
    return None


def _away() -> Unavailable:
    return Unavailable("database_unavailable", "the database is not reachable just now", retry_after_s=3)


_LAST_WORD = "another operation (2) is in progress"
"""The driver's refusal on a connection where a dying server has said its last word but not hung up yet: state 2 of
its protocol reads the rest of an error that came unasked."""


def _lost(failure: BaseException) -> bool:
    if isinstance(failure, DBAPIError) and failure.connection_invalidated:
        return True
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, asyncpg.InterfaceError) and "closed" in str(cause):
            return True
        if isinstance(cause, asyncpg.InternalClientError) and _LAST_WORD in str(cause):
            return True
        cause = cause.__cause__
    return False
