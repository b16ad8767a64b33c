"""Verbs about providers and caregivers, as other rooms use them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.providers import queries
from app.providers.ratings import shrunk

PHONE = "caregiver.phone"


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """`status` is active, suspended or exited; the limits are orders a day and a month, None for none."""

    id: UUID
    name: str
    uscc: str
    kind: str
    status: str
    phone: str
    division_code: str
    lng: float | None
    lat: float | None
    daily_capacity: int | None
    monthly_quota: int | None
    version: int


@dataclass(frozen=True, slots=True)
class CaregiverFacts:
    """`status` is active or inactive."""

    id: UUID
    provider_id: UUID
    name: str
    sex: str
    status: str


@dataclass(frozen=True, slots=True)
class Record:
    """`score` is 1..5, pulled towards the prior while there are few ratings; None before the first."""

    ratings: int
    completed: int
    score: float | None


async def provider(tx: Tx, provider_id: UUID) -> ProviderFacts:
    """Raises NotFound."""
    row = await queries.provider(tx, provider_id)
    if row is None:
        raise NotFound("provider_not_found", "there is no such provider")
    return ProviderFacts(*row)


async def caregiver(tx: Tx, caregiver_id: UUID) -> CaregiverFacts:
    """Raises NotFound."""
    row = await queries.caregiver(tx, caregiver_id)
    if row is None:
        raise NotFound("caregiver_not_found", "there is no such caregiver")
    return CaregiverFacts(*row)


async def caregivers_by_phone(tx: Tx, e164: str) -> list[CaregiverFacts]:
    """Active caregivers with this phone: more than one when somebody works for two providers."""
    return [CaregiverFacts(*row) for row in await queries.caregivers_by_phone(tx, phone_index(tx, e164))]


async def record_of(tx: Tx, caregiver_id: UUID) -> Record:
    """What call-backs and finished visits say about one caregiver."""
    row = await queries.record(tx, caregiver_id)
    if row is None:
        return Record(0, 0, None)
    score = round(shrunk(row["score_sum"], row["ratings"]), 2) if row["ratings"] else None
    return Record(row["ratings"], row["completed"], score)


async def record_rating(tx: Tx, provider_id: UUID, caregiver_id: UUID, score: int) -> None:
    """Add one score of 1..5 to the caregiver's record. Raises Invalid for another score."""
    if not 1 <= score <= 5:
        raise Invalid("score_out_of_range", "a score is 1 to 5", field="score")
    await queries.rate(tx, caregiver_id, provider_id, score)


async def record_completion(tx: Tx, provider_id: UUID, caregiver_id: UUID, elder_id: UUID, at: datetime) -> None:
    """One more finished visit of this caregiver with this elder; visits told late do not turn the clock back."""
    await queries.complete(tx, caregiver_id, provider_id, elder_id, at)


def phone_index(tx: Tx, e164: str) -> bytes:
    return tx.vault.blind(PHONE, e164)
