"""What a service would cost, and whom; nothing is reserved."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.accounts import scope
from app.benefits import service as benefits
from app.catalog import pricing
from app.catalog import service as catalog
from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid, NotFound
from app.core.http import Caller
from app.elders import service as elders
from app.intake import families
from app.intake.schemas_views import QuotePayerView, QuoteView


async def quote(
    tx: Tx, caller: Caller, elder_id: UUID, item_code: str, starts_at: datetime, minutes: int | None
) -> QuoteView:
    """Price and payers on the service day. Raises NotFound for an elder the caller may not see, Invalid for an
    item that is not for sale or minutes out of its range."""
    elder = await elders.elder(tx, elder_id)
    if caller.kind == "staff":
        scope.see(caller, elder.division_code)
    elif caller.kind == "family":
        await families.bound_elder(tx, caller, elder_id)
    try:
        item = await catalog.item(tx, item_code)
    except NotFound:
        raise Invalid("service_item_unknown", "there is no such service item", field="item_code") from None
    if not item.active or item.kind == "consultation":
        raise Invalid("item_not_orderable", "this item cannot be ordered", field="item_code")
    asked = minutes or item.standard_minutes
    if not item.min_minutes <= asked <= item.max_minutes:
        raise Invalid("minutes_out_of_range", f"{item.min_minutes} to {item.max_minutes} minutes", field="minutes")
    day = clock.service_day(starts_at)
    price = await catalog.price_on(tx, item.code, elder.division_code, day)
    amount = pricing.amount_fen(price.price_fen, price.per_minutes, asked)
    split = await benefits.quote(tx, elder_id, item.code, amount, day)
    return QuoteView(
        price_fen=amount,
        minutes=asked,
        payers=[
            QuotePayerView(payer=part.payer, scheme=part.scheme_code, amount_fen=part.amount_fen, reason=part.reason)
            for part in split.parts
        ],
        copay_fen=split.copay_fen,
        quota_after=split.quota_after_fen,
        warnings=list(split.warnings),
    )
