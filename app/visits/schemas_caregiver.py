"""What a caregiver's own phone says, and what it is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.core.text import Body, View
from app.orders.schemas import ElderView, ItemView, WindowView
from app.visits.journal import Kind
from app.visits.schemas import ProviderEvent, ReportedEvent


class CaregiverEvent(ReportedEvent):
    """One thing that happened. `proof`: what was scanned (qr, nfc) or read out (otp); it is looked at, not kept.

    `caregiver_id`: whose the event is on a phone that two people use; refused when somebody else is signed in.
    """

    caregiver_id: UUID | None = None
    proof: Annotated[str, StringConstraints(max_length=500)] | None = None

    def by(self, caller: UUID) -> ProviderEvent:
        told = self.model_dump(exclude={"proof", "caregiver_id"})
        return ProviderEvent(**told, caregiver_id=self.caregiver_id or caller)


class CaregiverEvents(Body):
    """Events of any of my orders, in any order, up to 100 at a time."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "events": [
                        {
                            "event_id": "7f3c0a51-000017",
                            "type": "checked_in",
                            "order_id": "0197b5a2-6c1e-7d35-9f10-3a5b8e2c4d61",
                            "occurred_at": "2026-03-02T09:02:11+08:00",
                            "device_seq": 17,
                            "location": {"lng": 102.188, "lat": 38.5205, "crs": "wgs84", "accuracy_m": 18},
                            "method": "otp",
                            "proof": "402913",
                        }
                    ]
                }
            ]
        },
    )

    events: Annotated[list[CaregiverEvent], Field(min_length=1, max_length=100)]


class OwnVisit(View):
    """One visit. `next` are the steps still to come; empty once it is over, or when another one leads.

    The door is told while the order is in hand, and no longer. `points` are what the service consists of, in the
    catalogue's words. `photos` and `signed` are what reached us from the caller herself: how many photos, and whether
    a signature was taken ("yes") or a reason given for having none ("skipped").
    """

    order_id: UUID
    number: str
    status: str
    visit_status: str
    starts_at: datetime
    window: WindowView
    minutes: int
    min_minutes: int
    item: ItemView
    points: list[str]
    urgency: str
    elder: ElderView
    lead: bool
    flags: list[str]
    next: list[Kind]
    departed_at: datetime | None = None
    arrived_at: datetime | None = None
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    photos: int = 0
    signed: Literal["yes", "skipped"] | None = None


class OwnVisits(View):
    """`now` is our clock, by which the phone corrects its own; `last_seq` is where its numbering goes on."""

    now: datetime
    caregiver_id: UUID
    caregiver: str
    last_seq: int
    visits: list[OwnVisit]
    failures: dict[str, str]
    """Why a visit may fail: code and words."""


class CodeSent(View):
    """`sent`: False when the elder has no phone on file."""

    sent: bool


class DoorCodes(View):
    """What the desk may read out to the elder, for one order and one day."""

    day: str
    checked_in: str
    checked_out: str
