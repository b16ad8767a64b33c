"""Which device belongs to whom, and when it was last heard of."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.accounts import audit
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, NotFound
from app.core.http import Caller
from app.core.ids import new_id
from app.elders import queries_devices as queries


@dataclass(frozen=True, slots=True)
class Bound:
    """Whom a device belongs to. `place`: where in the home it hangs."""

    elder_id: UUID
    place: str | None


async def bind(tx: Tx, caller: Caller, elder_id: UUID, vendor: str, number: str, kind: str, place: str | None) -> UUID:
    """Binding it again to the same elder changes nothing. Raises Conflict when it is another elder's."""
    device_id = new_id()
    if await queries.bind(tx, device_id, vendor, number, kind, place, elder_id, clock.now(), caller.actor):
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


async def heard(tx: Tx, vendor: str, number: str, battery: int | None) -> Bound | None:
    """A message of a device came in: whom it belongs to; None for one that is bound to nobody."""
    row = await queries.seen(tx, vendor, number, clock.now(), battery)
    return Bound(row["elder_id"], row["place"]) if row is not None else None
