"""The calendar of visits, read by somebody else's reader of calendars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.family.calendar import LINE, Event, calendar

AT = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n,;:\\𠮷龘"), max_size=200)


def event(**overrides: Any) -> Event:
    values: dict[str, Any] = {
        "uid": "order-1@12349.nuanxian", "sequence": 3, "changed_at": AT, "begins_at": AT + timedelta(hours=2),
        "ends_at": AT + timedelta(hours=4), "summary": "上门助浴", "description": "", "status": "CONFIRMED",
    }  # fmt: skip
    return Event(**values | overrides)


def read(text: str) -> Any:
    return icalendar.Calendar.from_ical(text)


def test_an_event_is_read_as_it_was_meant() -> None:
    text = calendar("曾** 上门服务", [event(), event(uid="order-2@12349.nuanxian", sequence=9, status="CANCELLED")])
    found = read(text)
    assert str(found["X-WR-CALNAME"]) == "曾** 上门服务"
    first, second = found.walk("VEVENT")
    assert first.decoded("dtstart") == AT + timedelta(hours=2)
    assert first.decoded("dtend") == AT + timedelta(hours=4)
    assert first.decoded("dtstamp") == AT
    assert (str(first["uid"]), first["sequence"], str(first["status"])) == ("order-1@12349.nuanxian", 3, "CONFIRMED")
    assert (str(second["uid"]), second["sequence"], str(second["status"])) == (
        "order-2@12349.nuanxian", 9, "CANCELLED",
    )  # fmt: skip


@given(TEXTS, TEXTS)
def test_any_text_comes_back_and_no_line_is_too_long(summary: str, description: str) -> None:
    text = calendar(summary, [event(summary=summary, description=description)])
    for line in text.encode().split(b"\r\n"):
        assert len(line) <= LINE
        line.decode()  # no character is cut in two
    [one] = read(text).walk("VEVENT")
    kept = "".join(c for c in summary if c.isprintable() or c == "\n")
    assert str(one["summary"]) == kept
    assert str(one["uid"]) == "order-1@12349.nuanxian", "nothing typed becomes a line of its own"


@pytest.mark.parametrize("text", ["a\r\nSTATUS:CANCELLED", "x\nEND:VEVENT", "\x00\x07"])
def test_nothing_typed_breaks_out(text: str) -> None:
    [one] = read(calendar("c", [event(summary=text)])).walk("VEVENT")
    assert str(one["status"]) == "CONFIRMED"
