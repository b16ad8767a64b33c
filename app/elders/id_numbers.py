"""Citizen identity numbers, GB 11643-1999, and the 15-digit form before it. Pure.

The division at the front may be abolished long since, so nothing is concluded from it. A wrong check digit is a
warning and not a refusal: the number was read over the telephone, and the caller needs help today.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_WIDE = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789Xx")


@dataclass(frozen=True, slots=True)
class IdNumber:
    """`number` is the normal form: 18 characters when it has that shape, else what was typed without spaces.

    `birth_date` and `sex` are None when the number does not tell. `warnings` are codes:
    `id_number_check_digit`, `id_number_birth_date`, `id_number_shape`, `id_number_upgraded`.
    """

    number: str
    raw: str
    birth_date: date | None
    sex: str | None
    warnings: tuple[str, ...]


def check_digit(first17: str) -> str:
    """The 18th character for 17 digits."""
    return _CHECKS[sum(int(d) * w for d, w in zip(first17, _WEIGHTS, strict=True)) % 11]


def parse(typed: str, today: date) -> IdNumber:
    """Read a number as people give it. Never raises; what is odd about it is in `warnings`."""
    compact = re.sub(r"[\s\-·]", "", typed.translate(_WIDE)).upper()
    warnings: list[str] = []
    number = compact
    if re.fullmatch(r"[0-9]{15}", compact):
        # First generation: two-digit year, always of the 1900s, and no check digit.
        first17 = compact[:6] + "19" + compact[6:]
        number = first17 + check_digit(first17)
        warnings.append("id_number_upgraded")
    elif not re.fullmatch(r"[0-9]{17}[0-9X]", compact):
        return IdNumber(compact, typed.strip(), None, None, ("id_number_shape",))
    if number[17] != check_digit(number[:17]):
        warnings.append("id_number_check_digit")
    birth_date = _birth_date(number[6:14], today)
    if birth_date is None:
        warnings.append("id_number_birth_date")
    sex = "male" if int(number[16]) % 2 else "female"
    return IdNumber(number, typed.strip(), birth_date, sex, tuple(warnings))


def _birth_date(digits: str, today: date) -> date | None:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return born if date(1850, 1, 1) <= born <= today else None
