"""What is asked of transfers, and what they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, RootModel, StringConstraints, model_validator

from app.core.text import Body, Instant, Line, Note, View
from app.intake.schemas import EXAMPLE_REQUEST, ElderWords, RequesterBody, Wish
from app.transfers.lifecycle import Direction, Status

Hotline = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,12}$")]
TheirNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


def _examples(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": list(examples)})


class Deadline(Body):
    """Either the moment itself, or working days from now by the city's calendar."""

    at: Instant | None = None
    workdays: Annotated[int | None, Field(ge=0, le=250)] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Deadline:
        if (self.at is None) == (self.workdays is None):
            raise ValueError("give a moment or working days")
        return self


class TransferredWish(Wish):
    """What their ticket says, as a care request."""

    caller: RequesterBody = Field(default_factory=RequesterBody)
    elder_id: UUID | None = None
    elder: ElderWords | None = None
    address: Line | None = None

    @model_validator(mode="after")
    def _one_elder(self) -> TransferredWish:
        if self.elder_id is not None and self.elder is not None:
            raise ValueError("name the elder by elder_id or describe them, not both")
        return self


class TransferIn(Body):
    """A ticket of theirs. `their_number` is what it is known by."""

    direction: Literal["in"]
    hotline: Hotline = "12345"
    their_number: TheirNumber
    deadline: Deadline
    request: TransferredWish


class TransferOut(Body):
    """A request of ours that is somebody else's affair."""

    direction: Literal["out"]
    hotline: Hotline = "12345"
    care_request_id: UUID
    deadline: Deadline | None = None
    note: Note | None = None


class TransferBody(RootModel[Annotated[TransferIn | TransferOut, Field(discriminator="direction")]]):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "direction": "in",
                    "their_number": "JC2026112400017",
                    "deadline": {"workdays": 5},
                    "request": {"kind": "consultation", "caller": {"name": "王芳"}, "note": "询问高龄津贴"},
                },
                {"direction": "out", "hotline": "12345", "care_request_id": EXAMPLE_REQUEST, "note": "路灯不亮"},
            ]
        }
    )


class Acknowledgement(Body):
    their_number: TheirNumber

    model_config = _examples({"their_number": "JC2026112400018"})


class Return(Body):
    reason: Line

    model_config = _examples({"reason": "不属于养老服务热线受理范围"})


class Reply(Body):
    text: Text

    model_config = _examples({"text": "已安排上门助洁，老人表示满意"})


class StepView(View):
    status: Status
    at: datetime
    actor: str


class TransferView(View):
    """`overdue`: its deadline has passed and it is still open."""

    id: UUID
    direction: Direction
    hotline: str
    their_number: str | None = None
    status: Status
    care_request_id: UUID
    division: str | None = None
    due_at: datetime | None = None
    overdue: bool
    created_at: datetime
    updated_at: datetime
    version: int


class WholeTransferView(TransferView):
    note: str | None = None
    reply: str | None = None
    reason: str | None = None
    proposed_reply: str | None = None
    """For a ticket of theirs that we accepted: what became of it here, once something did."""
    steps: list[StepView]
