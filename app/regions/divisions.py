"""Division codes. Pure: GB/T 2260 (6 digits) extended to township (9) and village (12).

Two digits province, two prefecture, two county, three township, three village; trailing zero groups mean "the
whole of". Codes are text, never numbers. "000000" stands for the country.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

NATION = "000000"
_LENGTHS = (6, 9, 12)
_GROUP_ENDS = (2, 4, 6, 9, 12)


def is_code(code: str) -> bool:
    """Six, nine or twelve ASCII digits."""
    return len(code) in _LENGTHS and code.isascii() and code.isdigit()


@lru_cache(maxsize=4096)
def prefix_of(code: str) -> str:
    """The digits that every code inside this division starts with: "620300" → "6203", "000000" → "".

    Raises ValueError when `code` is no division code.
    """
    if not is_code(code):
        raise ValueError(f"not a division code: {code!r}")
    end = len(code)
    for start, stop in reversed(list(zip((0, *_GROUP_ENDS), _GROUP_ENDS, strict=False))):
        if stop > len(code):
            continue
        if code[start:stop].strip("0"):
            break
        end = start
    return code[:end]


def covers(scope: str, code: str) -> bool:
    """Does the division `scope` contain `code` (or equal it)?"""
    return code.startswith(prefix_of(scope))


def covers_any(scopes: Iterable[str], code: str) -> bool:
    """Does one of `scopes` contain `code`? No scope contains nothing."""
    return any(covers(scope, code) for scope in scopes)


def lineage(code: str) -> list[str]:
    """The division and everything around it, most specific first, ending with the country.

    "620302001001" → 620302001001, 620302001, 620302, 620300, 620000, 000000. Rows of policy are chosen by the
    first hit.
    """
    prefix = prefix_of(code)
    ends = [end for end in reversed(_GROUP_ENDS) if end <= len(prefix)]
    return [prefix[:end].ljust(6, "0") for end in ends] + [NATION]


def scope_ranges(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Half-open text ranges [low, high) that hold exactly the codes inside `codes`; disjoint, ascending.

    For `division_code >= low AND division_code < high`. Bounds are digits, or the letter "a" behind the last
    number, so that they compare alike under every collation.
    """
    ranges: list[tuple[str, str]] = []
    for prefix in sorted({prefix_of(code) for code in codes}):
        if ranges and prefix.startswith(ranges[-1][0]):
            continue
        ranges.append((prefix, _next(prefix)))
    return ranges


def _next(prefix: str) -> str:
    digits = prefix.rstrip("9")
    return str(int(digits) + 1).zfill(len(digits)) if digits else "a"


def is_rural(code: str) -> bool:
    """Towns (1) and townships (2, 3) by the first digit of the township group; street offices (0) are urban."""
    return len(code) >= 9 and code[6] in "123"
