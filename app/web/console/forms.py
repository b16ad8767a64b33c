"""What the desk's forms may say, and what of it the rooms are told."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, field_validator

from app.calls import queries as calls
from app.calls import views as call_views
from app.core.clock import SHANGHAI
from app.core.db import Tx
from app.core.text import Line, Note, Word
from app.elders.facts import NewElder, NewFamilyMember, NewPhone
from app.elders.schemas import DivisionCode, Sex
from app.intake.requests import Channel, Kind, Urgency
from app.intake.schemas import ItemCode, Minutes, PhoneText, Relation, Text
from app.intake.service import NewRequest, Requester
from app.web.pages import Form

When = Literal["asap", "today_pm", "tomorrow_am", "tomorrow_pm", "set"]
MORNING, AFTERNOON = (time(9), time(11, 30)), (time(14), time(17))
LATEST_TODAY = time(15, 30)
"""After this "this afternoon" is no promise any more."""


def windows(now: datetime) -> dict[str, tuple[datetime, datetime] | None]:
    """What the quick words for "when" mean now; None for one that does not make sense any more. Pure."""
    local = now.astimezone(SHANGHAI)
    tomorrow = local + timedelta(days=1)
    return {
        "today_pm": _on(local, AFTERNOON) if local.time() < LATEST_TODAY else None,
        "tomorrow_am": _on(tomorrow, MORNING),
        "tomorrow_pm": _on(tomorrow, AFTERNOON),
    }


def _on(day: datetime, hours: tuple[time, time]) -> tuple[datetime, datetime]:
    begin, end = (datetime.combine(day.date(), hour, SHANGHAI) for hour in hours)
    return begin, end


class Asked(Form):
    """When something is wanted. `begin` and `end` as a browser gives them, the city's time."""

    when: When = "asap"
    begin: datetime | None = None
    end: datetime | None = None

    @field_validator("begin", "end")
    @classmethod
    def _of_the_city(cls, at: datetime | None) -> datetime | None:
        return at.replace(tzinfo=SHANGHAI) if at is not None and at.tzinfo is None else at

    def window(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """(from, to); as soon as possible is (None, None)."""
        if self.when == "set":
            return self.begin, self.end
        return windows(now).get(self.when) or (None, None)


class PriceForm(Asked):
    """What a price depends on; half-typed, so nothing is required."""

    elder_id: UUID | None = None
    item_code: ItemCode | None = None
    minutes: Minutes | None = None


class WishForm(PriceForm):
    urgency: Urgency = Urgency.NORMAL


class OrderForm(Asked):
    """The middle of the desk. An order needs an elder and an item, which the room says."""

    kind: Kind = Kind.SERVICE
    elder_id: UUID | None = None
    call_id: UUID | None = None
    item_code: ItemCode | None = None
    minutes: Minutes | None = None
    urgency: Urgency = Urgency.NORMAL
    note: Note | None = None
    caller_name: Word | None = None
    caller_phone: PhoneText | None = None
    relation: Relation = "self"
    address: Line | None = None
    order_id: UUID | None = None
    answer: Text | None = None
    article_id: UUID | None = None

    def asked(self, now: datetime) -> NewRequest:
        wanted_from, wanted_to = self.window(now)
        return NewRequest(
            channel=Channel.HOTLINE, kind=self.kind, urgency=self.urgency,
            requester=Requester(self.caller_name, self.caller_phone, self.relation), elder_id=self.elder_id,
            item_code=self.item_code, wanted_from=wanted_from, wanted_to=wanted_to, minutes=self.minutes,
            note=self.note, address=self.address, call_id=self.call_id,
            about_order_id=self.order_id if self.kind is Kind.COMPLAINT else None,
        )  # fmt: skip


class SearchForm(Form):
    q: Annotated[str | None, Field(max_length=80)] = None
    division: DivisionCode | None = None
    call_id: UUID | None = None


class ElderForm(Form):
    """As little as one gets to hear on the telephone. `of_call`: the caller's number goes on file with it."""

    name: Word
    division_code: DivisionCode
    phone: PhoneText | None = None
    address: Line | None = None
    sex: Sex | None = None
    dialect: Word | None = None
    relation: Relation = "self"
    caller_name: Word | None = None
    call_id: UUID | None = None
    of_call: bool = False

    async def elder(self, tx: Tx) -> NewElder:
        """Whoever calls for somebody else with a name becomes a relative on file, whom the elder has yet to approve."""
        given = [NewPhone(self.phone)] if self.phone else []
        number = await _number(tx, self.call_id) if self.of_call else None
        family: tuple[NewFamilyMember, ...] = ()
        if number is not None and self.relation != "self" and self.caller_name is not None:
            family = (NewFamilyMember(self.caller_name, _on_file(self.relation), number),)
        elif number is not None:
            given.append(NewPhone(number, _on_file(self.relation), self.caller_name))
        return NewElder(
            name=self.name, division_code=self.division_code, phones=tuple(given), address=self.address,
            sex=self.sex, dialect=self.dialect, family=family,
        )  # fmt: skip


def _on_file(relation: str) -> str:
    """The register knows no friends."""
    return "other" if relation == "friend" else relation


async def _number(tx: Tx, call_id: UUID | None) -> str | None:
    if call_id is None:
        return None
    return call_views.number_of(tx, await calls.one(tx, call_id))


class PresenceForm(Form):
    extension: Annotated[str | None, Field(pattern=r"^[0-9A-Za-z_-]{1,20}$")] = None
    state: Literal["ready", "paused", "wrap_up", "away"] = "ready"
    take_over: bool = False


class RevealForm(Form):
    reason: Line
    fields: Annotated[
        list[Literal["name", "phones", "address", "health_note", "id_number"]], Field(min_length=1, max_length=5)
    ]


class ReasonForm(Form):
    reason: Line
    version: Annotated[int | None, Field(ge=1)] = None


class CancelForm(Form):
    reason_code: Word
    by: Literal["elder", "family", "centre", "provider"] = "elder"
    version: Annotated[int | None, Field(ge=1)] = None


class AssignForm(ReasonForm):
    """`chosen`: the provider, and after a space the caregiver if one was chosen too."""

    chosen: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}( [0-9a-f-]{36})?$")]

    def who(self) -> tuple[UUID, UUID | None]:
        provider, _, caregiver = self.chosen.partition(" ")
        return UUID(provider), UUID(caregiver) if caregiver else None
