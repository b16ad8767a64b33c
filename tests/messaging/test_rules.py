"""Words and quiet hours, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import SHANGHAI
from app.core.ids import new_id
from app.messaging import templates
from app.messaging.quiet_hours import next_open
from app.messaging.sender import Message

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@given(INSTANTS)
def test_nothing_is_sent_between_nine_in_the_evening_and_eight(at: datetime) -> None:
    opens = next_open(at)
    local = opens.astimezone(SHANGHAI)
    assert 8 <= local.hour < 21
    assert timedelta(0) <= opens - at <= timedelta(hours=11)
    assert next_open(opens) == opens
    if opens != at:
        assert (local.hour, local.minute, local.second, local.microsecond) == (8, 0, 0, 0)


@pytest.mark.parametrize(
    ("local", "opens"),
    [
        ((20, 59), (22, 20, 59)),
        ((21, 0), (23, 8, 0)),
        ((23, 59), (23, 8, 0)),
        ((0, 0), (22, 8, 0)),
        ((7, 59), (22, 8, 0)),
        ((8, 0), (22, 8, 0)),
    ],
)
def test_the_edges_of_the_quiet_hours(local: tuple[int, int], opens: tuple[int, int, int]) -> None:
    at = datetime(2026, 11, 22, *local, tzinfo=SHANGHAI)
    assert next_open(at) == datetime(2026, 11, *opens, tzinfo=SHANGHAI)


@given(st.text(), st.text())
def test_what_people_typed_is_never_read_as_a_template(one: str, two: str) -> None:
    text = templates.render("[{one}|{two}]", {"one": one, "two": two})
    assert text.startswith("[")
    assert "\n" not in text
    assert templates.render("{one}", {"one": "{two}", "two": "secret"}) == "{two}"


def test_a_gap_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        templates.render("{one} {two}", {"one": 1})


def test_shipped_words_are_signed_and_short_enough() -> None:
    shipped = templates.shipped()
    assert {code for code, _, _ in shipped} >= {
        "offer",
        "caregiver_named",
        "arrived",
        "completed",
        "one_time_code",
        "followup_sorry",
    }
    for text in (text for (_, channel, _), text in shipped.items() if channel == "sms"):
        assert text.startswith("【12349】")
        assert len(text) <= 70 or templates.gaps(text)
    assert "link" in templates.gaps(shipped["completed", "sms", "zh-CN"])


def test_a_message_does_not_print_its_address_or_words() -> None:
    message = Message(new_id(), "offer", "sms", "zh-CN", "+8613800000000", "机密")
    assert "13800000000" not in repr(message)
    assert "机密" not in repr(message)
