"""Database addresses as people write them."""

from __future__ import annotations

import pytest

from app.core.dsn import asyncpg_dsn, sqlalchemy_url, without_password

ADDRESSES = [
    ("postgres://u:p@h:5433/d", "//u:p@h:5433/d", "//u:p@h:5433/d"),
    ("postgresql+asyncpg://u@h/d", "//u@h/d", "//u@h/d"),
    ("postgresql://u@/d?host=/run/pg&port=5432", "//u@/d?host=%2Frun%2Fpg&port=5432", None),
    (
        "postgresql://u@h/d?connect_timeout=3&sslmode=require",
        "//u@h/d?ssl=require",
        "//u@h/d?sslmode=require",
    ),
    ("postgresql://u:p%40ss@h/d", "//u:p%40ss@h/d", "//u:p%40ss@h/d"),
    (
        "postgresql://u@/d?host=a:1&host=b:2&target_session_attrs=read-write",
        "//u@/d?host=a%3A1&host=b%3A2&target_session_attrs=read-write",
        None,
    ),
]


@pytest.mark.parametrize(("written", "for_sqlalchemy", "for_asyncpg"), ADDRESSES)
def test_addresses_are_translated(written: str, for_sqlalchemy: str, for_asyncpg: str | None) -> None:
    assert sqlalchemy_url(written) == "postgresql+asyncpg:" + for_sqlalchemy
    assert sqlalchemy_url(sqlalchemy_url(written)) == sqlalchemy_url(written)
    assert asyncpg_dsn(written) == "postgresql:" + (for_asyncpg or for_sqlalchemy)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("mysql://h/d", "not mysql"),
        ("sqlite:///x.db", "not sqlite"),
        ("nonsense", "not of the form"),
        ("postgresql://h", "names no database"),
        ("postgresql://h/d?options=-csearch_path%3Dx", "cannot honour: options"),
    ],
)
def test_what_cannot_be_honoured_is_refused(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        sqlalchemy_url(written)


def test_passwords_are_not_shown() -> None:
    assert "secret" not in without_password("postgresql://u:secret@h/d")
