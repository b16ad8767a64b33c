"""The fields of WeChat's templates and what fits into them. Pure.

Our wording for the channel "wechat" is a list of lines, `thing1=助餐`: the name WeChat gave the field, and what stands
in it. The first part of a name is its kind, and each kind has its own length, as documented for subscription messages;
a value that is too long or empty makes WeChat refuse the whole message. A line `page={link}` is no field: it is what
a tap opens.
"""

from __future__ import annotations

import re

LONGEST = {
    "thing": 20, "number": 32, "letter": 32, "symbol": 5, "character_string": 32, "phone_number": 17,
    "car_number": 8, "name": 10, "phrase": 5, "const": 20,
}  # fmt: skip
NOTHING = "无"
PAGE = "page"
_FIELD = re.compile(r"([a-z_]+?)(\d{0,3})")


def fields_of(text: str) -> tuple[dict[str, dict[str, str]], str | None]:
    """What `text` puts into each field, as WeChat wants it: `{"thing1": {"value": "助餐"}}`; and the page, if any.

    Raises ValueError for a line that is neither.
    """
    found, page = {}, None
    for line in text.splitlines():
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if name.strip() == PAGE:
            page = value.strip() or None
            continue
        kind = _FIELD.fullmatch(name.strip())
        if kind is None or not equals:
            raise ValueError("not a field of a WeChat template")
        found[name.strip()] = {"value": fitting(kind[1], value.strip())}
    return found, page


def fitting(kind: str, value: str) -> str:
    """`value` cut to what a field of this kind holds; a character outside the basic plane counts as two, to be sure."""
    longest = LONGEST.get(kind)
    if not value:
        return NOTHING
    if longest is None or _length(value) <= longest:
        return value
    while _length(value) > longest - 1:
        value = value[:-1]
    return value + "…"


def _length(value: str) -> int:
    return len(value.encode("utf-16-le")) // 2
