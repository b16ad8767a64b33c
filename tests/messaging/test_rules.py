"""Words, ways, rests and quiet hours, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import SHANGHAI
from app.core.ids import new_id
from app.messaging import breaker, templates, ways
from app.messaging.quiet_hours import next_open
from app.messaging.sender import Message
from app.messaging.ways import Way

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


def test_nobody_is_told_to_dial_the_short_number_which_reaches_the_city_one_is_in() -> None:
    for text in templates.shipped().values():
        assert "12349" not in text.removeprefix("【12349】")
    sos = templates.shipped()["sos_family", "sms", "zh-CN"]
    words = templates.render(sos, templates.filled({"elder": "王**", "at": "9:05"}))
    assert words == "【12349】王**于9:05发出求助，中心正在处置。请尽快联系老人，或拨打093512349。"


def test_a_message_does_not_print_its_address_or_words() -> None:
    message = Message(new_id(), "offer", "sms", "zh-CN", "+8613800000000", "机密")
    assert "13800000000" not in repr(message)
    assert "机密" not in repr(message)


PHONE = Way("sms", "+8613800000000")
OPENID = Way("wechat", "oFamily")
DEVICE = Way("push", "device-1")
CALL = Way("voice", PHONE.address)


@pytest.mark.parametrize(
    ("template", "known", "expected"),
    [
        ("caregiver_named", [PHONE], [[PHONE, CALL]]),
        ("caregiver_named", [PHONE, OPENID], [[OPENID, PHONE, CALL]]),
        ("caregiver_named", [PHONE, OPENID, DEVICE], [[OPENID, PHONE, CALL], [DEVICE]]),
        ("caregiver_named", [DEVICE], [[DEVICE]]),
        ("completed", [PHONE, OPENID], [[OPENID, PHONE]]),
        ("one_time_code", [PHONE], [[PHONE]]),
        ("sos_family", [PHONE, OPENID, DEVICE], [[PHONE, CALL], [OPENID], [DEVICE]]),
        ("sos_family", [OPENID], [[OPENID]]),
        ("not_done", [CALL], [[CALL]]),
        ("sos_family", [], []),
    ],
)
def test_by_which_ways_something_is_said(template: str, known: list[Way], expected: list[list[Way]]) -> None:
    assert ways.chains(template, known) == expected


@given(st.sampled_from(sorted({code for code, _, _ in templates.shipped()})), st.sets(st.sampled_from(ways.CHANNELS)))
def test_a_push_is_never_alone_and_nothing_is_said_twice_on_a_way(template: str, channels: set[str]) -> None:
    chains = ways.chains(template, [Way(channel, channel) for channel in sorted(channels)])
    used = [way.channel for chain in chains for way in chain]
    assert len(used) == len(set(used))
    assert channels <= set(used) | {"voice"}
    at_once = {chain[0].channel for chain in chains}
    assert "push" not in at_once or len(at_once) > 1 or not channels & set(ways.IN_ORDER)
    if ways.purpose_of(template) is ways.Purpose.ALARM:
        assert channels & {"wechat", "sms", "push"} <= at_once


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_channel_rests_after_failures_in_a_row_each_time_twice_as_long() -> None:
    state, rests = breaker.Breaker(), []
    now = NOW
    for _ in range(breaker.TRIPS_AFTER - 1):
        state = breaker.after_failure(state, now)
        assert (state.state, breaker.waits_until(state, now)) == ("closed", None)
    for _ in range(8):
        state = breaker.after_failure(state, now)
        assert state.open_until is not None
        assert breaker.after_failure(state, now) == state, "a straggler changes nothing"
        assert breaker.waits_until(state, now) == state.open_until
        rests.append(int((state.open_until - now).total_seconds()))
        now = state.open_until
        assert breaker.waits_until(state, now) is None
        ahead = breaker.probing(state, now)
        assert breaker.waits_until(ahead, now) == now + breaker.PROBE_LASTS, "one goes ahead, the others wait"
        assert breaker.waits_until(ahead, now + breaker.PROBE_LASTS) is None, "a dead probe blocks nobody"
    assert rests == [30, 60, 120, 240, 480, 600, 600, 600]
