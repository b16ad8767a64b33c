"""The pages of the portal. Nobody signs in, nothing is asked of anybody, and nobody's data is on them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response

from app.benefits import administration
from app.catalog import service as catalog
from app.catalog.models import CATEGORIES
from app.core import clock
from app.core.http import TxDep, allow
from app.followup import published
from app.knowledge import service as knowledge
from app.knowledge.models import TOPICS
from app.regions import service as regions
from app.web.pages import Pages, see
from app.web.refusals import local
from app.web.rendering import page

router = Pages()

SIZE = "size"
YEAR_S = 365 * 86_400
SHOWN = 200

Division = Annotated[str | None, Query(pattern=r"^[0-9]{6}$|^$")]


@router.get("/portal")
@allow("portal.read", own_transaction=True)
async def home(request: Request) -> Response:
    return _page(request, "home")


@router.get("/portal/services")
@allow("portal.read")
async def services(tx: TxDep, request: Request, division: Division = None) -> Response:
    city, places = await _places(tx, request)
    place = division if division in {code for code, _ in places} else city
    items = await catalog.items(tx)
    prices = await catalog.prices_on(tx, [item.code for item in items], place, clock.today())
    order = list(CATEGORIES)
    grouped = groupby(sorted(items, key=lambda item: order.index(item.category)), key=lambda item: item.category)
    groups = [(CATEGORIES[category], [(item, prices.get(item.code)) for item in found]) for category, found in grouped]
    return _page(request, "services", groups=groups, places=places, place=place, today=clock.today())


@router.get("/portal/policies")
@allow("portal.read")
async def policies(
    tx: TxDep,
    request: Request,
    q: Annotated[str | None, Query(max_length=80)] = None,
    topic: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    city = request.app.state.settings.city_division
    chosen = topic if topic in TOPICS else None
    asked = (q or "").strip() or None
    articles = await knowledge.search(tx, asked, topic=chosen, division=city, day=clock.today(), limit=SHOWN)
    schemes = await administration.schemes_in_force(tx, city, clock.today()) if not (asked or chosen) else []
    names = {item.code: item.name for item in await catalog.items(tx, active=None)} if schemes else {}
    return _page(
        request, "policies", articles=articles, schemes=schemes, names=names, topics=TOPICS, topic=chosen, q=asked or ""
    )  # fmt: skip


@router.get("/portal/results")
@allow("portal.read")
async def results(tx: TxDep, request: Request) -> Response:
    return _page(request, "results", months=await published.months(tx), minimum=published.MINIMUM)


@router.get("/portal/size")
@allow("portal.read", own_transaction=True)
async def size(to: Literal["large", "normal"], back: Annotated[str | None, Query(max_length=500)] = None) -> Response:
    """Larger or normal type, by a link: it works without a script, and is kept for a year."""
    answer = see(local(back, "/portal"))
    answer.set_cookie(SIZE, to, max_age=YEAR_S, path="/", httponly=True, samesite="lax")
    return answer


def _page(request: Request, name: str, **values: Any) -> Response:
    large = request.cookies.get(SIZE) == "large"
    asked = request.scope["query_string"].decode("latin-1")
    query = f"?{asked}" if asked else ""
    return page(request, f"portal/{name}.html", large=large, here=request.scope["path"] + query, **values)


async def _places(tx: TxDep, request: Request) -> tuple[str, Sequence[tuple[str, str]]]:
    """The city's code; it and its counties by name."""
    city = str(request.app.state.settings.city_division)
    whole = await regions.division(tx, city)
    counties = await regions.divisions(tx, [city], parent=city)
    return city, [(whole.code, whole.name), *((one.code, one.name) for one in counties)]
