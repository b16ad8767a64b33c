"""Nobody is woken for something that can wait: 21:00 to 08:00 in Shanghai. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from app.core.clock import SHANGHAI

BEGIN = time(21, 0)
END = time(8, 0)


def next_open(at: datetime) -> datetime:
    """`at` itself outside the quiet hours, otherwise the moment they end; in the time zone of `at`."""
    local = at.astimezone(SHANGHAI)
    if END <= local.time() < BEGIN:
        return at
    day = local.date() + timedelta(days=1 if local.time() >= BEGIN else 0)
    return datetime.combine(day, END, tzinfo=SHANGHAI).astimezone(at.tzinfo)
