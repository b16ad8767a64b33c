"""What comes back every week: recurring plans, whose orders of the coming days wait for the day's round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from app.core import clock
from app.core.db import Tx
from app.orders import recurring_plans
from app.orders.queries_recurring import NAMES
from app.orders.recurring import KEEP, NEXT_WORKDAY, SKIP
from app.seeds.chance import chance
from app.seeds.story import Stage

HOUR = 60


def _slot(*windows: tuple[float, float], **more: Any) -> dict[str, Any]:
    """One visit of the day inside one of `windows`, in hours."""
    return {"windows": [[round(opens * HOUR), round(closes * HOUR)] for opens, closes in windows], **more}


def _kind(count: int, item: str, slots: Sequence[Mapping[str, Any]], **more: Any) -> tuple[int, dict[str, Any]]:
    return count, {"item_code": item, "slots": slots, "every": 1, "weekdays": [], "holidays": KEEP, **more}


KINDS = (
    _kind(4, "meal_delivery", [_slot((11, 12.5)), _slot((17, 18.5))]),
    _kind(4, "bath_home", [_slot((9, 12), (14, 17.5))], weekdays=[1, 3, 5], holidays=SKIP),
    _kind(6, "clean_home", [_slot((8.5, 12), (14, 18))], weekdays=[2], holidays=NEXT_WORKDAY),
    _kind(2, "nail_hair", [_slot((9, 17))], weekdays=[4], every=2, holidays=NEXT_WORKDAY),
    _kind(
        2, "personal_care", [_slot((8, 10)), _slot((8.5, 12), item_code="meal_delivery", follows=0, least=60, most=120)]
    ),
)
"""How many elders have each: two meals a day, a bath three times a week, a clean home, hair and nails every other week,
and breakfast after being helped up.
"""
IN_TOWN = "620302"


async def load(tx: Tx, stage: Stage) -> None:
    """Begin every plan today; one elder is in hospital until the day after tomorrow."""
    town = [person for person in stage.people if person.division.startswith(IN_TOWN)]
    people = iter(chance("plans").sample(town, sum(count for count, _ in KINDS)))
    begun = []
    for count, kind in KINDS:
        for _ in range(count):
            wished = dict.fromkeys(NAMES) | kind | {"elder_id": next(people).id, "valid_from": clock.today()}
            begun.append(await recurring_plans.make(tx, stage.operator, wished))
    hospital = {
        "all_plans": True, "first_day": clock.today(), "last_day": clock.today() + timedelta(days=2),
        "reason": "住院",
    }  # fmt: skip
    await recurring_plans.rest(tx, stage.operator, begun[-1], hospital, None)
