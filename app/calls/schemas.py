"""What the doors to calls take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.calls.record import CallbackReason, CallState, Outcome
from app.core.text import Body, Note, View


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
    part: int
    whole: int
    share: float | None = None
    """`part` of `whole`, between 0 and 1; null when there was nothing to count."""
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


class Unheard(View):
    """Nothing came from an exchange between these moments: its calls of that time are with it only."""

    source: str
    instance: str
    since: datetime
    until: datetime


class CallbackView(View):
    """A call that did not reach us, a message that did not reach them, or calls we may not have heard of."""

    id: UUID
    call_id: UUID | None = None
    message_id: UUID | None = None
    division: str | None = None
    """Of whom the message is about; null: everybody's."""
    reason: str
    status: str
    phone: str | None = None
    """Masked in lists, plain for the operator who opens the task."""
    words: str | None = None
    """What the message would have said, for the operator who opens the task."""
    urgent: bool = False
    """The words of an alarm: before everything else."""
    unheard: Unheard | None = None
    """Whose own list of calls is to be looked at, where the reason is `exchange_unheard`."""
    due_at: datetime
    late: bool
    result: str | None = None
    note: str | None = None
    done_at: datetime | None = None
    done_by: str | None = None

    @property
    def kind(self) -> str:
        """What kind of work it is, for a person."""
        return f"{self.reason}_urgent" if self.urgent else self.reason


class CallbackResult(Body):
    """`no_answer` keeps the task due for another try."""

    result: Literal["reached", "no_answer", "wrong_number", "number_withheld", "called_again"]
    note: Note | None = None

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"result": "reached", "note": "想订午餐，已登记"}]}
    )
