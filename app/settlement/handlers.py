"""What settlement hears. A rating or a decision that comes after the statement becomes an adjustment, once."""

from __future__ import annotations

from app.core.db import Tx
from app.followup.events import ComplaintDecided, RatingRecorded
from app.settlement import adjustments


async def on_rating_recorded(tx: Tx, event: RatingRecorded) -> None:
    """Adjust the order to the rating that counts, if its statement is out already."""
    await adjustments.rejudge(tx, event.order_id, ("rating", str(event.rating_id)), "结算后收到评价")


async def on_complaint_decided(tx: Tx, event: ComplaintDecided) -> None:
    """Adjust the order to the decision, if its statement is out already."""
    if event.order_id is not None:
        await adjustments.rejudge(tx, event.order_id, ("complaint", str(event.complaint_id)), "结算后投诉办结")
