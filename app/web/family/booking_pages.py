"""Asking for a service: what and when, then the price to agree to, then it is asked, by the desk's own rules."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Form as InForm
from fastapi import Request, Response
from pydantic import Field

from app.catalog import service as catalog
from app.core import clock
from app.core.errors import Invalid
from app.core.http import CallerDep, TxDep, allow
from app.core.text import Note
from app.intake import booking, families, quotes
from app.intake.families import BoundElder
from app.intake.requests import Urgency
from app.intake.schemas import AgreedQuote, FamilyRequestBody, ItemCode, Minutes, Window
from app.web.pages import Form, Pages, see
from app.web.rendering import page

router = Pages()

PARTS = {"morning": (8, 12), "afternoon": (12, 18), "evening": (18, 20)}
"""Parts of the day that people name: the hours between which somebody comes."""
AHEAD = timedelta(days=60)


class WishForm(Form):
    """`item_code` empty: the desk calls back and finds out together. `change`: back from the price to the form."""

    item_code: ItemCode | None = None
    day: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2099, 12, 31))
    part: Literal["morning", "afternoon", "evening"] = "morning"
    minutes: Minutes | None = None
    note: Note | None = None
    change: bool = False

    def window(self) -> Window:
        """Raises Invalid for a day that is over."""
        day, now = self.day or clock.today() + timedelta(days=1), clock.now()
        begin, end = (datetime.combine(day, time(hour), clock.SHANGHAI) for hour in PARTS[self.part])
        if end <= now:
            raise Invalid("window_over", "that time is over", field="day")
        return Window(**{"from": max(begin, now), "to": end})


class AgreedForm(WishForm):
    """With the price that was shown."""

    price_fen: int | None = Field(default=None, ge=0, le=10**12)
    copay_fen: int | None = Field(default=None, ge=0, le=10**12)


@router.get("/family/elders/{elder_id}/request")
@allow("family.read")
async def wish_page(tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID) -> Response:
    bound = await families.bound_elder(tx, caller, elder_id)
    return await _wish(tx, request, bound, WishForm())


@router.post("/family/elders/{elder_id}/request/quote")
@allow("quotes.make", keyed=False)
async def quote_page(
    tx: TxDep, caller: CallerDep, request: Request, elder_id: UUID, form: Annotated[WishForm, InForm()]
) -> Response:
    """What it would cost; nothing is asked for yet."""
    bound = await families.bound_elder(tx, caller, elder_id)
    if form.change:
        return await _wish(tx, request, bound, form)
    try:
        window, quote, name = form.window(), None, None
        if form.item_code is not None:
            quote = await quotes.quote(tx, caller, elder_id, form.item_code, window.from_, form.minutes)
            name = (await catalog.item(tx, form.item_code)).name
    except Invalid as wrong:
        return await _wish(tx, request, bound, form, wrong=wrong.code)
    return page(request, "family/quote.html", elder=bound, form=form, window=window, quote=quote, item=name)


@router.post("/family/elders/{elder_id}/request")
@allow("family.requests")
async def ask(tx: TxDep, caller: CallerDep, elder_id: UUID, form: Annotated[AgreedForm, InForm()]) -> Response:
    agreed = None
    if form.item_code is not None and form.price_fen is not None and form.copay_fen is not None:
        agreed = AgreedQuote(price_fen=form.price_fen, copay_fen=form.copay_fen)
    body = FamilyRequestBody(
        elder_id=elder_id, item_code=form.item_code, wanted=form.window(), urgency=Urgency.APPOINTMENT,
        minutes=form.minutes, note=form.note, agreed=agreed,
    )  # fmt: skip
    row, _ = await booking.by_family(tx, caller, body)
    return see(f"/family/elders/{elder_id}" + (f"/orders/{row.order_id}" if row.order_id else "#asked"))


async def _wish(tx: Any, request: Request, bound: BoundElder, form: WishForm, wrong: str | None = None) -> Response:
    items = [item for item in await catalog.items(tx) if item.kind != "consultation"]
    today = clock.today()
    return page(
        request, "family/request.html", status=422 if wrong else 200, elder=bound, items=items, form=form, wrong=wrong,
        first=today, last=today + AHEAD, parts=PARTS,
    )  # fmt: skip
