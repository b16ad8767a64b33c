"""One transaction: how statements reach the server, and when it begins and ends.

A `Tx` speaks two languages over one connection: SQLAlchemy Core for most statements, and plain asyncpg
(`fetch`, `fetchrow`, `fetchval`, `run`) for the few hottest, at a quarter of the CPU. In plain asyncpg a json or
jsonb parameter is text (`core.json.dumps`), and a json or jsonb result is already a Python value.

Round trips are what a request costs. So a transaction begins with its first statement that writes or locks: at
READ COMMITTED, what only reads before that sees the same inside and outside of it. Rows nobody reads back are put
off and sent together; and when nothing else is written, that one statement is the whole transaction.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, cast

import asyncpg
from sqlalchemy.engine import Connection, CursorResult, Engine, Row
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from app.core.cache import Cache
from app.core.crypto import Vault
from app.core.events import Bus, Event
from app.core.together import Write, statements

_READING = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_MORE_THAN_READING = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|SHARE|NEXTVAL|SET_CONFIG|PG_NOTIFY|PG_CURRENT_XACT_ID|PG_\w*ADVISORY\w*)\b",
    re.IGNORECASE,
)

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ':' || $1, 0))"


@lru_cache(maxsize=2048)
def only_reads(sql: str) -> bool:
    """Whether a statement neither writes nor locks. When in doubt: no."""
    return _READING.match(sql) is not None and _MORE_THAN_READING.search(sql) is None


@lru_cache(maxsize=8192)
def mentions(sql: str, table: str) -> bool:
    """Whether a statement may have to do with `table`: the name stands in it, and not only as a column's."""
    return re.search(rf"(?<![\w.]){table}(?!\w)", sql) is not None


class Tx:
    """One transaction with what its statements and events need. Made and ended by `Database`."""

    def __init__(
        self,
        engine: Engine,
        pooled: PoolProxiedConnection,
        bus: Bus,
        vault: Vault,
        cache: Cache,
        *,
        begins: bool = True,
    ) -> None:
        self._begins = begins
        self._engine = engine
        self._pooled = pooled
        self._adapted = cast(Any, pooled.dbapi_connection)
        self._driver = cast(asyncpg.Connection, pooled.driver_connection)
        self._core: Connection | None = None
        self._bus = bus
        self.vault = vault
        self.cache = cache
        self._later: list[Write] = []
        self._savepoints = 0

    async def execute(self, statement: Any, parameters: Any = None) -> CursorResult[Any]:
        """Run a SQLAlchemy Core statement."""
        await self.flush()
        return cast(CursorResult[Any], await greenlet_spawn(self._sqlalchemy().execute, statement, parameters))

    async def all(self, statement: Any) -> Sequence[Row[Any]]:
        return (await self.execute(statement)).all()

    async def first(self, statement: Any) -> Row[Any] | None:
        return (await self.execute(statement)).first()

    async def scalar(self, statement: Any) -> Any:
        return (await self.execute(statement)).scalar()

    async def driver_execute(self, sql: str, parameters: tuple[Any, ...]) -> CursorResult[Any]:
        """Run driver SQL ($1, $2) through SQLAlchemy's cursor, whose errors come wrapped in SQLAlchemy's."""
        await self.flush()
        return await greenlet_spawn(self._sqlalchemy().exec_driver_sql, sql, parameters)

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        return cast(list[asyncpg.Record], await (await self._ready(sql)).fetch(sql, *args))

    async def search(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """Fetch a list with filters, planned with the actual values (a custom plan): which filter is rare decides
        how to go about it. All later statements of the transaction are planned so, too."""
        await self.run("SET LOCAL plan_cache_mode = force_custom_plan")
        return await self.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        return await (await self._ready(sql)).fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        return await (await self._ready(sql)).fetchval(sql, *args)

    async def run(self, sql: str, *args: Any) -> int:
        """Execute and return the number of rows it touched."""
        status = await (await self._ready(sql)).execute(sql, *args)
        count = status.rsplit(" ", 1)[-1]
        return int(count) if count.isdigit() else 0

    async def one_at_a_time(self, *what: str) -> None:
        """Wait until nobody else in this city is at the same thing, and keep it until the transaction ends."""
        await self.run(ONE_AT_A_TIME, ":".join(what))

    def later(self, table: str, sql: str, *args: Any) -> None:
        """Write into `table` what nothing else in this transaction depends on.

        It is sent together with others: before any statement that names the table, at the latest before the commit.
        """
        self._later.append(Write(table, sql, args))

    async def flush(self) -> None:
        """Send what was put off, and go on."""
        if self._later:
            await self.raw()
            await self._send()

    async def last(self, table: str, sql: str, *args: Any) -> None:
        """The last write of this transaction, to `table`, in one statement with what was put off.

        Nothing may follow but the end: when nothing was written before, this statement is the whole transaction.
        """
        self.later(table, sql, *args)
        await self._send()

    async def _send(self) -> None:
        to_send = statements(self._later)
        self._later = []
        if len(to_send) > 1:
            await self.raw()
        for sql, args in to_send:
            await self._driver.execute(sql, *args)

    async def _ready(self, sql: str) -> asyncpg.Connection:
        """The connection, with every row written that `sql` may ask for, and begun if `sql` does more than read."""
        if self._later and any(mentions(sql, write.table) for write in self._later):
            await self.flush()
        return self._driver if only_reads(sql) else await self.raw()

    async def raw(self) -> asyncpg.Connection:
        """The asyncpg connection, with this transaction begun on it.

        SQLAlchemy sends BEGIN only with its own first statement; a raw statement that writes would commit by itself
        and survive a rollback (tests/core/test_db.py holds this).
        """
        if self._begins and self._adapted._transaction is None:
            await self.begin()
        return self._driver

    async def begin(self, isolation: str | None = None) -> None:
        """Begin now. Later statements of either language find the transaction begun."""
        transaction = self._driver.transaction(isolation=isolation)
        try:
            await transaction.start()
        except BaseException:
            # Interrupted here, the driver believes in a transaction that nobody knows of. The next one on this
            # connection would be a savepoint in it, and its commit would commit nothing.
            await asyncio.shield(greenlet_spawn(self._pooled.invalidate))
            raise
        self._adapted._transaction = transaction

    async def end(self) -> None:
        """Write what was put off, and commit what was begun."""
        if self._later:
            await self._send()
        begun = self._adapted._transaction
        if begun is not None:
            await self._adapted._call_and_discard(begun.commit)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail without losing the whole. Its savepoint stays until the end: releasing it is a trip."""
        await self.flush()
        driver = await self.raw()
        self._savepoints += 1
        name = f"part_{self._savepoints}"
        await driver.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self._later.clear()
            await driver.execute(f"ROLLBACK TO SAVEPOINT {name}")
            raise

    async def publish(self, fact: Event) -> None:
        """Tell everybody who listens, inside this transaction."""
        for hearer in self._bus.hearers(type(fact)):
            await hearer(self, fact)

    def _sqlalchemy(self) -> Connection:
        """SQLAlchemy's view of the connection; it begins with its own first statement unless we have begun."""
        if self._core is None:
            self._core = Connection(self._engine, self._pooled)
        return self._core
