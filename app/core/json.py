"""JSON as we store it: compact, UTF-8, keys in the order given."""

from __future__ import annotations

from typing import Any

import orjson


def dumps(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def canonical(value: Any) -> bytes:
    """The one byte form of a value: sorted keys, no spaces. Hashes and "byte for byte" mean this."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)


def loads(text: str | bytes) -> Any:
    return orjson.loads(text)
