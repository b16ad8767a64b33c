"""Doors to the catalogue. Anybody may read what is offered and what it costs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Query, Request

from app.accounts import audit, scope
from app.catalog import service
from app.catalog.models import CATEGORIES, TIERS
from app.catalog.schemas import Category, Kind, NewPrice, PriceSet, PriceView, ServiceItemList, ServiceItemView
from app.catalog.service import Item, Price
from app.core import clock
from app.core.errors import NotFound
from app.core.http import CallerDep, Router, TxDep, allow

router = Router(tags=["catalog"])

Division = Annotated[
    str | None,
    Query(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$", description="Prices of this division; default the city"),
]
Word = Annotated[str | None, Query(min_length=1, max_length=80, description="Part of the name", examples=["助浴"])]


@router.get("/v1/service-items", response_model=ServiceItemList, summary="What can be ordered, and what it costs")
@allow("catalog.read")
async def list_items(
    tx: TxDep,
    request: Request,
    category: Category | None = None,
    kind: Kind | None = None,
    q: Word = None,
    division: Division = None,
    day: Annotated[date | None, Query(description="Service day; default today")] = None,
    active: bool | None = True,
) -> Any:
    place, on = division or request.app.state.settings.city_division, day or clock.today()
    found = await service.items(tx, active=active, category=category, kind=kind, word=q)
    prices = await service.prices_on(tx, [item.code for item in found], place, on)
    return ServiceItemList(division=place, day=on, items=[_view(item, prices.get(item.code)) for item in found])


@router.get("/v1/service-items/{code}", response_model=ServiceItemView, summary="One item")
@allow("catalog.read")
async def read_item(tx: TxDep, request: Request, code: str, division: Division = None, day: date | None = None) -> Any:
    place, on = division or request.app.state.settings.city_division, day or clock.today()
    item = await service.item(tx, code)
    return _view(item, (await service.prices_on(tx, [code], place, on)).get(code))


@router.post("/v1/service-items/{code}/prices", response_model=PriceSet, status_code=201, summary="Set a price")
@allow("catalog.write")
async def set_price(tx: TxDep, caller: CallerDep, code: str, body: NewPrice) -> Any:
    if not scope.sees(caller, body.division_code):
        raise NotFound("division_not_found", "there is no such division for you")
    price_id = await service.set_price(
        tx,
        code,
        body.division_code,
        price_fen=body.price_fen,
        per_minutes=body.per_minutes,
        valid_from=body.valid_from,
        source=body.source,
    )
    await audit.record(tx, caller, "catalog.set_price", "service_item", code, ["price_fen"], body.source)
    return PriceSet(id=price_id)


def _view(item: Item, price: Price | None) -> ServiceItemView:
    shown = None
    if price is not None:
        shown = PriceView.model_validate(price)
    return ServiceItemView(
        code=item.code, name=item.name, category=item.category, category_name=CATEGORIES[item.category],
        unit=item.unit, standard_minutes=item.standard_minutes, min_minutes=item.min_minutes,
        rounding_minutes=item.rounding_minutes, max_minutes=item.max_minutes, certificate=item.certificate,
        tier=item.tier, tier_name=TIERS[item.tier], kind=item.kind, description=item.description, active=item.active,
        caregivers=item.caregivers, price=shown,
    )  # fmt: skip
