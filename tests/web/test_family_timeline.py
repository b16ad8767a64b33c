"""The four steps of an order's way, as its family sees them."""

from __future__ import annotations

import pytest

from app.web.family.stories import order
from app.web.family.timeline import steps
from app.web.stories import NOW


@pytest.mark.parametrize(
    ("stage", "states"),
    [
        ("waiting", "now next next next"),
        ("arranged", "done next next next"),
        ("on_the_way", "done now next next"),
        ("arrived", "done done now next"),
        ("left", "done done done done"),
        ("cancelled", ""),
        ("not_done", ""),
    ],
)
def test_what_is_behind_us_and_what_is_to_come(stage: str, states: str) -> None:
    assert " ".join(step.state for step in steps(order(stage))) == states


def test_a_time_is_shown_only_of_what_has_happened() -> None:
    shown = steps(order("on_the_way", departed_at=NOW, arrived_at=NOW))
    assert [step.at for step in shown] == [None, NOW, None, None]
