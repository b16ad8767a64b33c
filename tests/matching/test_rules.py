"""Ranking, and when a visit could begin. No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.matching.rules import OBJECTIVES, RULES, Candidate, funnel, points, rank
from app.matching.times import occupied, possible_starts
from app.matching.weights import ORDINARY
from app.routing.travel import travel_minutes

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
WEIGHTS = ORDINARY

people = st.builds(
    Candidate,
    caregiver_id=st.uuids(),
    provider_id=st.uuids(),
    caregiver_name=st.just("王"),
    provider_name=st.just("企业"),
    travel_minutes=st.integers(0, 300),
    visits=st.integers(0, 50),
    slack_minutes=st.integers(0, 120),
    ahead_minutes=st.integers(-3000, 6000),
    rating=st.floats(1, 5),
    share_gap=st.floats(-100, 100),
    spare=st.integers(0, 5),
    wishes=st.sampled_from((0.0, 0.5, 1.0)),
)


def somebody(**overrides: object) -> Candidate:
    usual = {
        "caregiver_id": UUID(int=1), "provider_id": UUID(int=9), "caregiver_name": "王", "provider_name": "企业",
        "travel_minutes": 10, "visits": 0, "slack_minutes": 20, "ahead_minutes": 60, "rating": 4.0, "share_gap": 0.0,
        "spare": 1, "wishes": 0.5,
    }  # fmt: skip
    return Candidate(**{**usual, **overrides})  # type: ignore[arg-type]


@given(people)
def test_points_stay_between_0_and_100(candidate: Candidate) -> None:
    assert all(0 <= value <= 100 for value, _ in points(candidate).values())
    assert set(points(candidate)) == set(OBJECTIVES)


@given(st.lists(people, max_size=8, unique_by=lambda c: c.caregiver_id), st.randoms())
def test_the_ranking_does_not_depend_on_the_order_of_arrival(found: list[Candidate], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(found, WEIGHTS, "seed") == rank(shuffled, WEIGHTS, "seed")


@given(people)
def test_a_score_is_the_sum_of_its_published_parts(candidate: Candidate) -> None:
    ranked = rank([candidate], WEIGHTS, "seed")[0]
    assert abs(ranked.score - sum(p.points * p.weight for p in ranked.parts) / 100) < 0.01


def test_whoever_is_better_in_one_thing_and_equal_in_all_others_wins() -> None:
    plain = somebody()
    for better in (
        somebody(caregiver_id=UUID(int=2), travel_minutes=5),
        somebody(caregiver_id=UUID(int=2), visits=3),
        somebody(caregiver_id=UUID(int=2), slack_minutes=40),
        somebody(caregiver_id=UUID(int=2), ahead_minutes=-60),
        somebody(caregiver_id=UUID(int=2), rating=4.8),
        somebody(caregiver_id=UUID(int=2), share_gap=-5.0),
        somebody(caregiver_id=UUID(int=2), spare=0),
        somebody(caregiver_id=UUID(int=2), wishes=1.0),
    ):
        assert rank([plain, better], WEIGHTS, "seed")[0].candidate == better


def test_ties_are_broken_by_the_lot_not_by_the_alphabet() -> None:
    twins = [somebody(caregiver_id=UUID(int=i)) for i in range(1, 9)]
    winners = {rank(twins, WEIGHTS, f"order {n}")[0].candidate.caregiver_id for n in range(200)}
    assert len(winners) == len(twins)


def test_the_funnel_counts_down_to_who_is_left() -> None:
    steps = funnel({"certificate": 19, "busy": 8, "": 4})
    assert [(step["rule"], step["remaining"]) for step in steps] == [("in_area", 31), ("certificate", 12), ("busy", 4)]
    assert funnel({})[0]["remaining"] == 0


def test_every_rule_has_a_label() -> None:
    assert all(rule and label for rule, label in RULES)


def test_a_window_gives_only_times_that_end_inside_it() -> None:
    window = (NOW + timedelta(hours=2), NOW + timedelta(hours=4))
    starts = possible_starts(*window, 60, "appointment", NOW)
    assert starts == [window[0] + timedelta(minutes=30 * i) for i in range(3)]


def test_as_soon_as_possible_leaves_time_to_get_there() -> None:
    assert possible_starts(NOW, None, 60, "emergency", NOW)[0] == NOW + timedelta(minutes=5)
    assert possible_starts(NOW, None, 60, "normal", NOW)[0] == NOW + timedelta(minutes=30)


def test_a_booking_includes_the_way_and_the_turnaround() -> None:
    begin, end = occupied(NOW, 60, 20)
    assert (NOW - begin, end - NOW) == (timedelta(minutes=20), timedelta(minutes=65))


def test_walking_takes_longer_than_riding() -> None:
    way = (102.18, 38.51, 102.20, 38.53)
    assert travel_minutes(*way, "walk") > travel_minutes(*way, "ebike")
    assert travel_minutes(None, None, 102.2, 38.5, "walk") == 30


def test_what_another_visit_leaves_goes_before_the_window() -> None:
    hour = timedelta(hours=1)
    window = (NOW, NOW + 6 * hour)
    between = (NOW + hour, NOW + 1.5 * hour)
    assert possible_starts(*window, 60, "appointment", NOW, between) == list(between)
    late = (NOW + 7 * hour, NOW + 8 * hour)
    assert possible_starts(*window, 60, "appointment", NOW, late) == [late[0]]
    assert possible_starts(*window, 60, "appointment", NOW + 3 * hour, between) == [NOW + 3 * hour]
