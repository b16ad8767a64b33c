"""Whom an incident is about, where the device or the caller did not say: an operator found out by asking.

What was waiting for it is done now: relatives hear of it, help can be sent, and where only the home says where to go
the nearest helpers are told of the home.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.accounts import audit
from app.alarms import queries, service
from app.alarms.incidents import Status, Step
from app.alarms.service import Alarm
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller
from app.core.ids import new_id
from app.core.json import dumps
from app.elders import registration

OF_AN_ELDER = "elder:"
"""How the subject of an incident begins whose report named the elder: that is not for the desk to change."""


async def identify(tx: Tx, caller: Caller, incident_id: UUID, elder_id: UUID) -> Any:
    """The incident is about this elder; said again, about another one. Leaves an audit row and an entry.

    Further reports of the same device join it as before. Raises NotFound for an elder out of the caller's sight,
    Conflict for a closed incident and for one whose report named the elder.
    """
    row = await service.visible(tx, caller, incident_id, lock=True)
    if row["status"] == Status.CLOSED:
        raise Conflict("incident_moved_on", "this incident is closed", status=row["status"])
    if row["subject"].startswith(OF_AN_ELDER):
        raise Conflict("incident_has_elder", "the report said whom it is about")
    if row["elder_id"] == elder_id:
        return row
    await registration.visible(tx, caller, elder_id)
    known = (row["lng"], row["lat"]) if row["place"] == "device" else (None, None)
    asked = Alarm(
        source="", kind=row["kind"], channel="", care_request_id=None, elder_id=elder_id, lng=known[0], lat=known[1]
    )
    division, (lng, lat, place) = await service.where(tx, asked)
    values = {"elder_id": elder_id, "division_code": division, "lng": lng, "lat": lat, "place": place}
    changed, now = await queries.move(tx, incident_id, values), clock.now()
    await queries.call_again(tx, incident_id, [Step.FAMILY] if place == "device" else [Step.FAMILY, Step.HELPER], now)
    facts = dumps({"elder_id": str(elder_id)})
    await queries.enter(tx, new_id(), incident_id, "identified", facts, None, caller.actor, now)
    await audit.record(tx, caller, "incidents.identify", "incident", incident_id, ("elder_id",))
    await service.tell_desk(tx, "incident.identified", changed)
    return changed
