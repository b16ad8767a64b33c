"""The fold: any order, any number of repeats, the same visit."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from app.visits.journal import Entry, Holding, Kind, Method, VisitStatus, doubt, fold, in_order

ROOT = UUID("018f0000-0000-7000-8000-000000000000")
PROVIDER, CAREGIVER, OTHER = (uuid5(ROOT, name) for name in ("provider", "caregiver", "other"))
ASSIGNED = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NOW = ASSIGNED + timedelta(hours=9)
HOLDING = Holding(PROVIDER, CAREGIVER, ASSIGNED)


def entry(event_id: str, kind: Kind, minutes: float, **other: object) -> Entry:
    """An event `minutes` after the assignment."""
    made = Entry(PROVIDER, event_id, CAREGIVER, kind, ASSIGNED + timedelta(minutes=minutes), Method.GPS)
    return replace(made, **other)  # type: ignore[arg-type]


WHOLE_VISIT = [
    entry("a", Kind.DEPARTED, 10),
    entry("b", Kind.ARRIVED, 30),
    entry("c", Kind.CHECKED_IN, 31),
    entry("d", Kind.CHECKED_IN, 33),
    entry("e", Kind.EVIDENCE_ADDED, 50, evidence=(uuid5(ROOT, "photo"),)),
    entry("f", Kind.CHECKED_OUT, 95.5),
    entry("g", Kind.CHECKED_OUT, 120),
    entry("h", Kind.HAZARD_REPORTED, 60, reason_code="gas_smell"),
    entry("i", Kind.CHECKED_IN, 20, caregiver_id=OTHER),
    entry("j", Kind.CHECKED_IN, -30),
    entry("k", Kind.CHECKED_OUT, 60 * 24),
]


def test_first_check_in_and_first_check_out_win() -> None:
    journal = fold(WHOLE_VISIT, HOLDING, NOW)
    assert journal.status is VisitStatus.ENDED
    assert journal.begin is not None
    assert journal.begin.event_id == "c"
    assert journal.end is not None
    assert journal.end.event_id == "f"
    assert journal.minutes == 64
    assert journal.hazards == ("gas_smell",)
    assert journal.evidence == (uuid5(ROOT, "photo"),)
    assert not journal.manual


def test_a_thousand_arrivals_one_visit() -> None:
    chance = random.Random(20260302)
    expected = fold(WHOLE_VISIT, HOLDING, NOW)
    for _ in range(1_000):
        arrivals = WHOLE_VISIT + chance.choices(WHOLE_VISIT, k=chance.randrange(8))
        chance.shuffle(arrivals)
        assert fold(arrivals, HOLDING, NOW) == expected


def test_without_the_ordering_the_arrivals_would_differ() -> None:
    """The negative control: what `in_order` is for."""
    firsts = {
        next(e for e in arrivals if e.kind is Kind.CHECKED_IN).event_id for arrivals in (WHOLE_VISIT, WHOLE_VISIT[::-1])
    }
    assert len(firsts) == 2


entries = st.lists(
    st.builds(
        Entry,
        provider_id=st.just(PROVIDER),
        event_id=st.integers(0, 10_000).map(str),
        caregiver_id=st.sampled_from([CAREGIVER, CAREGIVER, CAREGIVER, OTHER]),
        kind=st.sampled_from(Kind),
        occurred_at=st.integers(-48 * 60, 48 * 60).map(lambda m: ASSIGNED + timedelta(minutes=m)),
        method=st.sampled_from(Method),
        device_seq=st.none() | st.integers(0, 20),
        reason_code=st.none() | st.sampled_from(["absent", "refused"]),
        back_filled=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda e: e.event_id,
)


@settings(max_examples=300, deadline=None)
@given(entries, st.data())
def test_any_events_fold_alike_in_any_order(events: list[Entry], data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    arrivals = data.draw(st.permutations(events + repeats))
    assert fold(arrivals, HOLDING, NOW) == fold(events, HOLDING, NOW)
    assert in_order(arrivals) == in_order(events)


def test_the_device_sequence_rules_over_a_clock_set_back() -> None:
    events = [
        entry("in", Kind.CHECKED_IN, 60, device_seq=1),
        entry("out", Kind.CHECKED_OUT, 30, device_seq=2),
    ]
    journal = fold(events, HOLDING, NOW)
    assert journal.status is VisitStatus.ENDED
    assert journal.minutes is None


def test_without_a_sequence_a_check_out_before_the_check_in_ends_nothing() -> None:
    journal = fold([entry("in", Kind.CHECKED_IN, 60), entry("out", Kind.CHECKED_OUT, 30)], HOLDING, NOW)
    assert journal.status is VisitStatus.IN_SERVICE
    assert journal.check_out_without_check_in


def test_failed_after_check_out_is_a_contradiction_and_the_first_stands() -> None:
    done = [entry("in", Kind.CHECKED_IN, 10), entry("out", Kind.CHECKED_OUT, 70)]
    late = fold([*done, entry("no", Kind.FAILED, 80, reason_code="elder_absent")], HOLDING, NOW)
    assert late.status is VisitStatus.ENDED
    assert late.contradicted
    assert late.failure is None
    early = fold([*done, entry("no", Kind.FAILED, 5, reason_code="elder_absent")], HOLDING, NOW)
    assert early.status is VisitStatus.FAILED
    assert early.contradicted
    assert early.end is None


def test_manual_leaves_its_mark_although_a_better_check_in_follows() -> None:
    events = [entry("m", Kind.CHECKED_IN, 20, method=Method.MANUAL), entry("g", Kind.CHECKED_IN, 10)]
    assert fold(events, HOLDING, NOW).manual


def test_a_back_filled_photo_does_not_mark_the_visit_but_a_check_in_does() -> None:
    assert not fold([entry("e", Kind.EVIDENCE_ADDED, 10, back_filled=True)], HOLDING, NOW).manual
    assert fold([entry("c", Kind.CHECKED_IN, 10, back_filled=True)], HOLDING, NOW).manual


def test_what_does_not_count_says_why() -> None:
    assert doubt(entry("x", Kind.ARRIVED, -5), HOLDING, NOW) is None
    assert doubt(entry("x", Kind.ARRIVED, -5.1), HOLDING, NOW) == "before_assignment"
    assert doubt(entry("x", Kind.ARRIVED, 9 * 60 + 5), HOLDING, NOW) is None
    assert doubt(entry("x", Kind.ARRIVED, 9 * 60 + 5.1), HOLDING, NOW) == "in_the_future"
    stranger = entry("x", Kind.ARRIVED, 5, caregiver_id=OTHER)
    assert doubt(stranger, HOLDING, NOW) == "caregiver_does_not_hold_the_order"
    assert doubt(stranger, Holding(PROVIDER, None, None), NOW) == "order_not_assigned"


def test_a_second_caregiver_adds_what_she_saw_and_moves_nothing() -> None:
    holding = replace(HOLDING, second=OTHER)
    hers = [
        entry("2a", Kind.EVIDENCE_ADDED, 300, caregiver_id=OTHER, device_seq=1, evidence=(uuid5(ROOT, "hers"),)),
        entry("2b", Kind.HAZARD_REPORTED, 50, caregiver_id=OTHER, device_seq=2, reason_code="fall"),
        entry("2c", Kind.CHECKED_IN, 20, caregiver_id=OTHER, device_seq=3),
    ]
    lead = [replace(one, device_seq=9) if one.event_id == "c" else one for one in WHOLE_VISIT]
    alone, both = fold(lead, HOLDING, NOW), fold([*lead, *hers], holding, NOW)
    assert both == replace(alone, evidence=(*alone.evidence, uuid5(ROOT, "hers")), hazards=(*alone.hazards, "fall")), (
        "her telephone numbers its own events, and they move nothing of the other one's"
    )
    assert [doubt(one, holding, NOW) for one in hers] == [None, None, "caregiver_does_not_hold_the_order"]
    assert doubt(hers[0], HOLDING, NOW) == "caregiver_does_not_hold_the_order"
