"""The deadlines we ship: common practice, meant to be edited. See `data/deadline_rules.csv`."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files

from app.core.db import Tx
from app.orders import queries


async def load_default_rules(tx: Tx) -> None:
    """Bring in the shipped rules; never overwrites what a division has set."""
    with (files("app.orders") / "data" / "deadline_rules.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rural = int(row["rural_minutes"]) if row["rural_minutes"] else None
            await queries.seed_rule(
                tx,
                (
                    row["division_code"],
                    row["urgency"],
                    row["name"],
                    date.fromisoformat(row["valid_from"]),
                    int(row["minutes"]),
                    rural,
                    row["from_window"] == "true",
                ),
            )
