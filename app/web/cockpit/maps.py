"""The day on a map, with the same things in a list beside it. Outlines are ours; tiles only if a city has a server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response

from app.accounts import policy
from app.core.config import Settings
from app.core.http import CallerDep, TxDep, allow
from app.insight import day_map, queries_listing
from app.insight.day_map import DayMap
from app.web.cockpit import reading
from app.web.cockpit.periods import FiltersDep
from app.web.headers import SECURITY_HEADERS
from app.web.pages import Pages
from app.web.rendering import page

router = Pages()


@router.get("/cockpit/map")
@allow("insight.read")
async def map_page(request: Request, tx: TxDep, caller: CallerDep, asked: FiltersDep) -> Response:
    settings: Settings = request.app.state.settings
    chosen = asked.chosen()
    found = await day_map.of_day(tx, caller, chosen.last, chosen.division)
    answer = page(
        request,
        "cockpit/map.html",
        found=found,
        drawn=drawn(found, settings.map_tiles_url),
        may_see=policy.may(caller, "visits.read"),
        names=await queries_listing.division_names(tx, {row["division_code"][:9] for row in found.orders}),
        chosen=chosen,
        **await reading.choices(tx, caller),
    )
    if settings.map_tiles_url:
        answer.headers["Content-Security-Policy"] = policy_with(settings.map_tiles_url)
    return answer


def drawn(found: DayMap, tiles: str) -> dict[str, Any]:
    """What the page's script draws: of orders and incidents a place, a kind, and where the list has them."""
    orders = [] if found.streets else [row for row in found.orders if row["lng"] is not None]
    return {
        "outlines": found.outlines,
        "tiles": tiles,
        "orders": [
            {"id": str(row["id"]), "lng": row["lng"], "lat": row["lat"], "kind": kind(row), "name": row["number"]}
            for row in orders
        ],
        "streets": [
            {"name": name, "lng": lng, "lat": lat, "count": count, "late": late}
            for name, lng, lat, count, late in found.streets
        ],
        "incidents": [
            {"id": str(row["id"]), "lng": row["lng"], "lat": row["lat"], "status": row["status"]}
            for row in found.incidents
            if row["lng"] is not None
        ],
    }


def kind(row: Any) -> str:
    """How an order is drawn."""
    if row["status"] in {"completed", "closed"}:
        return "finished"
    if row["late"]:
        return "late"
    return "waiting" if row["status"] in {"placed", "dispatched", "accepted"} else "on_time"


def policy_with(tiles: str) -> str:
    """The usual content security policy, and images from the tile server's host."""
    usual = dict(SECURITY_HEADERS)[b"content-security-policy"].decode()
    where = urlsplit(tiles)
    return usual.replace("img-src 'self'", f"img-src 'self' {where.scheme}://{where.netloc}")
