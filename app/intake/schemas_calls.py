"""What intake answers about calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.core.text import View
from app.elders.schemas import ElderView
from app.intake.calls import CallbackReason, CallState, Outcome
from app.orders.schemas import OrderView


class CallView(View):
    """One call, as it is known by now. `answered_at`: a person answered, not the exchange."""

    id: UUID
    state: CallState
    outcome: Outcome | None = None
    cause: str | None = None
    caller: str | None = None
    """Masked; null when the number was withheld."""
    called: str | None = None
    queue: str | None = None
    agent: str | None = None
    """Who answered last; before that, whose phone rings."""
    offers: int
    first_at: datetime
    queued_at: datetime | None = None
    offered_at: datetime | None = None
    answered_at: datetime | None = None
    abandoned_at: datetime | None = None
    voicemail_at: datetime | None = None
    ended_at: datetime | None = None
    waited_s: Annotated[int | None, Field(description="Until an answer or the end; of a living call until now")] = None
    recorded: bool
    callback: CallbackReason | None = None
    """Why there is, or was, a call-back task."""


class FigureView(View):
    name: str
    label: str
    standard: str
    share: float | None = None
    """Between 0 and 1; null when there was nothing to count."""
    asked: float | None = None
    """What the standard asks for, as far as it states it."""
    definition: str


class HotlineView(View):
    """How the hotline was answered in a period, by two standards side by side."""

    begin: datetime
    end: datetime
    queue: str | None = None
    offered: int
    """Calls that came in and have ended; those whose end nobody told are `unknown` and in no share."""
    answered: int
    abandoned: int
    voicemail: int
    unknown: int
    figures: list[FigureView]


class BehindView(View):
    """An elder the number may belong to. `relation`: whose the number is, `self` or a relative's; `household` when it
    is not the elder's but that of somebody who shares a phone with one it belongs to."""

    elder: ElderView
    relation: str
    open_orders: list[OrderView]
    last_orders: list[OrderView]
    """The last three that are over, newest first: "again" begins with one of them."""


class CaregiverBehindView(View):
    """A caregiver with this number: somebody at work, not somebody asking for help."""

    id: UUID
    name: str
    provider_id: UUID
    provider_name: str


class ScreenView(View):
    """Who may be calling. The number shown chooses records for the operator and proves nothing."""

    call: CallView
    behind: list[BehindView]
    elsewhere: int
    """Elders with this number outside the operator's divisions; a person of the other desk may help."""
    caregivers: list[CaregiverBehindView]
    calls_before: list[CallView]
    """The number's last five calls, newest first."""
