"""Several writes in one statement. Pure.

A round trip costs more than most of our rows. Writes that nobody reads back before the commit (a feed entry, an audit
row, an idempotency key) are therefore collected and sent as one statement with WITH. Its parts all see the table as
it was before, and are not carried out in the order they are named: so two writes to one table share a statement only
as rows of one INSERT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

_PLAIN_INSERT = re.compile(r"INSERT INTO [^$]*VALUES \([^()]*\)", re.DOTALL)
_PLACEHOLDER = re.compile(r"\$(\d+)")


class Write(NamedTuple):
    """One write to `table`, with its arguments."""

    table: str
    sql: str
    args: tuple[Any, ...]


def statements(writes: Iterable[Write]) -> list[tuple[str, list[Any]]]:
    """As few statements, each with its arguments, as carry out `writes` in their order."""
    rounds: list[dict[str, list[Write]]] = [{}]
    for write in writes:
        same = rounds[-1].get(write.table)
        if same is None:
            rounds[-1][write.table] = [write]
        elif same[0].sql == write.sql and _PLAIN_INSERT.fullmatch(write.sql):
            same.append(write)
        else:
            rounds.append({write.table: [write]})
    return [_statement(list(together.values())) for together in rounds]


def _statement(together: list[list[Write]]) -> tuple[str, list[Any]]:
    texts = tuple((repeated(same[0].sql, len(same[0].args), len(same)), _count(same)) for same in together)
    return joined(texts), [value for same in together for write in same for value in write.args]


def _count(same: list[Write]) -> int:
    return len(same[0].args) * len(same)


@lru_cache(maxsize=512)
def joined(statements: tuple[tuple[str, int], ...]) -> str:
    """One statement out of several `(sql, number of arguments)`; its arguments are theirs, one after the other.

    They must not depend on each other.
    """
    offset, parts = 0, []
    for sql, count in statements:
        parts.append(_shifted(sql, offset))
        offset += count
    *before, last = parts
    if not before:
        return last
    named = ", ".join(f"part{number} AS ({sql})" for number, sql in enumerate(before))
    return f"WITH {named} {last}"


@lru_cache(maxsize=128)
def repeated(sql: str, count: int, times: int) -> str:
    """An INSERT of one row with `count` arguments, made into one of `times` rows that are written in their order."""
    if times == 1:
        return sql
    head, row = sql.rsplit("VALUES ", 1)
    return f"{head}VALUES {', '.join(_shifted(row, count * number) for number in range(times))}"


def _shifted(sql: str, offset: int) -> str:
    return _PLACEHOLDER.sub(lambda found: f"${int(found[1]) + offset}", sql)
