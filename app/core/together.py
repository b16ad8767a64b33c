"""Several writes in one statement. Pure text.

A round trip costs more than most of our rows. Rows that nobody reads back before the commit (a feed entry, an audit
row, an idempotency key) are therefore collected and sent as one statement with WITH.
"""

from __future__ import annotations

import re
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\$(\d+)")


@lru_cache(maxsize=512)
def joined(statements: tuple[tuple[str, int], ...]) -> str:
    """One statement out of several `(sql, number of arguments)`; its arguments are theirs, one after the other.

    The last one is the main statement and may return rows. The parts must not depend on each other.
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
    head, row = sql.rsplit("VALUES ", 1)
    return f"{head}VALUES {', '.join(_shifted(row, count * number) for number in range(times))}"


def _shifted(sql: str, offset: int) -> str:
    return _PLACEHOLDER.sub(lambda found: f"${int(found[1]) + offset}", sql)
