"""The rule in force for a division and an urgency: its own, or that of the nearest division above, or the shipped."""

from __future__ import annotations

from datetime import datetime

from app.core import clock
from app.core.db import Tx
from app.followup import queries
from app.followup.rules import DEFAULTS
from app.followup.selection import Rule, choose
from app.regions import divisions


async def rule(tx: Tx, division_code: str, urgency: str, at: datetime) -> Rule:
    """Raises LookupError for an urgency nobody has a rule for."""
    rules = await tx.cache.get("followup.rules", lambda: queries.rules(tx))
    found = choose(rules, divisions.lineage(division_code), urgency, clock.service_day(at))
    if found is None:
        raise LookupError(f"no follow-up rule for {urgency}")
    return found


async def load_default_rules(tx: Tx) -> None:
    """Put the shipped figures into the database, where a division can edit them; never overwrites."""
    for shipped in DEFAULTS:
        await queries.add_rule(tx, shipped)
