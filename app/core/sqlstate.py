"""What a failure of the database means, whichever layer raised it."""

from __future__ import annotations

from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError

from app.core.errors import Unavailable


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
    if state[:2] in {"08", "53", "57"} or state in {"25006", "25P03", "55P03"} or is_lost(failure):
        return away()
    return None


def away() -> Unavailable:
    return Unavailable("database_unavailable", "the database is not reachable just now", retry_after_s=3)


_LAST_WORD = ("another operation (2) is in progress", "Expected list, got dict")
"""The driver's refusals on a connection where a dying server has said its last word but not hung up yet: it is still
reading the rest of an error that came unasked. Whatever is asked then, a statement or BEGIN, finds that error's fields
where rows should be."""


def is_lost(failure: BaseException) -> bool:
    """Whether the connection is of no use any more."""
    if isinstance(failure, DBAPIError) and failure.connection_invalidated:
        return True
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, asyncpg.InterfaceError) and "closed" in str(cause):
            return True
        if isinstance(cause, (asyncpg.InternalClientError, TypeError)) and str(cause).endswith(_LAST_WORD):
            return True
        cause = cause.__cause__
    return False
