"""An emergency, whatever door it came through, is an incident: `intake` takes it, `alarms` sees to it, and the two do
not know each other."""

from __future__ import annotations

from app.alarms import service as alarms
from app.alarms.events import IncidentClosed
from app.alarms.service import Alarm
from app.core.db import Tx
from app.intake import service as intake
from app.intake.events import AlarmRepeated, EmergencyReceived

SPOKEN = "phone"
"""Somebody said so, at the telephone or in writing."""


async def on_emergency_received(tx: Tx, event: EmergencyReceived) -> None:
    await alarms.raise_alarm(
        tx,
        Alarm(
            source=str(event.contact_id or event.care_request_id),
            kind=event.alarm or SPOKEN,
            channel=event.channel,
            care_request_id=event.care_request_id,
            elder_id=event.elder_id,
            device=event.device,
            lng=event.lng,
            lat=event.lat,
            at=event.at,
            order_id=event.order_id,
            words=event.words if event.device is None else None,
        ),
    )


async def on_incident_closed(tx: Tx, event: IncidentClosed) -> None:
    """How the incident ended is the answer to the requests it came in by."""
    await intake.answer_emergencies(tx, event.care_request_ids, event.note, event.actor)


async def on_alarm_repeated(tx: Tx, event: AlarmRepeated) -> None:
    await alarms.raise_alarm(
        tx,
        Alarm(
            source=str(event.contact_id),
            kind=event.alarm,
            channel="device",
            care_request_id=event.care_request_id,
            elder_id=event.elder_id,
            device=event.device,
            lng=event.lng,
            lat=event.lat,
            at=event.at,
        ),
    )
