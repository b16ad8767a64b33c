"""The calendar of one elder's visits, behind a signed link that the family may take back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from fastapi import Request, Response

from app.accounts import links
from app.core import clock
from app.core.http import CallerDep, TxDep, allow
from app.core.text import masked_name
from app.followup.schemas import FamilyOrder
from app.intake import families
from app.orders import queries_reading
from app.orders import service as orders
from app.orders.queries import OrderRow
from app.selfpay import family_page
from app.web.family.calendar import MEDIA_TYPE, Event, calendar
from app.web.pages import Pages, see
from app.web.rendering import page
from app.web.words import words_of

router = Pages()

PURPOSE = "family_calendar"
VALID = timedelta(days=366)
PAST = 20
"""Visits that are over and stay in it, beside all that are not."""


@router.get("/family/calendar/{token}.ics")
@allow("family.order")
async def calendar_file(tx: TxDep, request: Request, token: str) -> Response:
    bound = await families.bound_by(tx, await links.leads_to(tx, token, PURPOSE))
    open_, over = await queries_reading.of_elders(tx, [bound.id], PAST)
    shown = [*open_.get(bound.id, ()), *over.get(bound.id, ())]
    rows = {row.id: row for row in await orders.get_all(tx, shown)}
    pages = await family_page.pages(tx, shown)
    text = calendar(
        words_of("family").calendar.name.format(elder=masked_name(bound.name)),
        [event(rows[order_id], order) for order_id, order in pages.items()],
    )
    return Response(text, media_type=MEDIA_TYPE, headers={"Content-Disposition": 'inline; filename="visits.ics"'})


@router.post("/family/elders/{elder_id}/calendar")
@allow("family.requests")
async def open_calendar(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID) -> Response:
    """A new address; the one before leads nowhere from now on. Shown this once: only its hash is kept."""
    bound = await families.bound_elder(tx, caller, elder_id)
    await links.revoke(tx, PURPOSE, bound.member_id)
    token = await links.issue(tx, PURPOSE, bound.member_id, VALID, f"family:{bound.member_id}")
    address = f"{request.app.state.settings.public_url}/family/calendar/{token}.ics"
    webcal = "webcal:" + address.partition(":")[2]
    until = clock.now() + VALID
    return page(request, "family/calendar.html", elder=bound, address=address, webcal=webcal, until=until)


@router.post("/family/elders/{elder_id}/calendar/closing")
@allow("family.requests")
async def close_calendar(tx: TxDep, caller: CallerDep, elder_id: UUID) -> Response:
    bound = await families.bound_elder(tx, caller, elder_id)
    await links.revoke(tx, PURPOSE, bound.member_id)
    return see(f"/family/elders/{elder_id}#calendar")


def event(row: OrderRow, order: FamilyOrder) -> Event:
    """What the elder lets the family see of the order, and nothing of where it is."""
    t = words_of("family")
    who = [order.who.provider, order.who.caregiver, order.who.second_caregiver] if order.who else []
    lines = [order.status_words, "".join(f"{name} " for name in who if name).strip(), f"{t.order.number} {row.number}"]
    status = "CANCELLED" if order.stage == "cancelled" else "TENTATIVE" if order.stage == "waiting" else "CONFIRMED"
    return Event(
        uid=f"order-{row.id}@12349.nuanxian",
        sequence=row.version,
        changed_at=row.updated_at,
        begins_at=row.wanted_from,
        ends_at=max(row.wanted_to or row.wanted_from, row.wanted_from + timedelta(minutes=row.minutes)),
        summary=order.item or t.order.title,
        description="\n".join(line for line in lines if line),
        status=status,  # type: ignore[arg-type]
    )
