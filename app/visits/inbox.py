"""The door of the room: is this event new, ours, plausible, and what do we answer?

An event that makes sense is stored whatever its answer, since what was said is evidence. Only what cannot be
tied to an order, a caregiver and files of this provider is rejected and leaves no trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.crypto import Vault
from app.core.db import Tx
from app.core.http import Caller
from app.core.json import canonical
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow
from app.regions import divisions
from app.visits import queries
from app.visits.journal import Entry, Holding, doubt
from app.visits.policy import VisitPolicy
from app.visits.queries import Known
from app.visits.schemas import EventResult, ProviderEvent, Result

PAST_THE_VISIT = frozenset({Status.COMPLETED, Status.CLOSED, Status.CANCELLED})


@dataclass(slots=True)
class Arrival:
    """One event on its way in; `accept` makes it a row."""

    event: ProviderEvent
    provider_id: UUID
    body_hash: bytes
    stored: dict[str, Any] | None = None
    back_filled: bool = False
    proved: bool | None = None

    @property
    def is_new(self) -> bool:
        return self.stored is not None

    @property
    def entry(self) -> Entry:
        event = self.event
        lng, lat = event.location.wgs84() if event.location else (None, None)
        return Entry(
            self.provider_id, event.event_id, event.caregiver_id, event.type, event.occurred_at.astimezone(UTC),
            event.method, event.device_seq, lng, lat, event.location.accuracy_m if event.location else None,
            tuple(event.evidence), event.reason_code, self.back_filled, self.proved,
        )  # fmt: skip

    def accept(self, actor: str, result: Result, reason: str | None, *, back_filled: bool, now: datetime) -> None:
        """Mark the event as stored with this answer."""
        self.back_filled = back_filled
        self.stored = {"received_at": now, "result": result, "reason": reason, "recorded_by": actor}

    def row(self, vault: Vault) -> dict[str, Any]:
        """The columns of `visit_event` in a form JSON can carry."""
        event, entry = self.event, self.entry
        return {
            **(self.stored or {}),
            "provider_id": self.provider_id,
            "event_id": event.event_id,
            "order_id": event.order_id,
            "caregiver_id": event.caregiver_id,
            "type": event.type.value,
            "method": event.method.value,
            "occurred_at": entry.occurred_at,
            "device_seq": event.device_seq,
            "lng": entry.lng,
            "lat": entry.lat,
            "source_crs": event.location.crs.value if event.location else None,
            "accuracy_m": entry.accuracy_m,
            "evidence": event.evidence,
            "reason_code": event.reason_code,
            "note": _bytea(vault.seal("visit_event.note", note_row(self.provider_id, event.event_id), event.note))
            if event.note
            else None,
            "back_filled": self.back_filled,
            "proved": self.proved,
            "body_hash": _bytea(self.body_hash),
        }


def note_row(provider_id: UUID, event_id: str) -> str:
    """The row id a note is sealed under."""
    return f"{provider_id}:{event_id}"


def hash_of(event: ProviderEvent) -> bytes:
    """Equal for the same event told again, whatever time zone the app writes."""
    body = event.model_dump(mode="json") | {"occurred_at": event.occurred_at.astimezone(UTC).isoformat()}
    return hashlib.sha256(canonical(body)).digest()


def holding_of(order: OrderRow) -> Holding:
    return Holding(order.provider_id, order.caregiver_id, order.assigned_at, order.second_caregiver_id)


def rejected(event: ProviderEvent, reason: str) -> EventResult:
    return EventResult(event_id=event.event_id, result="rejected", reason=reason)


async def policy_of(tx: Tx, order: OrderRow, now: datetime) -> VisitPolicy:
    """The figures in force for the order's division today."""
    rows = await tx.cache.get("visits.policies", lambda: queries.policies(tx))
    return queries.policy_in(rows, divisions.lineage(order.division_code), clock.service_day(now))


async def examine(
    tx: Tx, caller: Caller, order: OrderRow, arrivals: Sequence[Arrival], known: Known, now: datetime
) -> list[EventResult]:
    """Answer each arrival and accept those that are new and make sense."""
    seen = {(r["provider_id"], r["event_id"]): bytes(r["body_hash"]) for r in known.events}
    caregivers, uploads = await _of_provider(tx, order, arrivals)
    policy = await policy_of(tx, order, now)
    answers = []
    for arrival in arrivals:
        event, key = arrival.event, (arrival.provider_id, arrival.event.event_id)
        if key in seen:
            same = seen[key] == arrival.body_hash
            answers.append(
                EventResult(event_id=event.event_id, result="duplicate") if same else rejected(event, "event_id_reused")
            )
            continue
        if reason := _refusal(caller, event, caregivers, uploads):
            answers.append(rejected(event, reason))
            continue
        seen[key] = arrival.body_hash
        result, why = _answer(arrival.entry, order, now)
        late_by = now - event.occurred_at
        arrival.accept(caller.actor, result, why, back_filled=late_by > policy.back_fill_after, now=now)
        answers.append(EventResult(event_id=event.event_id, result=result, reason=why))
    return answers


def _answer(entry: Entry, order: OrderRow, now: datetime) -> tuple[Result, str | None]:
    if reason := doubt(entry, holding_of(order), now):
        return "needs_review", reason
    status = Status(order.status)
    if status in PAST_THE_VISIT:
        return "late", f"order_{status.value}"
    return "applied", None


def _refusal(caller: Caller, event: ProviderEvent, caregivers: set[UUID], uploads: set[UUID]) -> str | None:
    if caller.kind == "caregiver" and caller.id != str(event.caregiver_id):
        return "caregiver_is_not_the_caller"
    if event.caregiver_id not in caregivers:
        return "caregiver_unknown"
    if not uploads.issuperset(event.evidence):
        return "evidence_unknown"
    return None


async def _of_provider(tx: Tx, order: OrderRow, arrivals: Sequence[Arrival]) -> tuple[set[UUID], set[UUID]]:
    """The caregivers and uploads among those named that belong to the provider; asks only when it must."""
    provider_id = arrivals[0].provider_id
    named = {arrival.event.caregiver_id for arrival in arrivals}
    holder = {order.caregiver_id} if order.provider_id == provider_id and order.caregiver_id else set()
    unsure = named - holder
    known = holder | (await queries.caregivers_of(tx, provider_id, unsure) if unsure else set())
    files = {upload for arrival in arrivals for upload in arrival.event.evidence}
    return known, await queries.uploads_of(tx, provider_id, files) if files else set()


def _bytea(value: bytes) -> str:
    return "\\x" + value.hex()
