"""What was said to whom, by which way and with what success, for the desk; and what relatives want to hear of.

Addresses are masked, codes are not shown at all, and a link says only that it was there: it opens an order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import ConfigDict

from app.accounts import audit, scope
from app.channels import queries_messages as queries
from app.core import clock
from app.core.db import Tx
from app.core.errors import NotFound
from app.core.http import Caller, CallerDep, Router, TxDep, allow
from app.core.paging import CursorParam, Limit, Page, after_id, page_of
from app.core.text import Body, Line, View, masked_phone
from app.messaging import queries_receipts
from app.messaging import service as messaging
from app.messaging.breaker import Breaker
from app.messaging.ways import CHANNELS, Purpose
from app.regions.divisions import scope_ranges

router = Router(tags=["messages"])

Status = Literal["queued", "sent", "delivered", "failed", "unknown", "suppressed"]
Word = Annotated[str | None, Query(max_length=80)]


class MessageView(View):
    """`status`: `sent` is taken by the gateway, `delivered` by the phone; `unknown`: nobody knows, and it is not sent
    again; `suppressed`: not sent, `failure` says why. `stands_in_for`: the message whose failure this makes up for."""

    id: UUID
    template: str
    channel: str
    recipient_kind: str
    recipient_id: str | None
    address: str | None
    order_id: UUID | None
    urgent: bool
    status: Status
    attempts: int
    failure: str | None
    not_before: datetime
    created_at: datetime
    handed_over_at: datetime | None
    settled_at: datetime | None
    stands_in_for: UUID | None


class ReceiptView(View):
    delivered: bool
    code: str
    received_at: datetime


class WholeMessageView(MessageView):
    words: str | None
    """What it says or said; null for codes, and when it has been forgotten."""
    receipts: list[ReceiptView]


class ChannelView(View):
    """`open`: the channel rests after failures in a row, and messages that can wait do."""

    channel: str
    state: Literal["closed", "open"]
    failures: int
    open_until: datetime | None
    last_failure: str | None
    waiting: int


class ChannelList(View):
    items: list[ChannelView]


class NewsBody(Body):
    allowed: bool
    evidence: Line | None = None
    """A reference (a recording, a paper), never the thing itself."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"allowed": False, "evidence": "recording 2026-11-24 09:12"}]}
    )


class NewsView(View):
    """Whether this relative hears how orders go on. An alarm is told in any case."""

    allowed: bool
    decided_at: datetime | None = None
    decided_by: str | None = None


@router.get("/v1/messages", response_model=Page[MessageView], summary="What was said, newest first")
@allow("messages.read")
async def list_messages(
    tx: TxDep,
    caller: CallerDep,
    order_id: UUID | None = None,
    recipient_kind: Word = None,
    recipient_id: Word = None,
    status: Status | None = None,
    channel: Word = None,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> Any:
    rows = await queries.find(
        tx, order_id, recipient_kind, recipient_id, status, channel, after_id(cursor),
        ranges=scope_ranges(caller.divisions), limit=limit + 1,
    )  # fmt: skip
    return page_of([MessageView(**_shown(tx, row)) for row in rows[:limit]], [row["id"] for row in rows], limit)


@router.get("/v1/messages/{message_id}", response_model=WholeMessageView, summary="One message, with its receipts")
@allow("messages.read")
async def read_message(tx: TxDep, caller: CallerDep, message_id: UUID) -> Any:
    row = await queries.one(tx, message_id, scope_ranges(caller.divisions))
    if row is None:
        raise NotFound("message_not_found")
    told = []
    if row["external_id"] is not None:
        index = bytes(row["address_index"] or b"")
        told = await queries_receipts.of_message(tx, row["channel"], row["external_id"], index)
    receipts = [ReceiptView(**dict(one)) for one in told]
    return WholeMessageView(**_shown(tx, row), words=await messaging.words(tx, row), receipts=receipts)


@router.get("/v1/message-channels", response_model=ChannelList, summary="How each channel does")
@allow("messages.read")
async def list_channels(tx: TxDep) -> Any:
    rows = await queries.channels(tx, CHANNELS)
    return ChannelList(
        items=[
            ChannelView(
                channel=row["channel"],
                state=Breaker(open_until=row["open_until"]).state,
                failures=row["failures"] or 0,
                open_until=row["open_until"],
                last_failure=row["last_failure"],
                waiting=row["waiting"],
            )
            for row in rows
        ]
    )


@router.get("/v1/family-members/{member_id}/news", response_model=NewsView, summary="Does this relative want news?")
@allow("consents.read")
async def read_news(tx: TxDep, caller: CallerDep, member_id: UUID) -> Any:
    await _see_member(tx, caller, member_id)
    said = await messaging.choice(tx, "family", member_id, Purpose.SERVICE)
    return NewsView(**dict(said)) if said is not None else NewsView(allowed=True)


@router.put(
    "/v1/family-members/{member_id}/news", response_model=NewsView, summary="A relative wants news of orders, or none"
)
@allow("consents.write")
async def put_news(tx: TxDep, caller: CallerDep, member_id: UUID, body: NewsBody) -> Any:
    await _see_member(tx, caller, member_id)
    await messaging.choose(tx, "family", member_id, Purpose.SERVICE, body.allowed, caller.actor)
    action = "consents.grant" if body.allowed else "consents.withdraw"
    await audit.record(tx, caller, action, "family_member", member_id, (Purpose.SERVICE,), body.evidence)
    return NewsView(allowed=body.allowed, decided_at=clock.now(), decided_by=caller.actor)


async def _see_member(tx: Tx, caller: Caller, member_id: UUID) -> None:
    division = await queries.division_of_member(tx, member_id)
    if division is None:
        raise NotFound()
    scope.see(caller, division)


def _shown(tx: Tx, row: Any) -> dict[str, Any]:
    facts = {name: row[name] for name in MessageView.model_fields if name not in {"template", "address"}}
    address = None
    if row["address"] is not None:
        plain = tx.vault.open(messaging.ADDRESS, row["id"], row["address"])
        address = masked_phone(plain) if plain.startswith("+") else f"{plain[:2]}****"
    return facts | {"template": row["template_code"], "address": address}
