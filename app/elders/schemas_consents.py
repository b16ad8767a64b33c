"""What is asked of consents, and what they answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, model_validator

from app.accounts.purposes import PURPOSES
from app.core.text import Body, Line, View
from app.elders.consents import Consents

PurposeName = Literal[
    "service", "family_page", "family_page.people", "family_page.times", "family_page.work", "family_page.costs",
    "family_notices",
]  # fmt: skip


class SpokenBody(Body):
    """Who said so, and how: the elder by phone (`evidence`: the recording) or in writing (the document), or a guardian
    in the elder's place."""

    purpose: PurposeName
    how: Literal["phone", "writing", "guardian"]
    evidence: Line
    guardian_id: UUID | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"purpose": "family_notices", "how": "phone", "evidence": "rec-20261124-0007"}]
        },
    )

    @model_validator(mode="after")
    def _a_guardian_has_a_name(self) -> SpokenBody:
        if (self.how == "guardian") != (self.guardian_id is not None):
            raise ValueError("a guardian is named by guardian_id, and only then")
        return self


class PurposeBody(Body):
    """A guardian who has signed in says it themselves."""

    purpose: PurposeName

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"purpose": "family_notices"}]})


class PurposeView(View):
    """`because`: "consent", or "approval" where the elder approved a relative and never spoke about this."""

    purpose: str
    words: str
    granted_to: str
    stands: bool
    because: str | None = None


class ConsentView(View):
    """As it was written down; given and withdrawn at one moment is a refusal."""

    id: UUID
    purpose: str
    granted_to: str
    channel: str
    evidence: str | None = None
    guardian_id: UUID | None = None
    granted_at: datetime
    granted_by: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_channel: str | None = None
    withdrawn_evidence: str | None = None


class PurposesView(View):
    purposes: list[PurposeView]


class ConsentsView(PurposesView):
    history: list[ConsentView]


def purposes(found: Consents, granted_to: str | None = None) -> list[PurposeView]:
    """Every purpose, or those of one party."""
    return [
        PurposeView(
            purpose=name, words=one.words, granted_to=one.granted_to, stands=found.because[name] is not None,
            because=found.because[name],
        )
        for name, one in PURPOSES.items()
        if granted_to in {None, one.granted_to}
    ]  # fmt: skip


def whole(found: Consents) -> ConsentsView:
    return ConsentsView(purposes=purposes(found), history=[ConsentView(**dict(one.row)) for one in found.history])
