"""Is every alarm in an incident, and in one only? From the database, after everything."""

from __future__ import annotations

from dataclasses import dataclass

from alarmlab.city import MAKER, MQTT
from alarmlab.storm import Device
from app.core.db import Database

KEPT = """SELECT c.account, c.external_id, count(a.incident_id) AS incidents, count(DISTINCT a.incident_id) AS different
FROM inbound_contact c LEFT JOIN incident_alarm a ON a.source = c.id::text WHERE c.channel = 'device'
GROUP BY c.id, c.account, c.external_id"""
INCIDENTS = """SELECT count(*) AS incidents, count(DISTINCT subject) AS subjects, sum(alarms) AS alarms,
  (SELECT count(*) FROM incident_alarm) AS reports FROM incident"""
TOLD = "SELECT count(*) FROM (SELECT dedupe_key FROM outgoing_message GROUP BY dedupe_key HAVING count(*) > 1) twice"


@dataclass(frozen=True)
class Findings:
    missing: int
    """Alarms in no incident, of devices that waited until the service had them."""
    trusted_away: int
    """Alarms that only the broker acknowledged, and that are in no incident."""
    trusted: int
    astray: int
    """Alarms in more than one incident, or stored and in none, or stored twice."""
    incidents: int
    subjects: int
    counted: bool
    """Whether every incident counts its reports right, and nobody was told twice."""


async def audit(database: Database, devices: list[Device]) -> Findings:
    async with database.transaction() as tx:
        rows = await tx.fetch(KEPT)
        total = await tx.fetchrow(INCIDENTS)
        twice = await tx.fetchval(TOLD)
    found = {(row["account"], *row["external_id"].split(":")[:2]) for row in rows}
    wrong = sum(row["incidents"] != 1 or row["different"] != 1 for row in rows) + len(rows) - len(found)
    missing = trusted_away = trusted = 0
    for device in devices:
        vendor = MQTT if device.by_mqtt else MAKER
        absent = sum((vendor, device.name, number) not in found for number in device.numbers)
        if device.trusts:
            trusted, trusted_away = trusted + len(device.numbers), trusted_away + absent
        else:
            missing += absent
    return Findings(
        missing, trusted_away, trusted, wrong, total["incidents"], total["subjects"],
        total["alarms"] == total["reports"] and twice == 0,
    )  # fmt: skip
