"""Whom an incident is about, where the device or the caller did not say: an operator found out by asking.

What was waiting for it is done now: relatives hear of it, help can be sent, and where only the home says where to go
the nearest helpers are told of the home.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.accounts import audit
from app.alarms import queries, service
from app.alarms.incidents import Step
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict
from app.core.http import Caller
from app.elders import registration


async def identify(tx: Tx, caller: Caller, incident_id: UUID, elder_id: UUID) -> Any:
    """The incident is about this elder; said again, about another one. Leaves an audit row and an entry.

    Further reports of the same device join it as before. Raises NotFound for an elder out of the caller's sight,
    Conflict for a closed incident and for one whose report named the elder.
    """
    row = await service.living(tx, caller, incident_id)
    if row["subject"].startswith(service.OF_AN_ELDER):  # not for the desk to change
        raise Conflict("incident_has_elder", "the report said whom it is about")
    if row["elder_id"] == elder_id:
        return row
    await registration.visible(tx, caller, elder_id)
    known = (row["lng"], row["lat"]) if row["place"] == "device" else (None, None)
    division, (lng, lat, place) = await service.where(tx, elder_id, *known)
    values = {"elder_id": elder_id, "division_code": division, "lng": lng, "lat": lat, "place": place}
    changed, now = await queries.move(tx, incident_id, values), clock.now()
    await queries.call_again(tx, incident_id, [Step.FAMILY] if place == "device" else [Step.FAMILY, Step.HELPER], now)
    await service.enter(tx, caller, incident_id, "identified", {"elder_id": str(elder_id)}, None)
    await audit.record(tx, caller, "incidents.identify", "incident", incident_id, ("elder_id",))
    await service.tell_desk(tx, "incident.identified", changed)
    return changed
