"""What waits to be done at the desk, from every room that has something, as lines that look alike.

Each queue asks its room's own list; nothing here decides what is due or late.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from app.calls import callbacks
from app.calls import queries as calls
from app.core import clock
from app.core.db import Tx
from app.core.http import Caller
from app.followup import queries as followups
from app.followup import queries_complaints as complaints
from app.followup import views as followup_views
from app.intake import queries as requests
from app.intake import views as request_views
from app.intake.requests import Status as RequestStatus
from app.orders import board
from app.orders.lifecycle import Status as OrderStatus
from app.regions.divisions import scope_ranges
from app.transfers import queries as transfers
from app.transfers.lifecycle import OPEN as OPEN_TRANSFERS

MOST = 200
"""Lines of one queue that are looked at; a longer one says so."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing to do. `kind`, `reason` are codes of its room; `who` and `what` are shown as they are."""

    id: UUID
    address: str
    kind: str
    who: str | None
    what: str
    since: datetime
    due_at: datetime | None
    late: bool
    own: bool = False
    """A follow-up of an order that the reader took: somebody else has to call."""


Ask = Callable[[Tx, Caller, datetime, int], Awaitable[list[Waiting]]]


async def of_followups(tx: Tx, caller: Caller, now: datetime, limit: int) -> list[Waiting]:
    """Calls that may be made by now."""
    rows = await followups.find(
        tx, ranges=scope_ranges(caller.divisions), status="due", provider_id=None, callable_at=now, after=None,
        limit=limit,
    )  # fmt: skip
    seen = [followup_views.followup(row, caller.actor, now) for row in rows]
    return [
        Waiting(
            one.id, f"followups/{one.id}", "followup", one.elder_name, f"{one.item} · {one.provider_name}",
            one.completed_at or one.due_at, one.due_at, one.late, one.own,
        )
        for one in seen
    ]  # fmt: skip


async def of_callbacks(tx: Tx, caller: Caller, now: datetime, limit: int) -> list[Waiting]:
    """Whoever did not reach us, and whom a message of ours did not reach; in the order of their room."""
    tasks = await calls.tasks(tx, "due", None, scope_ranges(caller.divisions), limit)
    seen = [callbacks.view(tx, task, now) for task in tasks]
    return [
        Waiting(
            one.id, f"callbacks/{one.id}", one.kind, None, one.phone or "", one.due_at, one.due_at, one.late
        )
        for one in seen
    ]  # fmt: skip


async def of_complaints(tx: Tx, caller: Caller, now: datetime, limit: int) -> list[Waiting]:
    rows = []
    for status in ("open", "replied"):
        rows += await complaints.find(
            tx, ranges=scope_ranges(caller.divisions), status=status, provider_id=None, order_id=None, overdue_at=None,
            before=None, limit=limit,
        )  # fmt: skip
    seen = [followup_views.complaint(row, now, tx.vault) for row in rows]
    return _by_due(
        Waiting(
            one.id, f"complaints/{one.id}", one.status, one.elder_name, one.provider_name or one.order_number or "",
            one.opened_at, one.reply_due_at if one.status == "open" else one.close_due_at,
            one.reply_late if one.status == "open" else one.close_late,
        )
        for one in seen
    )  # fmt: skip


async def of_transfers(tx: Tx, caller: Caller, now: datetime, limit: int) -> list[Waiting]:
    rows = await transfers.find(
        tx, ranges=scope_ranges(caller.divisions), direction=None, statuses=sorted(OPEN_TRANSFERS), overdue_on=None,
        before=None, limit=limit,
    )  # fmt: skip
    return _by_due(
        Waiting(
            row["id"], f"transfers/{row['id']}", f"transfer_{row['status']}", None,
            f"{row['hotline']} {row['their_number'] or ''}", row["created_at"], row["due_at"],
            row["due_at"] is not None and row["due_at"] < now,
        )
        for row in rows
    )  # fmt: skip


async def of_requests(tx: Tx, caller: Caller, now: datetime, limit: int) -> list[Waiting]:
    """Requests that nobody has decided on."""
    rows = await requests.find(
        tx, ranges=scope_ranges(caller.divisions), statuses=[RequestStatus.NEW], kinds=None, elder_id=None,
        with_unplaced=True, updated_since=None, before=None, limit=limit,
    )  # fmt: skip
    seen = await request_views.several(tx, rows)
    return _by_due(
        Waiting(
            one.id, f"requests/{one.id}", one.kind, one.elder.name if one.elder else one.caller.name, one.note or "",
            one.created_at, None, False,
        )
        for one in seen
    )  # fmt: skip


async def of_orders(tx: Tx, caller: Caller, now: datetime, limit: int) -> list[Waiting]:
    """Orders that nobody was found for in time, or that nobody takes on."""
    stuck = [OrderStatus.PLACED.value, OrderStatus.DISPATCHED.value, OrderStatus.ACCEPTED.value]
    lines = await board.lines(
        tx, scope_ranges(caller.divisions), board.Wanted(statuses=stuck, late_at=now), limit=limit
    )
    seen: list[dict[str, Any]] = [dict(zip(board.FIELDS, line, strict=True)) for line in lines]
    return [
        Waiting(
            UUID(one["id"]), f"/console/orders/{one['id']}", one["status"], one["elder"],
            f"{one['item']} · {one['number']}", _at(one["due_at"]), _at(one["due_at"]), late=True,
        )
        for one in seen
    ]  # fmt: skip


QUEUES: dict[str, Ask] = {
    "requests": of_requests,
    "orders": of_orders,
    "callbacks": of_callbacks,
    "followups": of_followups,
    "complaints": of_complaints,
    "transfers": of_transfers,
}
"""In the order one would look through them."""


async def all_of(tx: Tx, caller: Caller) -> dict[str, list[Waiting]]:
    """Every queue, each with what is most pressing first."""
    now = clock.now()
    return {name: await ask(tx, caller, now, MOST) for name, ask in QUEUES.items()}


def late_count(queues: dict[str, list[Waiting]]) -> int:
    return sum(one.late for one in chain.from_iterable(queues.values()))


def _by_due(waiting: Any) -> list[Waiting]:
    return sorted(waiting, key=lambda one: (one.due_at or one.since, one.id))


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
