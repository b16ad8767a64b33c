"""Help for an incident at once: an emergency order and the nearest helpers, beside the ladder and not after it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, StringConstraints

from app.alarms import service as alarms
from app.core.errors import Invalid
from app.core.http import CallerDep, Router, TxDep, allow
from app.core.text import Body, Line, View
from app.intake import confirmation
from app.intake.requests import Channel, Urgency
from app.intake.service import NewRequest

router = Router(tags=["alarms"])


class HelpBody(Body):
    """`elder_id` where the incident does not know whom it is about; `item_code` is what is sent."""

    item_code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] = "urgent_help"
    elder_id: UUID | None = None
    note: Line | None = None

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "老人不应答，请先到门口"}]})


class HelpView(View):
    order_id: UUID


@router.post("/v1/incidents/{incident_id}/help", response_model=HelpView, status_code=201, summary="Send help now")
@allow("incidents.work")
async def send_help(tx: TxDep, caller: CallerDep, incident_id: UUID, body: HelpBody) -> HelpView:
    incident = await alarms.help_wanted(tx, caller, incident_id)
    elder_id = incident["elder_id"] or body.elder_id
    if elder_id is None:
        raise Invalid("elder_needed", "nobody knows yet whom this incident is about", field="elder_id")
    order = await confirmation.place_order(
        tx,
        caller,
        NewRequest(
            channel=Channel.HOTLINE,
            urgency=Urgency.EMERGENCY,
            elder_id=elder_id,
            item_code=body.item_code,
            note=body.note,
        ),
    )
    await alarms.help_sent(tx, caller, incident, order.id)
    return HelpView(order_id=order.id)
