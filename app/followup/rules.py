"""The shipped follow-up figures, read from `data/followup_rules.csv`. Common practice, meant to be edited. Pure."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files

from app.followup.selection import Rule


def _number(text: str) -> int | None:
    return int(text) if text else None


def _shipped() -> list[Rule]:
    with (files("app.followup") / "data" / "followup_rules.csv").open(encoding="utf-8") as file:
        return [
            Rule(
                division_code=row["division_code"],
                urgency=row["urgency"],
                valid_from=date.fromisoformat(row["valid_from"]),
                valid_to=None,
                always=row["always"] == "true",
                sample_bp=int(row["sample_bp"]),
                pass_hours=int(row["pass_hours"]),
                max_attempts=int(row["max_attempts"]),
                reply_hours=_number(row["reply_hours"]),
                reply_working_days=_number(row["reply_working_days"]),
                close_hours=_number(row["close_hours"]),
                close_working_days=_number(row["close_working_days"]),
            )
            for row in csv.DictReader(file)
        ]


DEFAULTS = _shipped()
