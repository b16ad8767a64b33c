"""What proves a visit, for somebody who looks at it: distances from home, never where home is."""

from __future__ import annotations

from pathlib import Path

from app.core.db import Database
from app.orders import service as orders
from app.visits import proof, uploads
from tests.world import World
from tests.world.visits import HOME

PHOTO = b"\xff\xd8\xff\xe0" + bytes(200)


async def test_both_ends_in_metres_from_home_and_the_files(database: Database, world: World, tmp_path: Path) -> None:
    async with database.transaction() as tx:
        made = await world.assigned_order(tx)
        order = await orders.get(tx, made.order_id)
        assert await proof.of_order(tx, order) is None
        photo = (await uploads.keep(tx, made.app, PHOTO, tmp_path)).upload_id
        there, north = HOME | {"lng": 102.1901}, HOME | {"lat": 38.53}
        await made.report(tx, made.event("checked_in", 20, location=there))
        await made.report(tx, made.event("checked_out", 120, location=north, evidence=[photo]))
        found = await proof.of_order(tx, await orders.get(tx, made.order_id))
    assert found is not None
    begin, end = found.spots
    assert (begin.what, begin.east_m, begin.north_m, begin.accuracy_m) == ("begin", 9, 0, 20)
    assert (end.what, end.east_m, end.north_m) == ("end", 0, 1112)
    assert found.files == {photo: "image/jpeg"}
    assert found.radius_m == 200
    assert [event.type for event in found.visit.events] == ["checked_in", "checked_out"]
