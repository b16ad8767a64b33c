"""Logs: one JSON object per line, fields from an allow-list of habits, nothing personal.

Free text that came from people is never logged; identifiers are our own ids.
"""

from __future__ import annotations

import logging
import re
import traceback
from pathlib import Path
from typing import Any

import structlog

_OURS = Path(__file__).resolve().parents[1]
_PERSONAL = re.compile(r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)|(?<!\d)\d{17}[\dXx](?!\d)")


def configure(level: str = "INFO") -> None:
    logging.basicConfig(level=level, format="%(message)s")
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )


def _redact(_logger: Any, _method: str, event: Any) -> Any:
    """The last line of defence: phone and ID numbers do not reach a log, even inside an exception."""
    return {k: _PERSONAL.sub("[redacted]", v) if isinstance(v, str) else v for k, v in event.items()}


def describe(failure: BaseException) -> str:
    """What went wrong and where, without anybody's data: never the exception's own text.

    Type, then our code or the SQLSTATE and constraint, then file, line and function of the last frame of ours.
    """
    cause: Any = getattr(failure, "orig", None) or failure
    marks = [getattr(cause, name, None) for name in ("code", "sqlstate", "constraint_name")]
    words = [type(failure).__name__, *(mark for mark in marks if isinstance(mark, str))]
    for frame in reversed(traceback.extract_tb(failure.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(_OURS):
            words.append(f"at {file.relative_to(_OURS)}:{frame.lineno} in {frame.name}")
            break
    return " ".join(words)


def get(name: str) -> Any:
    return structlog.get_logger(name)
