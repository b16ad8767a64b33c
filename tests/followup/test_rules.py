"""Who is called, and when. Pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from app.core.clock import SHANGHAI
from app.core.ids import new_id
from app.followup.calling import Answer, is_quiet, next_call, outcome_after, part_of
from app.followup.rules import DEFAULTS
from app.followup.selection import Selection, choose, draw, select
from app.messaging.quiet_hours import next_open

NORMAL = next(rule for rule in DEFAULTS if rule.urgency == "normal")
EMERGENCY = next(rule for rule in DEFAULTS if rule.urgency == "emergency")
ORDER = UUID("018f0000-0000-7000-8000-000000000001")


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("rule", "facts", "because"),
    [
        (NORMAL, {"outcome": "partly"}, "outcome_partly"),
        (NORMAL, {"outcome": "not_done"}, "outcome_not_done"),
        (NORMAL, {"open_complaint": True}, "open_complaint"),
        (NORMAL, {"first_visit": True}, "first_visit"),
        (EMERGENCY, {}, "urgency_emergency"),
    ],
)
def test_always(rule: object, facts: dict[str, object], because: str) -> None:
    plain = {"outcome": "done", "first_visit": False, "open_complaint": False} | facts
    drawn = select(ORDER, replace(rule, sample_bp=0), **plain)  # type: ignore[arg-type, type-var]
    assert (drawn.selection, drawn.because) == (Selection.ALWAYS, because)


def test_the_share_is_drawn_by_the_order_alone() -> None:
    plain = {"outcome": "done", "first_visit": False, "open_complaint": False}
    limit = draw(ORDER)
    drawn = select(ORDER, replace(NORMAL, sample_bp=limit + 1), **plain)
    assert drawn.selection is Selection.SAMPLED
    assert select(ORDER, replace(NORMAL, sample_bp=limit), **plain).selection is Selection.NOT_SAMPLED
    share = sum(draw(new_id()) < 3_000 for _ in range(4_000)) / 4_000
    assert 0.26 < share < 0.34


def test_the_most_specific_and_newest_rule_is_chosen() -> None:
    city = replace(NORMAL, division_code="620300", sample_bp=1)
    newer = replace(city, valid_from=date(2026, 1, 1), sample_bp=2)
    rules = [NORMAL, city, newer, replace(newer, division_code="110000")]
    lineage = ["620302", "620300", "620000", "000000"]
    assert choose(rules, lineage, "normal", date(2026, 2, 1)) == newer
    assert choose(rules, lineage, "normal", date(2025, 12, 31)) == city
    assert choose(rules, lineage[2:], "normal", date(2026, 2, 1)) == NORMAL
    assert choose(rules, lineage, "normal", date(2019, 1, 1)) is None


@pytest.mark.parametrize(
    ("at", "quiet", "first"),
    [
        ("2026-03-02T20:59", False, "2026-03-02T20:59"),
        ("2026-03-02T21:00", True, "2026-03-03T08:00"),
        ("2026-03-03T07:59", True, "2026-03-03T08:00"),
        ("2026-03-03T08:00", False, "2026-03-03T08:00"),
    ],
)
def test_quiet_hours(at: str, quiet: bool, first: str) -> None:
    moment = shanghai(at).astimezone(UTC)
    assert is_quiet(moment) is quiet
    assert next_open(moment) == shanghai(first)


@pytest.mark.parametrize(
    ("at", "again"),
    [
        ("2026-03-02T09:10", "2026-03-02T14:00"),
        ("2026-03-02T15:00", "2026-03-02T18:30"),
        ("2026-03-02T19:00", "2026-03-03T09:00"),
        ("2026-03-02T23:00", "2026-03-03T09:00"),
        ("2026-03-03T02:00", "2026-03-03T14:00"),
    ],
)
def test_another_part_of_the_day(at: str, again: str) -> None:
    moment = shanghai(at).astimezone(UTC)
    found = next_call(moment)
    assert found == shanghai(again)
    assert part_of(found) != part_of(moment)
    assert not is_quiet(found)
    assert found > moment + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("answer", "attempts", "outcome"),
    [
        (Answer.REACHED, 1, "reached"),
        (Answer.REFUSED, 1, "refused"),
        (Answer.NO_ANSWER, 2, None),
        (Answer.NO_ANSWER, 3, "unreachable"),
        (Answer.WRONG_NUMBER, 3, "unreachable"),
    ],
)
def test_what_closes_a_follow_up(answer: Answer, attempts: int, outcome: str | None) -> None:
    assert outcome_after(answer, attempts, 3) == outcome
