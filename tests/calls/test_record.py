"""The fold of call events: a function of the set of events, whatever order they come in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calls.numbers import known
from app.calls.record import (
    HANDED_ON_AFTER,
    CallbackReason,
    CallEventFacts,
    CallState,
    EventType,
    Outcome,
    fold,
)

START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
CALLER = "+8613893512345"


def event(kind: EventType, second: float, agent: str | None = None, **facts: str) -> CallEventFacts:
    at = START + timedelta(seconds=second)
    return CallEventFacts(type=kind, key=f"{kind}@{second}/{agent}", at=at, agent=agent, **facts)


ANSWERED_CALL = [
    event(EventType.QUEUED, 0, caller=CALLER, called="12349", queue="home-care"),
    event(EventType.OFFERED, 0.5, "8001"),
    event(EventType.MISSED, 10, "8001"),
    event(EventType.OFFERED, 10.5, "8002"),
    event(EventType.ANSWERED, 12, "8002"),
    event(EventType.RECORDING, 60, recording_ref="2026/11/22/a.wav"),
    event(EventType.ENDED, 61, cause="terminated"),
]
ABANDONED_CALL = [
    event(EventType.QUEUED, 0, caller=CALLER),
    *[
        event(kind, n + part, "8001")
        for n in range(6)
        for kind, part in ((EventType.OFFERED, 0.1), (EventType.MISSED, 0.9))
    ],
    event(EventType.ABANDONED, 7, cause="caller_cancel"),
    event(EventType.ENDED, 7),
]


def test_an_answered_call() -> None:
    record = fold(ANSWERED_CALL)
    assert (record.state, record.outcome, record.callback) == (CallState.OVER, Outcome.ANSWERED, None)
    assert (record.agent, record.offers, record.caller) == ("8002", 2, CALLER)
    assert record.answered_at == START + timedelta(seconds=12)
    assert record.ended_at == START + timedelta(seconds=61)
    assert record.recording_ref == "2026/11/22/a.wav"


def test_an_abandoned_call_with_many_offers_is_called_back() -> None:
    record = fold(ABANDONED_CALL)
    assert (record.outcome, record.callback, record.offers) == (Outcome.ABANDONED, CallbackReason.ABANDONED, 6)
    assert record.cause == "caller_cancel"


def test_the_end_before_the_answer_does_not_lose_the_call() -> None:
    arrived: list[CallEventFacts] = []
    outcomes = []
    for one in (ANSWERED_CALL[6], ANSWERED_CALL[0], ANSWERED_CALL[4]):
        arrived.append(one)
        outcomes.append((fold(arrived).outcome, fold(arrived).callback))
    assert outcomes == [
        (Outcome.UNANSWERED, CallbackReason.ABANDONED),
        (Outcome.UNANSWERED, CallbackReason.ABANDONED),
        (Outcome.ANSWERED, None),
    ]


@pytest.mark.parametrize(
    ("so_far", "state"),
    [(1, CallState.WAITING), (2, CallState.RINGING), (3, CallState.WAITING), (4, CallState.RINGING)],
)
def test_a_living_call(so_far: int, state: CallState) -> None:
    record = fold(ANSWERED_CALL[:so_far])
    assert (record.state, record.outcome, record.callback) == (state, None, None)


def test_voicemail_is_called_back_even_after_an_answer() -> None:
    left = event(EventType.VOICEMAIL, 30, recording_ref="vm/1.wav")
    assert fold([ANSWERED_CALL[0], left]).outcome is Outcome.VOICEMAIL
    assert fold([ANSWERED_CALL[0], left]).callback is CallbackReason.VOICEMAIL
    assert fold([*ANSWERED_CALL, left]).callback is CallbackReason.VOICEMAIL


def test_after_hours_is_its_own_reason() -> None:
    closed = event(EventType.ABANDONED, 5, cause="after_hours")
    assert fold([ANSWERED_CALL[0], closed]).callback is CallbackReason.AFTER_HOURS


@pytest.mark.parametrize("kind", [EventType.ABANDONED, EventType.QUEUED])
def test_how_the_line_went_dead_does_not_hide_that_it_was_after_hours(kind: EventType) -> None:
    closed = event(kind, 5, cause="after_hours")
    hung_up = event(EventType.ENDED, 6, cause="NORMAL_CLEARING")
    assert fold([ANSWERED_CALL[0], closed, hung_up]).callback is CallbackReason.AFTER_HOURS


def test_a_ghost_is_unknown_until_its_real_end_arrives() -> None:
    ghost = event(EventType.PRESUMED_ENDED, 4000)
    assert fold([ANSWERED_CALL[0], ghost]).outcome is Outcome.UNKNOWN
    assert fold([ANSWERED_CALL[0], ghost]).callback is CallbackReason.ABANDONED
    assert fold([ANSWERED_CALL[0], ANSWERED_CALL[4], ghost]).callback is None
    assert fold([*ANSWERED_CALL, ghost]) == fold(ANSWERED_CALL)


def test_a_queue_leg_reported_abandoned_does_not_undo_an_answer() -> None:
    record = fold([*ANSWERED_CALL, event(EventType.ABANDONED, 13)])
    assert (record.outcome, record.callback) == (Outcome.ANSWERED, None)


def test_a_call_that_is_handed_on_is_over_when_the_last_agent_is_done() -> None:
    handed_on = [*ANSWERED_CALL, event(EventType.ANSWERED, 64, "8003")]
    record = fold(handed_on)
    assert (record.state, record.outcome, record.agent, record.ended_at) == (CallState.TALKING, None, "8003", None)
    record = fold([event(EventType.ENDED, 90), *handed_on[::-1]])
    assert (record.state, record.outcome, record.agent) == (CallState.OVER, Outcome.ANSWERED, "8003")
    assert record.answered_at == START + timedelta(seconds=12)
    assert record.ended_at == START + timedelta(seconds=90)


def test_an_exchange_that_counts_whole_seconds_does_not_keep_a_call_open() -> None:
    record = fold([event(EventType.ANSWERED, 5.9, "8001"), event(EventType.ENDED, 5)])
    assert (record.state, record.outcome) == (CallState.OVER, Outcome.ANSWERED)


def test_who_gave_up_one_queue_and_was_answered_in_the_next_was_answered() -> None:
    record = fold([event(EventType.ABANDONED, 20, cause="timeout"), event(EventType.ANSWERED, 40, "8002")])
    assert (record.state, record.outcome, record.callback) == (CallState.TALKING, None, None)


def test_who_overflows_into_another_queue_is_still_on_the_line() -> None:
    overflowing = [
        event(EventType.QUEUED, 0, queue="a"),
        event(EventType.ABANDONED, 20, queue="a", cause="timeout"),
        event(EventType.QUEUED, 23, queue="b"),
        event(EventType.OFFERED, 24, "8005"),
    ]
    record = fold(overflowing)
    assert (record.state, record.outcome, record.callback, record.agent) == (CallState.RINGING, None, None, "8005")
    given_up = fold([*overflowing, event(EventType.ABANDONED, 40, queue="b")])
    assert (given_up.state, given_up.outcome) == (CallState.OVER, Outcome.ABANDONED)


def test_waiting_begins_with_the_queue_and_not_with_the_ringing_before_it() -> None:
    record = fold([event(EventType.QUEUED, 0), event(EventType.QUEUED, 20, queue="a"), event(EventType.ANSWERED, 25)])
    assert (record.queued_at, record.first_at) == (START + timedelta(seconds=20), START)


PUT_BACK = [*ANSWERED_CALL[:5], event(EventType.QUEUED, 40, queue="a"), event(EventType.OFFERED, 41, "8003")]


@pytest.mark.parametrize(
    "end",
    [event(EventType.ABANDONED, 50), event(EventType.ENDED, 50), event(EventType.PRESUMED_ENDED, 41)],
    ids=["given up", "hung up", "never told"],
)
def test_who_is_put_back_into_the_queue_and_not_answered_there_is_called_back(end: CallEventFacts) -> None:
    record = fold([*PUT_BACK, end])
    assert (record.state, record.callback) == (CallState.OVER, CallbackReason.ABANDONED)
    if end.type is not EventType.PRESUMED_ENDED:
        assert record.outcome is Outcome.ANSWERED, "for the figures they were"
    taken = [*PUT_BACK, end, event(EventType.ANSWERED, 45, "8003"), event(EventType.ENDED, 60)]
    assert fold(taken).callback is None


def test_who_is_put_back_is_not_called_while_they_wait() -> None:
    assert fold(PUT_BACK).callback is None


def test_another_agent_who_rings_in_vain_does_not_undo_an_answer() -> None:
    ringing = event(EventType.OFFERED, 30, "8003")
    assert fold([*ANSWERED_CALL, ringing]).callback is None
    assert fold([*ANSWERED_CALL[:5], ringing, event(EventType.ABANDONED, 35)]).callback is CallbackReason.ABANDONED


def test_an_exchange_that_tells_the_queue_after_the_answer_loses_nobody_twice() -> None:
    late = event(EventType.QUEUED, 13.5)
    assert fold([*ANSWERED_CALL, late]).callback is None


def test_what_is_told_after_a_presumed_end_shows_that_the_call_lives() -> None:
    told = [ANSWERED_CALL[0], event(EventType.PRESUMED_ENDED, 0)]
    assert fold(told).state is CallState.OVER
    ringing = fold([*told, ANSWERED_CALL[1]])
    assert (ringing.state, ringing.outcome, ringing.ended_at) == (CallState.RINGING, None, None)
    assert ringing.callback is CallbackReason.ABANDONED, "until somebody answers"
    talking = fold([*told, ANSWERED_CALL[4]])
    assert (talking.state, talking.outcome, talking.callback) == (CallState.TALKING, None, None)
    again = fold([*told, ANSWERED_CALL[1], event(EventType.PRESUMED_ENDED, 0.5)])
    assert (again.state, again.outcome) == (CallState.OVER, Outcome.UNKNOWN)


def test_no_event_is_no_call() -> None:
    with pytest.raises(ValueError, match="at least one"):
        fold([])


CALL_TYPES = [kind for kind in EventType if kind.value.partition(".")[0] != "source"]
events = st.builds(
    CallEventFacts,
    type=st.sampled_from(CALL_TYPES),
    key=st.sampled_from(["1", "2", "3"]),
    at=st.integers(0, 5).map(lambda s: START + timedelta(seconds=s)),
    caller=st.sampled_from([None, CALLER, "+8613893599999"]),
    agent=st.sampled_from([None, "8001", "8002"]),
    queue=st.sampled_from([None, "a", "b"]),
    recording_ref=st.sampled_from([None, "r1", "r2"]),
    cause=st.sampled_from([None, "after_hours", "terminated"]),
)


@settings(max_examples=300)
@given(told=st.lists(events, min_size=1, max_size=10), data=st.data())
def test_any_order_and_any_repetition_give_the_same_record(told: list[CallEventFacts], data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(told), max_size=8))
    shuffled = data.draw(st.permutations([*told, *repeats]))
    assert fold(shuffled) == fold(told)


def _stands(told: list[CallEventFacts], end: EventType, alive: set[EventType]) -> bool:
    """An end is the end, unless the call is alive two seconds later: it was handed on."""
    ends = [one.at for one in told if one.type is end]
    return bool(ends) and not any(one.type in alive and one.at - max(ends) >= HANDED_ON_AFTER for one in told)


ASKED = {EventType.QUEUED, EventType.OFFERED}
ALIVE = ASKED | {EventType.ANSWERED}


def _times(told: list[CallEventFacts], *kinds: EventType) -> list[datetime]:
    return [one.at for one in told if one.type in kinds]


def _lost_again(told: list[CallEventFacts]) -> bool:
    """Answered, two seconds later back in a queue and no answer until the end; or ringing elsewhere, and given up."""
    since = max(_times(told, EventType.ANSWERED)) + HANDED_ON_AFTER
    given_up = _times(told, EventType.ABANDONED)
    ends = [*given_up, *_times(told, EventType.ENDED, EventType.PRESUMED_ENDED)]
    queued = [at for at in _times(told, EventType.QUEUED) if at >= since]
    asked = [at for at in _times(told, *ASKED) if at >= since]
    in_queue = bool(queued) and any(end >= max(queued) for end in ends)
    return in_queue or (bool(asked) and any(end >= max(asked) for end in given_up))


@settings(max_examples=1000)
@given(told=st.lists(events, min_size=1, max_size=10))
def test_whoever_did_not_reach_us_is_called_back(told: list[CallEventFacts]) -> None:
    record = fold(told)
    kinds = {one.type for one in told}
    guessed = _times(told, EventType.PRESUMED_ENDED)
    over = (
        EventType.VOICEMAIL in kinds
        or (bool(guessed) and not any(at > max(guessed) for at in _times(told, *ALIVE)))
        or _stands(told, EventType.ENDED, {EventType.ANSWERED})
        or _stands(told, EventType.ABANDONED, ALIVE)
    )
    served = EventType.ANSWERED in kinds and EventType.VOICEMAIL not in kinds and not _lost_again(told)
    assert (record.callback is not None) == ((over or bool(guessed)) and not served)
    assert (record.state is CallState.OVER) == over


def test_the_property_would_notice_a_fold_that_trusts_arrival() -> None:
    """Negative control: the order given, not the time told, would be visible in who is named as agent."""
    late = replace(ANSWERED_CALL[3], at=START)
    assert fold([*ANSWERED_CALL[:3], late]).agent == "8001"
    assert fold([*ANSWERED_CALL[:3], ANSWERED_CALL[3]]).agent == "8002"


@settings(max_examples=300)
@given(shown=st.one_of(st.text(max_size=40), st.from_regex(r"[0-9+() -]{3,24}"), st.just("١٢٣٤٥٦٧٨")))
def test_whatever_an_exchange_shows_is_a_number_or_withheld(shown: str) -> None:
    number = known(shown)
    assert number is None or number.startswith("+")
