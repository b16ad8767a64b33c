"""The bridge's readers: bytes cut anywhere give the same messages, and whatever comes, one error and no other."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.channels.bridge import ami, asterisk, esl, freeswitch, told
from tests.channels.exchanges import ami_message, esl_frame

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WORD = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)
SAID = st.dictionaries(
    st.sampled_from(
        ["Event-Name", "Event-Subclass", "CC-Action", "CC-Member-Session-UUID", "Event-Date-Timestamp", "Unique-ID",
         "variable_cc_side", "variable_cc_agent_bridged", "variable_cc_queue_answered_epoch", "CC-Agent", "VM-Action",
         "Call-Direction", "Caller-Destination-Number", "Caller-Channel-Created-Time", "Other-Type",
         "Other-Leg-Unique-ID", "Other-Leg-Direction", "Other-Leg-Destination-Number"]
    ),
    WORD | st.sampled_from(
        ["CUSTOM", "callcenter::info", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_ANSWER", "member", "inbound", "outbound",
         "originator", "12349", "true", "1795291234", "1795291230735675",
         "bridge-agent-start", "9" * 40, "-1", "²"]
    ),
)  # fmt: skip
SAID_BY_ASTERISK = st.dictionaries(
    st.sampled_from(
        ["Event", "Uniqueid", "Linkedid", "Channel", "DestChannel", "DestUniqueid", "DialStatus", "Timestamp", "Queue"]
    ),
    WORD | st.sampled_from(["Newchannel", "DialEnd", "Hangup", "1.1", "PJSIP/gateway-1", "Local/1@x;2", "nan", "1e99"]),
)  # fmt: skip


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(places)]


@given(st.lists(st.dictionaries(WORD, WORD, max_size=4), max_size=5), st.lists(st.integers(0, 10_000)))
def test_frames_do_not_depend_on_where_the_line_cuts_them(bodies: list[dict[str, str]], cuts: list[int]) -> None:
    whole = b"".join(esl_frame("text/event-json", json.dumps(body).encode()) for body in bodies)
    frames, found = esl.Frames(), []
    for piece in pieces(whole, cuts):
        found += frames.feed(piece)
    assert [esl.event_of(frame) for frame in found] == bodies


@given(st.lists(st.integers(0, 10_000)))
def test_messages_do_not_depend_on_where_the_line_cuts_them(cuts: list[int]) -> None:
    said = [{"Event": "Hangup", "Uniqueid": "1.1", "Cause-txt": "Normal Clearing: yes"}, {"Event": "FullyBooted"}]
    whole = b"Asterisk Call Manager/9.0.0\r\n" + b"".join(map(ami_message, said))
    messages, found = ami.Messages(), []
    for piece in pieces(whole, cuts):
        found += messages.feed(piece)
    assert found == said


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_whatever_a_socket_says_there_is_one_error(said: list[bytes]) -> None:
    for reader, wrong in ((esl.Frames(), esl.EslError), (ami.Messages(), ami.AmiError)):
        try:
            for piece in [*said, b"\n\n\r\n\r\n", *said]:
                for one in reader.feed(piece):
                    if isinstance(one, esl.Frame):
                        esl.event_of(one)
        except wrong:
            pass


@pytest.mark.parametrize("length", ["-1", "x", "99999999999", "1e3", ""])
def test_a_length_that_makes_no_sense_is_refused(length: str) -> None:
    with pytest.raises(esl.EslError):
        esl.Frames().feed(f"Content-Type: text/event-json\nContent-Length: {length}\n\n".encode())


def test_a_name_in_another_encoding_is_shown_and_breaks_nothing() -> None:
    body = '{"Event-Name": "CUSTOM", "CC-Member-CID-Name": "王强"}'.encode("gbk")
    assert esl.event_of(esl.Frame({}, body))["Event-Name"] == "CUSTOM"


def test_a_message_without_end_is_refused() -> None:
    with pytest.raises(esl.EslError):
        esl.Frames().feed(b"a: b\n" * 20_000)
    endless = ami.Messages()
    endless.feed(b"Asterisk Call Manager/9.0.0\r\n")
    with pytest.raises(ami.AmiError):
        endless.feed(b"a: b\r\n" * 20_000)


@given(SAID)
def test_no_event_of_freeswitch_breaks_the_bridge(said: dict[str, str]) -> None:
    for one in freeswitch.translate(said, frozenset({"12349"})):
        assert one["type"]
        assert one["call_id"]


@given(st.lists(SAID_BY_ASTERISK, max_size=6))
def test_no_event_of_asterisk_breaks_the_bridge(said: list[dict[str, str]]) -> None:
    calls = asterisk.Calls(("PJSIP/gateway",))
    for one in said:
        for ours in calls.add(one, NOW):
            assert ours["call_id"]
    asterisk.open_calls(said, ("PJSIP/gateway",), NOW)


@given(st.binary(max_size=200) | st.recursive(st.none() | WORD, lambda x: st.lists(x) | st.dictionaries(WORD, x)))
def test_a_list_of_channels_is_one_or_a_value_error(answer: object) -> None:
    data = esl.text(answer) if isinstance(answer, bytes) else json.dumps({"rows": answer})
    with suppress(ValueError):
        freeswitch.open_calls(data, frozenset({"12349"}))


@pytest.mark.parametrize("secret", ["", "a\nb", "a\r\nAction: Originate"])
def test_a_password_cannot_carry_another_command(secret: str) -> None:
    with pytest.raises(esl.EslError):
        esl.auth(secret)
    if secret:
        with pytest.raises(ami.AmiError):
            ami.action("Login", Secret=secret)


def test_calls_of_colleagues_are_held_back_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk, "HELD", 3)
    calls = asterisk.Calls(("PJSIP/gateway",))
    for number in range(10):
        call = f"1.{number}"
        said = {"Event": "Hangup", "Uniqueid": call, "Linkedid": call, "Channel": "PJSIP/8001-1"}
        assert calls.add(said, NOW) == []
    begins = {"Event": "Newchannel", "Channel": "PJSIP/gateway-1"}
    assert len(calls.add(begins | {"Uniqueid": "1.9", "Linkedid": "1.9"}, NOW)) == 2
    assert len(calls.add(begins | {"Uniqueid": "1.0", "Linkedid": "1.0"}, NOW)) == 1


def test_withheld_numbers_and_odd_names() -> None:
    assert [told.caller(shown) for shown in (None, "", "Anonymous", "<unknown>", "13800000001")] == [None] * 4 + [
        "13800000001"
    ]
    said = {"Event": "DialBegin", "DestChannel": "SIP/150010002-0000001a", "DestUniqueid": "2"}
    assert asterisk.translate(said, "1", NOW)[0]["agent"] == "150010002"
