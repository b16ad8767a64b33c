"""The table of what may become of a care request."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.core.errors import Conflict
from app.intake import requests
from app.intake.requests import ENDS, HANDED_ON, NEXT, OPEN, TERMINAL, Kind, Status, Wish

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
LEGAL = {
    (Kind.SERVICE, Status.NEW): "confirmed answered rejected merged",
    (Kind.CONSULTATION, Status.NEW): "answered rejected merged",
    (Kind.SUGGESTION, Status.NEW): "answered rejected merged",
    (Kind.COMPLAINT, Status.NEW): "escalated answered rejected merged",
    (Kind.COMPLAINT, Status.ESCALATED): "answered rejected merged",
    (Kind.EMERGENCY, Status.NEW): "escalated answered merged",
    (Kind.EMERGENCY, Status.ESCALATED): "answered merged",
    (Kind.SERVICE, Status.ESCALATED): "answered rejected merged",
    (Kind.CONSULTATION, Status.ESCALATED): "answered rejected merged",
    (Kind.SUGGESTION, Status.ESCALATED): "answered rejected merged",
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("to", Status)
def test_every_move_of_every_kind(kind: Kind, status: Status, to: Status) -> None:
    if to in LEGAL.get((kind, status), "").split():
        requests.check_move(kind, status, to)
        return
    with pytest.raises(Conflict) as refused:
        requests.check_move(kind, status, to)
    assert refused.value.facts["status"] == status


def test_only_a_service_ever_becomes_an_order() -> None:
    assert {kind for kind in Kind if Status.CONFIRMED in ENDS[kind]} == {Kind.SERVICE}


def test_every_status_and_kind_has_its_row_and_terminal_means_terminal() -> None:
    assert set(NEXT) == set(Status)
    assert set(ENDS) == set(Kind)
    assert all(not NEXT[status] for status in TERMINAL)
    assert all(NEXT[status] for status in OPEN)


def test_emergencies_and_complaints_do_not_wait_at_the_desk() -> None:
    assert {kind for kind in Kind if requests.first_status(kind) is Status.ESCALATED} == HANDED_ON
    assert {Kind.EMERGENCY, Kind.COMPLAINT} == HANDED_ON


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("to", Kind)
def test_what_was_handed_on_is_not_taken_back(kind: Kind, to: Kind) -> None:
    kept = {Kind.EMERGENCY: {Kind.EMERGENCY}, Kind.COMPLAINT: {Kind.COMPLAINT, Kind.EMERGENCY}}
    if to in kept.get(kind, set(Kind)):
        requests.check_reclassification(kind, requests.first_status(kind), to)
        return
    with pytest.raises(Conflict):
        requests.check_reclassification(kind, requests.first_status(kind), to)


def test_a_closed_request_is_not_reclassified() -> None:
    with pytest.raises(Conflict):
        requests.check_reclassification(Kind.SERVICE, Status.REJECTED, Kind.CONSULTATION)


@pytest.mark.parametrize(
    ("kind", "known", "expected"),
    [
        (Kind.SERVICE, set(), ["elder", "item_code"]),
        (Kind.SERVICE, {"elder"}, ["item_code"]),
        (Kind.SERVICE, {"elder", "item"}, []),
        (Kind.EMERGENCY, set(), ["elder", "address"]),
        (Kind.EMERGENCY, {"place"}, ["elder"]),
        (Kind.COMPLAINT, set(), ["caller"]),
        (Kind.CONSULTATION, set(), []),
        (Kind.SUGGESTION, set(), []),
    ],
)
def test_what_is_missing(kind: Kind, known: set[str], expected: list[str]) -> None:
    facts = {name: name in known for name in ("elder", "item", "caller", "place")}
    assert requests.missing(kind, **facts) == expected


def test_likeness_names_the_strongest_reason_first() -> None:
    day, other = date(2026, 11, 23), date(2026, 11, 24)
    new = Wish("ZC01", day)
    assert requests.likeness(new, Wish("ZC01", day)) == ["same_item", "same_day"]
    assert requests.likeness(new, Wish("ZC01", other)) == ["same_item"]
    assert requests.likeness(new, Wish("ZY01", day)) == ["same_day"]
    assert requests.likeness(new, Wish("ZY01", other)) == ["same_elder"]
    assert requests.likeness(Wish(None, None), Wish(None, None)) == ["same_elder"]


@pytest.mark.parametrize(
    ("starts", "ends", "right"),
    [
        (0, 2, True),
        (-3, -2, False),
        (-0.5, None, True),
        (-2, None, False),
        (2, 2, False),
        (3, 2, False),
        (24 * 400, None, False),
        (24 * 300, 24 * 300 + 2, True),
    ],
)
def test_windows(starts: float, ends: float | None, right: bool) -> None:
    wanted_to = None if ends is None else NOW + timedelta(hours=ends)
    assert (requests.window_fault(NOW + timedelta(hours=starts), wanted_to, NOW) is None) is right
