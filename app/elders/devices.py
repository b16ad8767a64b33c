"""Which device belongs to whom, and when it was last heard of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.accounts import audit
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.elders import queries_devices as queries
from app.elders.models_devices import SILENT_AFTER_S, SILENT_AFTER_USUALLY_S
from app.jobs import feed

DESK = "desk"
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Bound:
    """Whom a device belongs to. `place`: where in the home it hangs."""

    elder_id: UUID
    place: str | None


async def bind(
    tx: Tx,
    caller: Caller,
    elder_id: UUID,
    vendor: str,
    number: str,
    kind: str,
    place: str | None,
    silent_after_s: int | None = None,
) -> UUID:
    """Binding it again to the same elder changes nothing. Raises Conflict when it is another elder's."""
    device_id, now = new_id(), clock.now()
    after = silent_after_s or SILENT_AFTER_S.get(kind, SILENT_AFTER_USUALLY_S)
    if await queries.bind(tx, device_id, vendor, number, kind, place, elder_id, now, caller.actor, after):
        await audit.record(tx, caller, "elders.bind_device", "elder", elder_id, ["device"])
        return device_id
    held = await queries.holder(tx, vendor, number)
    if held is None or held["elder_id"] != elder_id:
        raise Conflict("device_bound", "this device is bound to somebody else; unbind it there first")
    found: UUID = held["id"]
    return found


async def unbind(tx: Tx, caller: Caller, elder_id: UUID, device_id: UUID) -> None:
    """Raises NotFound unless it is this elder's device, and bound."""
    if not await queries.unbind(tx, device_id, elder_id, clock.now(), caller.actor):
        raise NotFound("device_not_found", "this elder has no such device")
    await audit.record(tx, caller, "elders.unbind_device", "elder", elder_id, ["device"])


async def heard(tx: Tx, vendor: str, number: str, battery: int | None, *, low: bool = False) -> Bound | None:
    """A message of a device came in: whom it belongs to; None for one that is bound to nobody. `low`: it says that
    its battery is."""
    rows = await queries.seen(tx, vendor, [number], [battery], clock.now(), False, low)
    await _tell_changes(tx, rows)
    return Bound(rows[0]["elder_id"], rows[0]["place"]) if rows else None


async def gone(tx: Tx, vendor: str, number: str) -> Bound | None:
    """Its maker says that it is off line: it is missed from now on, and told once."""
    row = await queries.gone(tx, vendor, number, clock.now())
    if row is None:
        return None
    if row["was_offline"] is None:
        await _tell(tx, "device.offline", row)
    return Bound(row["elder_id"], row["place"])


async def alive(tx: Tx, vendor: str, signs: Sequence[tuple[str, int | None]]) -> int:
    """Signs of life, each with the battery's level if it was told; how many are of devices that are bound. From the
    first one on a device is missed when it is silent too long."""
    numbers, batteries = [number for number, _ in signs], [battery for _, battery in signs]
    rows = await queries.seen(tx, vendor, numbers, batteries, clock.now(), True, False)
    await _tell_changes(tx, rows)
    return len(rows)


async def miss_silent(tx: Tx) -> None:
    """Tell the desk, once, of every device that has been silent too long."""
    for row in await queries.miss(tx, clock.now(), AT_ONCE):
        if row["offline_at"] is not None:
            await _tell(tx, "device.offline", row)


async def _tell_changes(tx: Tx, rows: Sequence[Any]) -> None:
    for row in rows:
        if row["was_offline"] is not None:
            await _tell(tx, "device.back", row)
        if row["low_battery_at"] is not None and row["was_low"] is None:
            await _tell(tx, "device.low_battery", row)


async def _tell(tx: Tx, kind: str, row: Any) -> None:
    facts = {"device": str(row["id"]), "elder_id": str(row["elder_id"]), "division": row["division_code"]}
    await feed.append(tx, DESK, kind, facts=facts)
