"""The table of actions is complete, and separates the duties it has to separate."""

from __future__ import annotations

import pytest

from app.accounts import policy
from app.accounts.guard import NOBODY, AccountsGuard
from app.core.errors import Forbidden, Unauthorized
from app.core.http import SYSTEM, Caller

MONEY_OUT = {"settlement.approve", "settlement.pay"}
MONEY_PREPARED = {"settlement.run", "settlement.review", "settlement.adjust"}


def staff(*roles: str) -> Caller:
    return Caller(kind="staff", id="1", name="测试", roles=frozenset(roles), divisions=("620300",))


def allowed(caller: Caller) -> set[str]:
    def may(action: str) -> bool:
        try:
            policy.decide(caller, action)
        except (Forbidden, Unauthorized):
            return False
        return True

    return {action for action in policy.ACTIONS if may(action)}


def test_the_table_names_only_known_roles_and_kinds() -> None:
    for action, who in policy.ACTIONS.items():
        assert who, f"{action} is open to nobody"
        assert who <= policy.ROLES | policy.KINDS, action


def test_every_role_and_kind_can_do_something() -> None:
    named = frozenset().union(*policy.ACTIONS.values())
    assert named == policy.ROLES | policy.KINDS


def test_an_unknown_action_is_refused_to_everybody() -> None:
    assert not AccountsGuard().knows("orders.burn")
    with pytest.raises(Forbidden):
        policy.decide(staff(*policy.ROLES), "orders.burn")
    with pytest.raises(Unauthorized):
        policy.decide(NOBODY, "orders.burn")


def test_nobody_prepares_and_releases_a_payment() -> None:
    for role in policy.ROLES:
        mine = allowed(staff(role))
        assert not (mine & MONEY_OUT and mine & MONEY_PREPARED), role


def test_the_auditor_changes_nothing() -> None:
    assert {action.split(".")[1] for action in allowed(staff(policy.AUDITOR)) - allowed(NOBODY)} == {"read", "close"}


def test_a_role_name_does_not_help_another_kind_of_caller() -> None:
    disguised = Caller(kind="provider", id="p", name="p", roles=frozenset(policy.ROLES))
    assert allowed(disguised) == allowed(NOBODY) | {a for a, who in policy.ACTIONS.items() if "provider" in who}
    assert allowed(Caller(kind="operator", id="x", name="x")) == allowed(NOBODY)


def test_the_public_and_the_system_get_open_doors_only() -> None:
    public = {action for action, who in policy.ACTIONS.items() if "public" in who}
    assert allowed(NOBODY) == public
    assert allowed(SYSTEM) == public


def test_operators_do_not_touch_money_and_clerks_do_not_touch_orders() -> None:
    operator, clerk = allowed(staff(policy.OPERATOR)), allowed(staff(policy.CLERK))
    assert not {a for a in operator if a.startswith(("settlement.", "ledger.", "audit.", "staff.", "keys."))}
    assert not {"orders.place", "orders.change", "dispatch.decide", "elders.reveal"} & clerk


@pytest.mark.parametrize("pair", policy.INCOMPATIBLE, ids=lambda pair: "+".join(sorted(pair)))
def test_conflicting_duties_are_found(pair: frozenset[str]) -> None:
    assert policy.conflicting([*pair, policy.OPERATOR]) == pair
    assert policy.conflicting([min(pair)]) is None
