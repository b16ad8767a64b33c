"""An order with everything that was done about it: one story out of its history, its offers and its visit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.accounts import queries_staff as staff
from app.core.db import Tx
from app.dispatch import queries as dispatch
from app.matching import queries_decisions as decisions
from app.orders import queries_reading as orders
from app.orders.schemas import OrderView
from app.providers import service as providers
from app.visits import proof
from app.visits.proof import Proof


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story. `what` names the words it is told in; `by` is who did it, as far as a name says more."""

    at: datetime
    what: str
    by: str | None = None
    reason: str | None = None
    deadline: datetime | None = None
    looked_at: int | None = None
    left: int | None = None
    note: str | None = None
    """In the words of whoever was there."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that proves the visit, called what its event calls it: the `number`th photo, signature or recording."""

    id: UUID
    kind: str
    number: int
    sound: bool


async def story(tx: Tx, order_id: UUID, visit: Proof | None) -> list[Step]:
    """Oldest first."""
    history = await orders.timeline(tx, order_id)
    offers = await dispatch.offers_of(tx, order_id)
    made = await decisions.decisions(tx, order_id)
    names = await _names(tx, [row["actor"] for row in history] + [row["made_by"] for row in made])
    firms = {one: (await providers.provider(tx, one)).name for one in {row["provider_id"] for row in offers}}
    steps = [
        Step(row["at"], f"status.{row['after']}" if row["before"] != row["after"] else "noted",
             names.get(row["actor"]), row["reason"])
        for row in history
    ]  # fmt: skip
    steps += [_decided(row, names) for row in made]
    for row in offers:
        steps += _offered(row, firms[row["provider_id"]])
    if visit is not None:
        steps += [
            Step(one.occurred_at, f"visit.{one.type}", reason=one.reason_code, note=one.note)
            for one in visit.visit.events
        ]
    return sorted(steps, key=lambda step: step.at)


def _decided(row: Any, names: dict[str, str]) -> Step:
    funnel = row["funnel"] or []
    left = funnel[-1]["remaining"] if funnel else None
    first = funnel[0]["remaining"] if funnel else None
    return Step(row["made_at"], "decided", names.get(row["made_by"]), row["reason"], looked_at=first, left=left)


def _offered(row: Any, provider: str) -> list[Step]:
    told = [Step(row["made_at"], "offered", provider, deadline=row["deadline_at"])]
    if row["fetched_at"] is not None:
        told.append(Step(row["fetched_at"], "fetched", provider))
    if row["closed_at"] is not None:
        told.append(Step(row["closed_at"], f"offer.{row['status']}", provider, row["reason_code"]))
    return told


async def _names(tx: Tx, actors: Sequence[str]) -> dict[str, str]:
    ids = {actor: UUID(actor.partition(":")[2]) for actor in set(actors) if actor.startswith("staff:")}
    known = await staff.names(tx, ids.values())
    return {actor: known[one] for actor, one in ids.items() if one in known}


def sketch(visit: Proof | None) -> list[dict[str, Any]]:
    """The visit's two ends for a drawing with the home in its middle."""
    return [{"name": one.what, "x": one.east_m, "y": one.north_m, "blur": one.accuracy_m} for one in visit.spots] if (
        visit is not None) else []  # fmt: skip


def files(visit: Proof | None) -> list[File]:
    """What there is to look at, before anybody does."""
    if visit is None:
        return []
    said = {one: event.reason_code for event in visit.visit.events for one in event.evidence}
    counted: Counter[str] = Counter()
    found = []
    for one, media in visit.files.items():
        sound = media.startswith("audio/")
        kind = "recording" if sound else "signature" if said.get(one) == "signature" else "photo"
        counted[kind] += 1
        found.append(File(one, kind, counted[kind], sound))
    return found


async def whole(tx: Tx, order: OrderView, row: Any) -> dict[str, Any]:
    """Everything the order's page shows beside the order itself."""
    visit = await proof.of_order(tx, row)
    told = await story(tx, order.id, visit)
    return {"order": order, "visit": visit, "map": sketch(visit), "files": files(visit), "story": told}
