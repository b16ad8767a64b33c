"""Calls that never reach a queue: after hours, in the welcome, without an agent. Each is called back."""

from __future__ import annotations

import pytest

from app.channels.bridge import asterisk, freeswitch
from tests.channels.exchanges import Playing, Said
from tests.channels.test_bridge import ANSWERED, GAVE_UP, RECORDED, TRUNK, Bridges, ami, bridges, variants  # noqa: F401

NUMBERS = frozenset({"12349"})
CALLER, PHONE = "7d1f-a", "7d1f-b"


def leg(name: str, second: float, **more: str) -> Said:
    """An event of a caller's leg that came to 12349, as FreeSWITCH names things."""
    return {
        "Event-Name": name, "Event-Date-Timestamp": str(int((1795291230 + second) * 1_000_000)),
        "Core-UUID": "core", "Event-Sequence": f"{second:.0f}", "Unique-ID": CALLER, "Call-Direction": "inbound",
        "Caller-Caller-ID-Number": "13893512345", "Caller-Destination-Number": "12349",
        "Caller-Channel-Created-Time": "1795291230000000", "variable_sip_to_user": "12349",
    } | {field.replace("__", "-"): value for field, value in more.items()}  # fmt: skip


HUNG_UP = leg("CHANNEL_HANGUP_COMPLETE", 7, Hangup__Cause="NORMAL_CLEARING")
PICKED_UP = {
    "Event-Name": "CHANNEL_ANSWER", "Event-Date-Timestamp": "1795291233000000", "Core-UUID": "core",
    "Event-Sequence": "3", "Unique-ID": PHONE, "Call-Direction": "outbound", "Caller-Destination-Number": "8001",
    "variable_dialed_user": "8001", "Other-Type": "originator", "Other-Leg-Unique-ID": CALLER,
    "Other-Leg-Direction": "inbound", "Other-Leg-Destination-Number": "12349",
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (HUNG_UP, "abandoned"),
        (HUNG_UP | {"variable_nuanxian_cause": "after_hours"}, "after_hours"),
        (HUNG_UP | {"Caller-Destination-Number": "welcome"}, "abandoned"),
    ],
)
async def test_whoever_hangs_up_before_a_queue_is_called_back(
    bridges: Bridges, said: Said, reason: str  # noqa: F811
) -> None:  # fmt: skip
    calls = await bridges.calls("freeswitch", Playing([[said, said]]))
    assert list(calls) == [CALLER]
    call = calls[CALLER]
    assert (call["state"], call["outcome"], call["due"]) == ("over", "unanswered", (reason, "due"))
    assert (call["ended_at"] - call["first_at"]).total_seconds() == 7
    async with bridges._database.transaction() as tx:
        assert await tx.fetchval("SELECT phone_index FROM callback_task WHERE status = 'due'") is not None


@pytest.mark.parametrize(
    "said",
    [
        HUNG_UP | {"Call-Direction": "outbound"},
        HUNG_UP | {"Caller-Destination-Number": "8001", "variable_sip_to_user": "8001"},
        HUNG_UP | {"variable_cc_side": "agent"},
        PICKED_UP | {"variable_cc_side": "agent"},
        PICKED_UP | {"Other-Leg-Destination-Number": "8002"},
        PICKED_UP | {"Other-Leg-Direction": "outbound"},
        leg("CHANNEL_ANSWER", 0),
    ],
)
def test_what_is_none_of_ours_is_not_told(said: Said) -> None:
    assert freeswitch.translate(said, NUMBERS) == []


async def test_a_phone_rung_without_a_queue_has_answered(bridges: Bridges) -> None:  # noqa: F811
    for name, parts in variants([leg("CHANNEL_ANSWER", 0), PICKED_UP, HUNG_UP]).items():
        call = (await bridges.calls("freeswitch", Playing(parts, [[], []])))[CALLER]
        assert (call["outcome"], call["agent"], call["due"]) == ("answered", "8001", None), name


def test_a_queues_call_is_told_once() -> None:
    """The number the bridge is told makes no difference to what a queue says of its calls."""
    for said in RECORDED:
        assert freeswitch.translate(said, NUMBERS) == freeswitch.translate(said, frozenset())
    told = [one for said in RECORDED for one in freeswitch.translate(said, NUMBERS)]
    for call in (ANSWERED, GAVE_UP):
        kinds = [one["type"] for one in told if one["call_id"] == call]
        assert (kinds.count("call.queued"), kinds.count("call.ended")) == (1, 1)


AFTER_HOURS = [
    ami("Newchannel", 0, CallerIDNum="13893512345", Exten="12349", Context="from-trunk"),
    ami("VarSet", 1, Variable=asterisk.CAUSE, Value="after_hours"),
    ami("Hangup", 9, Cause="16", Context="handlers", Exten="onhangup", **{"Cause-txt": "Normal Clearing"}),
]


async def test_asterisks_dialplan_says_that_it_is_after_hours(bridges: Bridges) -> None:  # noqa: F811
    live = [{"Channel": TRUNK, "Uniqueid": "1700000000.1", "Linkedid": "1700000000.1", "Duration": "00:00:05"}]
    for name, parts in variants(AFTER_HOURS).items():
        call = (await bridges.calls("asterisk", Playing(parts, [[], live])))["1700000000.1"]
        assert (call["outcome"], call["due"]) == ("unanswered", ("after_hours", "due")), name
