"""Which way an order is put before providers. Pure.

ranked   the best candidate's provider is asked, then the next: who refuses or is silent is passed over
grab     (抢单) the best few providers are asked at once; the first to accept has it, the others are told
fixed    the provider that a contract names is asked first; if it cannot or will not, the order goes on ranked
manual   a person chose, with a reason; the work rules still hold
round    a plan of the whole day was published, and this is its part of it

Rules are rows with versions per division, service item and urgency; where none is in force, offers are ranked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

ANY = "any"
"""Said of a service item, an urgency or a scheme: all of them."""

NEVER_WAIT = frozenset({"emergency", "urgent"})
BATCH_LEAD = timedelta(hours=1)
"""An order whose visit begins sooner than this is not kept back to be weighed against others."""


class Mode(StrEnum):
    RANKED = "ranked"
    GRAB = "grab"
    FIXED = "fixed"
    MANUAL = "manual"
    ROUND = "round"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of `dispatch_mode`; `breadth` is how many providers may grab, and given for that mode alone."""

    version: int
    division_code: str
    item_code: str
    urgency: str
    mode: Mode
    breadth: int | None
    valid_from: date


@dataclass(frozen=True, slots=True)
class Contract:
    """One row of `fixed_provider`; both days included."""

    id: UUID
    provider_id: UUID
    division_code: str
    item_code: str
    scheme_code: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How an order goes out now. `because` says why not in the mode its rule asks for."""

    mode: Mode
    version: int | None = None
    breadth: int = 1
    provider_id: UUID | None = None
    because: str | None = None

    def ranked(self, because: str) -> Plan:
        """The same order's plan after the mode of its rule has come to nothing."""
        return Plan(Mode.RANKED, self.version, because=because)


def rule_for(rules: Iterable[Rule], places: Sequence[str], item_code: str, urgency: str, day: date) -> Rule | None:
    """The rule in force on `day`: of the nearest division, its own item before "any", its own urgency before "any".

    `places` are the order's division and all around it, the nearest first. Of equals the newest counts.
    """
    fitting = [
        rule
        for rule in rules
        if rule.division_code in places
        and rule.item_code in (item_code, ANY)
        and rule.urgency in (urgency, ANY)
        and rule.valid_from <= day
    ]
    return min(
        fitting,
        key=lambda rule: (
            places.index(rule.division_code),
            rule.item_code == ANY,
            rule.urgency == ANY,
            -rule.valid_from.toordinal(),
            -rule.version,
        ),
        default=None,
    )


def contract_for(
    contracts: Iterable[Contract], places: Sequence[str], item_code: str, schemes: Collection[str], day: date
) -> Contract | None:
    """The contract that names this order's provider; `schemes` are those that pay for it.

    The nearest division counts first, then a contract for the scheme, then one for the item.
    """
    fitting = [
        one
        for one in contracts
        if one.division_code in places
        and one.item_code in (item_code, ANY)
        and (one.scheme_code == ANY or one.scheme_code in schemes)
        and one.valid_from <= day
        and (one.valid_to is None or one.valid_to >= day)
    ]
    return min(
        fitting,
        key=lambda one: (
            places.index(one.division_code),
            one.scheme_code == ANY,
            one.item_code == ANY,
            -one.valid_from.toordinal(),
            str(one.id),
        ),
        default=None,
    )


def plan(rule: Rule | None, contract: Contract | None, asked: Collection[UUID]) -> Plan:
    """The plan for an order whose providers `asked` have had their chance already."""
    if rule is None:
        return Plan(Mode.RANKED)
    made = Plan(rule.mode, rule.version, breadth=rule.breadth or 1)
    if rule.mode is not Mode.FIXED:
        return made
    if contract is None:
        return made.ranked("no_contract")
    if contract.provider_id in asked:
        return made.ranked("fixed_provider_declined")
    return Plan(Mode.FIXED, rule.version, provider_id=contract.provider_id)


def waits_for_batch(urgency: str, begins_in: timedelta, *, scarce: bool) -> bool:
    """May this order be kept back for a few seconds and weighed against others?

    Only where caregivers are scarce is there anything to win; an emergency never waits, nor does anything urgent.
    `begins_in` is the time from now to the wanted begin.
    """
    return scarce and urgency not in NEVER_WAIT and begins_in >= BATCH_LEAD
