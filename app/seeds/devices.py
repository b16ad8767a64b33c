"""Buttons, watches and detectors at the homes of some elders."""

from __future__ import annotations

from app.core.db import Tx
from app.elders import devices
from app.seeds.accounts import VENDOR
from app.seeds.chance import chance
from app.seeds.story import Stage

KINDS = (
    ("button", "卧室床头"),
    ("button", "客厅"),
    ("watch", None),
    ("smoke_detector", "厨房"),
    ("gas_detector", "厨房"),
)
COUNT = 40


async def load(tx: Tx, stage: Stage) -> None:
    """Bind them, one to an elder; the numbers are nobody's."""
    for number, person in enumerate(chance("devices").sample(stage.people, COUNT)):
        kind, place = KINDS[number % len(KINDS)]
        await devices.bind(tx, stage.operator, person.id, VENDOR, f"8600000{number:08d}", kind, place)
