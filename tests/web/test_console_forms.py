"""What the desk's quick words and half-filled forms mean."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydantic import ValidationError

from app.core.clock import SHANGHAI
from app.web.console.forms import AssignForm, PriceForm, windows
from app.web.console.router_queues import AttemptForm


@pytest.mark.parametrize(("clock_time", "afternoon"), [((9, 0), True), ((15, 29), True), ((15, 30), False)])
def test_this_afternoon_is_offered_while_it_can_be_kept(clock_time: tuple[int, int], *, afternoon: bool) -> None:
    found = windows(datetime(2026, 11, 20, *clock_time, tzinfo=SHANGHAI))
    assert (found["today_pm"] is not None) == afternoon
    assert [at.isoformat() for at in found["tomorrow_am"] or ()] == [
        "2026-11-21T09:00:00+08:00", "2026-11-21T11:30:00+08:00",
    ]  # fmt: skip


def test_a_browsers_times_are_the_citys() -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=SHANGHAI)
    form = PriceForm.model_validate({"when": "set", "begin": "2026-11-22T09:15", "end": "", "minutes": ""})
    assert form.window(now) == (datetime(2026, 11, 22, 9, 15, tzinfo=SHANGHAI), None)
    assert PriceForm.model_validate({"when": "asap", "begin": "2026-11-22T09:15"}).window(now) == (None, None)


def test_a_provider_may_be_chosen_with_or_without_a_caregiver() -> None:
    one, other = "0193a8c0-0000-7000-8000-000000000001", "0193a8c0-0000-7000-8000-000000000002"
    assert [str(who) for who in AssignForm(reason="家属指定", chosen=f"{one} {other}").who()] == [one, other]
    assert AssignForm(reason="家属指定", chosen=one).who()[1] is None


def test_whoever_was_reached_rates_or_declines_to() -> None:
    with pytest.raises(ValidationError):
        AttemptForm.model_validate({"outcome": "reached", "score": ""})
    assert AttemptForm.model_validate({"outcome": "reached", "score": "declined"}).score is None
    assert AttemptForm.model_validate({"outcome": "reached", "score": "4"}).score == 4
    assert AttemptForm.model_validate({"outcome": "no_answer"}).score is None
