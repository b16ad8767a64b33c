"""The gateway's readers: bytes cut anywhere give the same frames; whatever comes, one error and no other; and every
report is one that the service's door takes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.channels.gateway import topics, watch
from app.channels.gateway.topics import TopicError
from app.channels.gateway.watch import Frame, Frames, WatchError
from app.channels.report import Report
from app.channels.schemas import DeviceAlarm
from app.core.json import dumps, loads
from app.core.text import refuse_unstorable

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
POSITION = "221126,030405,{fix},38.520000,N,102.190000,E,0.00,0.0,0.0,6,88,81,0,0,{status},0,0"
WATCH_BYTES = st.lists(
    st.sampled_from(
        [b"[", b"]", b"*", b",", b"3G", b"8800000015", b"0002", b"LK", b"AL", b"00100000", b"FFFF", b"[3G*1*0002*LK]"]
    )
    | st.binary(max_size=12),
    max_size=30,
).map(b"".join)
LINES = st.text(max_size=20)
SAID = st.dictionaries(
    st.sampled_from(["type", "code", "msg_id", "occurred_at", "location", "lng", "lat", "battery", "note"]),
    st.none() | st.booleans() | st.integers() | st.floats() | LINES | st.just("2026-11-22T03:04:05+08:00")
    | st.dictionaries(st.sampled_from(["lng", "lat", "crs"]), st.floats() | LINES | st.integers(), max_size=3),
    max_size=9,
)  # fmt: skip


def framed(content: bytes, device: str = "8800000015", index: str = "") -> bytes:
    return f"[3G*{device}*{index}{len(content):04X}*".encode() + content + b"]"


def alarm(status: int, fix: str = "V") -> bytes:
    return framed(b"AL," + POSITION.format(fix=fix, status=f"{status:08X}").encode())


def read(data: bytes) -> list[Frame]:
    return Frames().feed(data)


def accepted(told: Report) -> DeviceAlarm:
    """As it goes through the door."""
    raw = dumps(told).encode()
    refuse_unstorable(raw, b"", "application/json")
    return DeviceAlarm.model_validate(loads(raw))


@given(st.lists(st.binary(max_size=40).map(framed), max_size=5), st.lists(st.integers(0, 10_000)))
def test_frames_do_not_depend_on_where_the_line_cuts_them(sent: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(sent)
    frames, found = Frames(), []
    places = sorted({cut % (len(whole) + 1) for cut in cuts} | {0, len(whole)})
    for begin, end in pairwise(places):
        found += frames.feed(whole[begin:end])
    assert [frame.raw for frame in found] == sent


@given(WATCH_BYTES, st.integers(1, 40))
def test_whatever_a_watch_sends_is_a_report_noise_or_the_one_error(data: bytes, step: int) -> None:
    frames = Frames()
    try:
        found = [one for begin in range(0, len(data), step) for one in frames.feed(data[begin : begin + step])]
    except WatchError:
        return
    for frame in found:
        accepted(watch.reading(frame, NOW))
        answer = watch.answer(frame)
        assert answer is None or [one.command for one in read(answer)] == [frame.command]


@given(st.sampled_from(["AL", "UD", "UD2", "LK", "al"]), st.lists(LINES, max_size=20))
def test_whatever_stands_in_the_fields_the_report_is_taken(command: str, fields: list[str]) -> None:
    content = ",".join([command, *fields]).encode("utf-8", "surrogatepass")
    for frame in read(framed(content)):
        assert accepted(watch.reading(frame, NOW)).device_id == "8800000015"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(1 << 16, "sos"), (1 << 21, "fall"), (1 << 22 | 1, "fall"), (1 << 20, "removed"), (1 << 17, "low_battery"),
     (1 << 16 | 1 << 21 | 1 << 17, "sos"), (1 << 18, "fence_out"), (0, "al"), (1 << 9, "al")],
)  # fmt: skip
def test_the_gravest_bit_is_the_alarm_and_without_a_fix_there_is_no_place(status: int, kind: str) -> None:
    (frame,) = read(alarm(status))
    told = accepted(watch.reading(frame, NOW))
    assert (told.type, told.location, told.battery) == (kind, None, 81)
    assert watch.answer(frame) == b"[3G*8800000015*0002*AL]"


def test_with_a_fix_the_place_is_in_wgs84() -> None:
    told = accepted(watch.reading(read(alarm(1 << 16, "A"))[0], NOW))
    assert told.location is not None
    assert (told.location.lng, told.location.lat, told.location.crs) == (102.19, 38.52, "wgs84")
    assert told.occurred_at == datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


def test_an_index_is_answered_with_the_index() -> None:
    (frame,) = read(framed(b"AL,1,2,V", index="0075*"))
    assert (frame.index, frame.command, watch.reading(frame, NOW)["type"]) == ("0075", "AL", "al")
    assert watch.answer(frame) == b"[3G*8800000015*0075*0002*AL]"


def test_a_position_report_with_the_bit_set_is_an_alarm_and_without_it_a_sign_of_life() -> None:
    for status, is_alarm in ((1 << 16, True), (1 << 20, False)):
        (frame,) = read(framed(b"UD," + POSITION.format(fix="V", status=f"{status:08X}").encode()))
        assert watch.is_alarm(frame) is is_alarm
        assert (watch.reading(frame, NOW)["type"] == "heartbeat") is not is_alarm


def test_long_content_is_let_go_and_noise_passed_over() -> None:
    voice = framed(b"TK," + b"\x00]" * 3000)
    frames = Frames()
    data = b"\r\n" + voice + b"[3G*bad" + alarm(1 << 16) + b"\r\n" + framed(b"LK,0,0,77")
    found = [one for begin in range(0, len(data), 700) for one in frames.feed(data[begin : begin + 700])]
    assert [frame.command for frame in found] == ["AL", "LK"]
    assert watch.battery(found[1]) == 77
    with pytest.raises(WatchError):
        frames.feed(b"x" * 2000)


@given(st.binary(max_size=200) | SAID.map(lambda said: dumps(_json(said)).encode()) | LINES.map(str.encode))
def test_whatever_a_payload_is_the_alarm_is_taken(payload: bytes) -> None:
    told = accepted(topics.reading("sos/up/b-1/alarm", payload, NOW))
    assert told.device_id == "b-1"
    accepted(topics.reading("sos/up/b-1/heartbeat", payload, NOW))


@given(st.text(max_size=30) | st.lists(st.sampled_from(["sos", "up", "alarm", "x", ""]), max_size=5).map("/".join))
def test_a_topic_is_ours_or_the_one_error(topic: str) -> None:
    with suppress(TopicError):
        accepted(topics.reading(topic, b"{}", NOW))


def test_who_speaks_is_in_the_topic_and_what_is_known_is_handed_on() -> None:
    said = {
        "device_id": "somebody-else", "type": "SOS", "msg_id": 7, "battery": 81, "occurred_at": "2003-01-01T00:00:00Z",
        "location": {"lng": 102.19, "lat": 38.52, "crs": "gcj02"}, "note": "卧室",
    }  # fmt: skip
    told = accepted(topics.reading("sos/up/b-1/alarm", dumps(said).encode(), NOW))
    assert (told.device_id, told.type, told.msg_id, told.battery, told.note) == ("b-1", "sos", "7", 81, "卧室")
    assert told.location is not None
    assert told.location.crs == "gcj02"
    for word in (b"SOS", b'"sos"', b'{"code": "sos"}'):
        assert accepted(topics.reading("sos/up/b-1/alarm", word, NOW)).type == "sos"
    assert accepted(topics.reading("sos/up/b-1/alarm", b'{"type": 7}', NOW)).type == "7"
    assert accepted(topics.reading("sos/up/b-1/alarm", b"\xff\xfe{", NOW)).type == "\ufffd\ufffd{"
    assert accepted(topics.reading("sos/up/b-1/alarm", b"", NOW)).type == "unreadable"


def test_the_same_bytes_are_one_message_for_a_minute_and_retained_ones_for_ever() -> None:
    def number(at: datetime, *, retained: bool = False) -> str:
        return str(topics.reading("sos/up/b-1/alarm", b"sos", at, retained=retained)["msg_id"])

    later = NOW.replace(minute=9)
    assert number(NOW) == number(NOW.replace(second=59)) != number(later)
    assert number(NOW, retained=True) == number(later, retained=True)


def _json(value: Any) -> Any:
    """Without lone surrogates and numbers that JSON does not have."""
    return loads(dumps(_storable(value)))


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _storable(one) for name, one in value.items()}
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value if not isinstance(value, int) or abs(value) < 2**63 else None
