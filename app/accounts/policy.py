"""Who may do what: one table, read as a table. No other line of the product decides this.

A staff member acts with each of their roles; everybody else acts with the kind of caller they are. What nobody
is named for is refused. Which rows a caller sees is a second question, answered by `scope`.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.core.errors import Forbidden, Unauthorized
from app.core.http import Caller

OPERATOR = "operator"
SUPERVISOR = "supervisor"
CLERK = "settlement_clerk"
APPROVER = "finance_approver"
AUDITOR = "auditor"
ADMINISTRATOR = "administrator"
SECURITY = "security_administrator"
STATION = "station"
"""Somebody at a township's service station: books for the elders of its divisions, and sees how that goes."""
ROLES = frozenset({OPERATOR, SUPERVISOR, CLERK, APPROVER, AUDITOR, ADMINISTRATOR, SECURITY, STATION})

PUBLIC, STAFF, PROVIDER, CAREGIVER, FAMILY = "public", "staff", "provider", "caregiver", "family"
TELEPHONY, DEVICE, APP = "telephony", "device", "app"
KINDS = frozenset({PUBLIC, STAFF, PROVIDER, CAREGIVER, FAMILY, TELEPHONY, DEVICE, APP})

DESK = (OPERATOR, SUPERVISOR)

INCOMPATIBLE = (
    frozenset({CLERK, APPROVER}),
    frozenset({ADMINISTRATOR, SECURITY}),
    frozenset({ADMINISTRATOR, AUDITOR}),
    frozenset({SECURITY, AUDITOR}),
    frozenset({ADMINISTRATOR, APPROVER}),
    frozenset({AUDITOR, CLERK}),
    frozenset({AUDITOR, APPROVER}),
)
"""Duties one person may not hold together: who runs the system, who watches it and who looks at the watching
(GB/T 22239, level 3), and who prepares a payment and who releases it."""


def _who(*roles: str) -> frozenset[str]:
    return frozenset(roles)


ACTIONS: dict[str, frozenset[str]] = {
    # open doors
    "session.open": _who(PUBLIC),
    "catalog.read": _who(PUBLIC),
    "portal.read": _who(PUBLIC),
    "family.order": _who(PUBLIC),  # the link in the path is the proof
    "family.rate": _who(PUBLIC),
    "family.pay": _who(PUBLIC),
    "family.sign_in": _who(PUBLIC),
    "family.codes": _who(PUBLIC),
    "caregiver.sign_in": _who(PUBLIC),
    "cards.scan": _who(PUBLIC),  # the token on the card is the proof
    "cards.help": _who(PUBLIC),
    "channels.wechat": _who(PUBLIC),  # WeChat's own signature is the proof
    "channels.pushes": _who(PUBLIC),  # the maker's own proof is checked by the door
    "channels.wechatpay": _who(PUBLIC),  # WeChat Pay's own signature is the proof
    "channels.receipts": _who(PUBLIC),  # the secret in the path is the proof
    "system.health": _who(PUBLIC),
    # everybody who has signed in at a desk
    "session.read": _who(STAFF, FAMILY, CAREGIVER),
    "session.close": _who(STAFF, FAMILY, CAREGIVER),
    "regions.read": _who(STAFF),
    "regions.write": _who(ADMINISTRATOR),
    # elders, their requests and the price of help
    "elders.read": _who(*DESK, STATION),
    "elders.write": _who(*DESK),
    "elders.reveal": _who(*DESK),
    "cards.read": _who(*DESK, STATION, CAREGIVER),
    "consents.read": _who(*DESK, AUDITOR),
    "consents.write": _who(*DESK),
    "articles.read": _who(*DESK, STATION, AUDITOR),
    "articles.write": _who(SUPERVISOR),
    "requests.read": _who(*DESK),
    "requests.write": _who(*DESK),
    "transfers.read": _who(*DESK),
    "transfers.work": _who(*DESK),
    "hotline.read": _who(*DESK, AUDITOR),
    "calls.judge": _who(SUPERVISOR),
    "recordings.read": _who(*DESK, AUDITOR),
    "messages.read": _who(*DESK, AUDITOR),
    "family_links.read": _who(*DESK, AUDITOR),
    "incidents.read": _who(*DESK, AUDITOR),
    "incidents.work": _who(*DESK),
    "quotes.make": _who(*DESK, STATION, FAMILY, APP),
    "benefits.read": _who(*DESK, CLERK, AUDITOR),
    "benefits.write": _who(SUPERVISOR),
    # orders and dispatch
    "orders.read": _who(*DESK, STATION, AUDITOR, CLERK),
    "orders.place": _who(*DESK),
    "orders.book": _who(*DESK, STATION),
    "booking.rules": _who(SUPERVISOR),
    "orders.change": _who(*DESK),
    "orders.watch": _who(*DESK),
    "order_files.read": _who(*DESK, AUDITOR),  # an order with all that was decided, said and proved about it
    "plans.read": _who(*DESK, AUDITOR),
    "plans.write": _who(*DESK),
    "dispatch.read": _who(*DESK, AUDITOR),
    "dispatch.decide": _who(*DESK),
    "dispatch.rules": _who(SUPERVISOR),
    "rounds.read": _who(*DESK, AUDITOR),
    "rounds.plan": _who(*DESK),
    "rounds.publish": _who(*DESK),
    "providers.read": _who(*DESK, CLERK, AUDITOR, ADMINISTRATOR),
    "providers.write": _who(SUPERVISOR, ADMINISTRATOR),
    "catalog.write": _who(SUPERVISOR),
    # the visit and after it
    "visits.read": _who(*DESK, CLERK, AUDITOR),
    "visits.record": _who(*DESK),
    "visits.verify": _who(SUPERVISOR),
    "followups.read": _who(*DESK),
    "followups.work": _who(*DESK),
    "complaints.read": _who(*DESK, AUDITOR),
    "complaints.write": _who(*DESK, FAMILY),
    "complaints.decide": _who(SUPERVISOR),
    "desk.stream": _who(*DESK),
    "board.read": _who(*DESK),
    "board.views": _who(*DESK),
    # money: who prepares never releases
    "insight.read": _who(SUPERVISOR, AUDITOR, CLERK, APPROVER, ADMINISTRATOR),
    "settlement.run": _who(CLERK),
    "settlement.read": _who(CLERK, AUDITOR, APPROVER, SUPERVISOR),
    "settlement.review": _who(CLERK),
    "settlement.adjust": _who(CLERK),
    "settlement.approve": _who(APPROVER),
    "settlement.pay": _who(APPROVER),
    "ledger.read": _who(CLERK, APPROVER, AUDITOR),
    "payments.read": _who(*DESK, CLERK, AUDITOR),
    "payments.review": _who(SUPERVISOR, CLERK),
    # outside systems
    "provider.feed": _who(PROVIDER),
    "provider.orders": _who(PROVIDER),
    "provider.offers": _who(PROVIDER),
    "provider.events": _who(PROVIDER),
    "provider.uploads": _who(PROVIDER),
    "provider.statements": _who(PROVIDER),
    "requests.app": _who(APP),
    "channels.phone": _who(TELEPHONY),
    "channels.devices": _who(DEVICE),
    # families and caregivers, signed in by phone
    "family.requests": _who(FAMILY),
    "family.read": _who(FAMILY),
    "family.consents": _who(FAMILY),
    "payments.make": _who(FAMILY),
    "caregiver.work": _who(CAREGIVER),
    # running the system, and watching it run
    "staff.manage": _who(ADMINISTRATOR),
    "keys.manage": _who(ADMINISTRATOR),
    "jobs.read": _who(ADMINISTRATOR),
    "jobs.replay": _who(ADMINISTRATOR),
    "audit.read": _who(AUDITOR, SECURITY),
}


def acts_as(caller: Caller) -> frozenset[str]:
    """Every name in the table that fits this caller."""
    roles = caller.roles & ROLES if caller.kind == STAFF else frozenset()
    return roles | (KINDS & {caller.kind})


def decide(caller: Caller, action: str) -> None:
    """Raises Forbidden unless the table allows it; Unauthorized when nobody has signed in yet."""
    if may(caller, action):
        return
    if caller.kind == PUBLIC:
        raise Unauthorized("sign_in_required", "this needs a session or a signature")
    raise Forbidden("not_permitted", f"your role does not include {action}", action=action)


def may(caller: Caller, action: str) -> bool:
    """Whether the table allows it; for pages that show the way only to whom it is open."""
    allowed = ACTIONS.get(action, frozenset())
    return PUBLIC in allowed or bool(allowed & acts_as(caller))


def conflicting(roles: Iterable[str]) -> frozenset[str] | None:
    """The first pair of roles that one person may not hold together; None when all is well."""
    held = frozenset(roles)
    return next((pair for pair in INCOMPATIBLE if pair <= held), None)
