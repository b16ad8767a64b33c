"""What pops up when a call rings: who may be calling, what they have ordered, and how their last calls ended."""

from __future__ import annotations

from uuid import UUID

from app.calls import queries, views
from app.core.db import Tx
from app.core.http import Caller
from app.core.text import masked_name
from app.elders import circumstances, registration
from app.elders import service as elders
from app.elders import views as elder_views
from app.hotline import nuisance
from app.hotline.schemas import BehindView, CaregiverBehindView, ScreenView
from app.orders import queries_reading
from app.orders import views as order_views
from app.providers import service as providers

AT_MOST = 10
"""Elders shown behind one number: a station's telephone may belong to a whole street."""
CALLS_BEFORE = 5
LAST_ORDERS = 3


async def of_call(tx: Tx, caller: Caller, call_id: UUID) -> ScreenView:
    """Raises NotFound for a call that is not there."""
    row = await queries.one(tx, call_id)
    number = views.number_of(tx, row)
    if number is None:
        return ScreenView(call=views.call(tx, row), behind=[], elsewhere=0, caregivers=[], calls_before=[])
    relations, elsewhere = await _elders(tx, caller, number)
    before = await queries.before(tx, row["caller_index"], row["first_at"], CALLS_BEFORE)
    return ScreenView(
        call=views.call(tx, row),
        behind=await _behind(tx, relations),
        elsewhere=elsewhere,
        caregivers=await _caregivers(tx, number),
        calls_before=[views.call(tx, one) for one in before],
        nuisance=await nuisance.of_number(tx, row["caller_index"]),
    )


async def of_elder(tx: Tx, caller: Caller, elder_id: UUID) -> BehindView:
    """One elder who was looked for, as if behind a call. Raises NotFound out of scope."""
    await registration.visible(tx, caller, elder_id)
    return (await _behind(tx, {elder_id: "self"}))[0]


async def _elders(tx: Tx, caller: Caller, number: str) -> tuple[dict[UUID, str], int]:
    """Relation by elder, those with the number first; and how many this caller may not see."""
    matches = await elders.find_by_phone(tx, number)
    seen = await registration.visible_of(tx, caller, [match.elder_id for match in matches])
    relations = {match.elder_id: match.relation for match in matches if match.elder_id in seen}
    for elder_id in list(relations)[:AT_MOST]:
        for other in await circumstances.household(tx, caller, elder_id):
            relations.setdefault(other, "household")
    return dict(list(relations.items())[:AT_MOST]), len(matches) - len(seen)


async def _behind(tx: Tx, relations: dict[UUID, str]) -> list[BehindView]:
    masked = await elder_views.masked(tx, list(relations))
    open_, last = await queries_reading.of_elders(tx, list(relations), LAST_ORDERS)
    listed = [order_id for ids in [*open_.values(), *last.values()] for order_id in ids]
    orders = {order.id: order for order in await order_views.snapshot(tx, listed)}
    return [
        BehindView.model_construct(
            elder=view,
            relation=relations[view.id],
            open_orders=[orders[i] for i in open_.get(view.id, [])],
            last_orders=[orders[i] for i in last.get(view.id, [])],
        )
        for view in masked
    ]


async def _caregivers(tx: Tx, number: str) -> list[CaregiverBehindView]:
    found = []
    for one in await providers.caregivers_by_phone(tx, number):
        provider = await providers.provider(tx, one.provider_id)
        found.append(
            CaregiverBehindView(
                id=one.id, name=masked_name(one.name), provider_id=provider.id, provider_name=provider.name
            )
        )
    return found
