"""Past decisions: explained, and made again with what was known then."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.accounts import scope
from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.core.http import Caller
from app.matching import kept, weights
from app.matching import queries_decisions as queries
from app.matching.rules import Ranked
from app.orders import service as orders
from app.orders.queries import OrderRow

EXPLAINED = 5


async def decisions(tx: Tx, order_id: UUID) -> list[dict[str, Any]]:
    """Every choice that was made for an order, the oldest first, with the part scores of the first few."""
    rows = await queries.decisions(tx, order_id)
    names = await queries.names(tx, list({one for row in rows for one in kept.caregiver_ids(row["ranked"])}))
    found = []
    for row in rows:
        force = await _weights(tx, row["weights_version"], await orders.get(tx, order_id))
        ranked = kept.again(row["ranked"], force.weights, names) if kept.is_ranking(row["ranked"]) else []
        found.append({**dict(row), "ranked": kept.explained(ranked, EXPLAINED)})
    return found


async def replay(tx: Tx, caller: Caller, decision_id: UUID, version: int | None) -> dict[str, Any]:
    """The ranking of a decision made again from what it kept, with the weights of then or those of `version`.

    `same_ranking` compares it with the ranking of then. Raises NotFound, and Invalid for a decision without a ranking.
    """
    row = await queries.decision(tx, decision_id)
    if row is None:
        raise NotFound("decision_not_found", "there is no such decision")
    order = await orders.get(tx, row["order_id"])
    scope.see(caller, order.division_code)
    ranking = row["ranked"]
    if not kept.is_ranking(ranking):
        raise Invalid("nothing_to_replay", "nobody was left to be ranked", field="decision_id")
    names = await queries.names(tx, kept.caregiver_ids(ranking))
    force = await _weights(tx, row["weights_version"], order)
    if version is not None:
        force = await weights.of_version(tx, version)
    ranked = kept.again(ranking, force.weights, names)
    return {
        "decision_id": decision_id,
        "order_id": order.id,
        "made_at": row["made_at"],
        "starts_at": row["starts_at"],
        "weights_version_then": row["weights_version"],
        "weights_version": force.version,
        "weights": dict(force.weights),
        "seed": ranking["seed"],
        "radius_km": ranking["radius_km"],
        "chosen_caregiver_id": row["chosen_caregiver_id"],
        "first_caregiver_id": ranked[0].candidate.caregiver_id,
        "same_ranking": _ids(ranked) == kept.caregiver_ids(ranking),
        "ranked": kept.explained(ranked, limit=len(ranked)),
    }


async def _weights(tx: Tx, version: int | None, order: OrderRow) -> weights.InForce:
    """The weights of then; where none were published, the shipped ones for the order's urgency."""
    if version is None:
        return weights.shipped(order.urgency)
    return await weights.of_version(tx, version)


def _ids(ranked: list[Ranked]) -> list[UUID]:
    return [one.candidate.caregiver_id for one in ranked]
