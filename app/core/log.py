"""Logs: one JSON object per line, fields from an allow-list of habits, nothing personal.

Free text that came from people is never logged; identifiers are our own ids.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

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


def get(name: str) -> Any:
    return structlog.get_logger(name)
