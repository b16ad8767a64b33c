"""Addresses of databases. People write what psql takes; SQLAlchemy and asyncpg each want it their way."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

_SCHEMES = {"postgres", "postgresql", "postgresql+asyncpg"}
_KEPT = {"host", "port", "target_session_attrs"}
_MEANINGLESS = {
    "application_name",
    "channel_binding",
    "connect_timeout",
    "gssencmode",
}  # ours, or libpq's alone


def sqlalchemy_url(dsn: str) -> str:
    """`postgresql+asyncpg://…` for `create_async_engine`; `sslmode` becomes asyncpg's `ssl`.

    Raises ValueError for another database's address and for parameters that could not be honoured.
    """
    url, ssl = _parsed(dsn)
    query = dict(url.query) | ({"ssl": ssl} if ssl else {})
    return url.set(drivername="postgresql+asyncpg", query=query).render_as_string(hide_password=False)


def asyncpg_dsn(dsn: str) -> str:
    """`postgresql://…` for `asyncpg.connect` and for psql. Raises ValueError as `sqlalchemy_url` does."""
    url, ssl = _parsed(dsn)
    query = dict(url.query) | ({"sslmode": ssl} if ssl else {})
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)


def without_password(dsn: str) -> str:
    """The address as it may appear in a log or on a screen."""
    return _parsed(dsn)[0].set(drivername="postgresql").render_as_string(hide_password=True)


def _parsed(dsn: str) -> tuple[URL, str | None]:
    try:
        url = make_url(dsn.strip())
    except (ArgumentError, ValueError):
        raise ValueError("the database address is not of the form postgresql://user@host/database") from None
    if url.drivername not in _SCHEMES:
        raise ValueError(f"the database must be PostgreSQL, not {url.drivername}")
    if not url.database:
        raise ValueError("the database address names no database")
    query = {name: value for name, value in url.query.items() if name not in _MEANINGLESS}
    modes = [query.pop(name) for name in ("ssl", "sslmode") if name in query]
    if unknown := set(query) - _KEPT:
        raise ValueError(f"the address has parameters we cannot honour: {', '.join(sorted(unknown))}")
    return url.set(query=query), str(modes[0]) if modes else None
