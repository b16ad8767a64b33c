"""Which finished orders get a call. Pure.

Always: the elder's first visit from a provider, emergencies and urgent help (a figure of the rule), an open
complaint, work that was not or only partly done. Of the rest a share, drawn by a hash of the order id: the draw
can be repeated by anybody and nobody can influence it. Whoever is not drawn passes after a while unless rated.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Selection(StrEnum):
    ALWAYS = "always"
    SAMPLED = "sampled"
    NOT_SAMPLED = "not_sampled"


@dataclass(frozen=True, slots=True)
class Rule:
    """Figures for one urgency. A complaint's clocks run in hours or, where None, in working days."""

    division_code: str
    urgency: str
    valid_from: date
    valid_to: date | None
    always: bool
    sample_bp: int
    pass_hours: int
    max_attempts: int
    reply_hours: int | None
    reply_working_days: int | None
    close_hours: int | None
    close_working_days: int | None


@dataclass(frozen=True, slots=True)
class Drawn:
    selection: Selection
    because: str


def draw(order_id: UUID) -> int:
    """A number from 0 to 9,999 that only depends on the order."""
    return int.from_bytes(hashlib.sha256(order_id.bytes).digest()[:8]) % 10_000


def select(order_id: UUID, rule: Rule, *, outcome: str, first_visit: bool, open_complaint: bool) -> Drawn:
    """Is this order called, and why?"""
    if outcome != "done":
        return Drawn(Selection.ALWAYS, f"outcome_{outcome}")
    if open_complaint:
        return Drawn(Selection.ALWAYS, "open_complaint")
    if rule.always:
        return Drawn(Selection.ALWAYS, f"urgency_{rule.urgency}")
    if first_visit:
        return Drawn(Selection.ALWAYS, "first_visit")
    if draw(order_id) < rule.sample_bp:
        return Drawn(Selection.SAMPLED, "sample")
    return Drawn(Selection.NOT_SAMPLED, "sample")


def choose(rules: list[Rule], lineage: list[str], urgency: str, day: date) -> Rule | None:
    """The rule in force on `day` for the most specific division of `lineage`."""
    fitting = [
        rule
        for rule in rules
        if rule.urgency == urgency
        and rule.division_code in lineage
        and rule.valid_from <= day
        and (rule.valid_to is None or day < rule.valid_to)
    ]
    return min(
        fitting, key=lambda rule: (lineage.index(rule.division_code), -rule.valid_from.toordinal()), default=None
    )
