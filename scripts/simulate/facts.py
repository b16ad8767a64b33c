"""What the service says of itself at the end, read through its public doors only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scripts.simulate.companies import Company
from scripts.simulate.doors import Staff
from scripts.simulate.notebook import FeedSighting, Notebook

AT_ONCE = 6
READ_AGAIN = 5


@dataclass(slots=True)
class Facts:
    """Answers of the doors, as they came, and what the simulation knows by itself."""

    now: datetime
    book: Notebook = field(default_factory=Notebook)
    orders: list[dict[str, Any]] = field(default_factory=list)
    histories: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    decisions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of orders made by the simulation."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    visits: list[dict[str, Any]] = field(default_factory=list)
    followups: list[dict[str, Any]] = field(default_factory=list)
    complaints: list[dict[str, Any]] = field(default_factory=list)
    statements: list[dict[str, Any]] = field(default_factory=list)
    """Each with all its lines under `items`."""
    recomputations: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    unsettled: list[dict[str, Any]] = field(default_factory=list)
    feeds: dict[str, list[FeedSighting]] = field(default_factory=dict)
    """Replayed from the beginning, by provider."""


async def gather(
    operator: Staff, supervisor: Staff, auditor: Staff, companies: list[Company], book: Notebook, run_id: str | None
) -> Facts:
    """Read everything the audit needs."""
    found = Facts(now=companies[0].doors.pace.now(), book=book)
    found.orders = await operator.pages("/v1/orders")
    found.requests = await operator.pages("/v1/care-requests")
    found.visits = await supervisor.pages("/v1/visits")
    found.followups = await operator.pages("/v1/followups")
    found.complaints = await supervisor.pages("/v1/complaints")
    ours = {wish.order_id for wish in book.wishes if wish.order_id}
    turns = asyncio.Semaphore(AT_ONCE)

    async def story(listed: dict[str, Any]) -> dict[str, Any]:
        order_id = listed["id"]
        async with turns:
            order, found.histories[order_id] = await _with_history(operator, listed)
            if order_id in ours:
                found.decisions[order_id] = await operator.get(f"/v1/orders/{order_id}/decisions")
        return order

    found.orders = list(await asyncio.gather(*(story(order) for order in found.orders)))
    for statement in await auditor.pages("/v1/statements"):
        path = f"/v1/statements/{statement['id']}"
        found.statements.append(statement | {"items": await auditor.pages(path)})
        found.recomputations[statement["id"]] = await auditor.get(f"{path}/recomputation")
    found.accounts = await auditor.get("/v1/ledger/accounts")
    if run_id is not None:
        found.unsettled = await auditor.pages(f"/v1/settlement-runs/{run_id}/unsettled")
    for company in companies:
        found.feeds[company.id] = await company.replay()
    return found


async def _with_history(operator: Staff, listed: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An order and its history as of one moment: the service goes on working while it is read, and an offer that
    expires between two reads would look like a broken history."""
    order = listed
    for _ in range(READ_AGAIN):
        history = await operator.get(f"/v1/orders/{order['id']}/timeline")
        after = await operator.get(f"/v1/orders/{order['id']}")
        if after["version"] == order["version"]:
            break
        order = after
    return order, history
