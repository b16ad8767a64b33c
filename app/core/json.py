"""JSON as we store it: compact, UTF-8, keys in the order given."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson


def _plain(value: Any) -> str:
    if isinstance(value, UUID):  # the driver's UUIDs are a subclass, which orjson does not take by itself
        return str(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


def dumps(value: Any) -> str:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


def canonical(value: Any) -> bytes:
    """The one byte form of a value: sorted keys, no spaces. Hashes and "byte for byte" mean this."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)


def loads(text: str | bytes) -> Any:
    return orjson.loads(text)
