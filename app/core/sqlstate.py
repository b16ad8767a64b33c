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
    if state[:2] in {"08", "53", "57"} or state in {"25006", "25P03", "55P03"} or _lost(failure):
        return away()
    return None


def away() -> Unavailable:
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
