"""Help at once, stations among the helpers, places without a fix, and the end of an incident."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx

from app.core import clock
from app.core.db import Database
from app.elders.facts import NewFamilyMember
from app.regions import service as regions
from app.seeds.base import load_base
from tests.alarms.test_alarms import climb, climb_at, incidents, raised
from tests.intake.conftest import Headers
from tests.world.accounts import make_app_key
from tests.world.catalog import make_items
from tests.world.elders import make_elder
from tests.world.intake import signed_post
from tests.world.orders import TUESDAY_TEN
from tests.world.providers import make_caregiver, make_provider


async def test_the_nearest_on_duty_are_caregivers_and_stations(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await load_base(tx)
        elder = await make_elder(tx)
        far = await make_provider(tx, lng=102.5, lat=38.9)
        near = await make_caregiver(tx, far, home_lng=102.191, home_lat=38.52)
        station = await make_provider(tx, kind="station", lng=102.192, lat=38.52)
        await make_caregiver(tx, station, home_lng=102.6, home_lat=38.9)
        unstaffed = await make_provider(tx, kind="station", lng=102.19, lat=38.52)
        await make_caregiver(tx, unstaffed, hours=(20, 22), home_lng=102.19, home_lat=38.52)
        with clock.hold(TUESDAY_TEN):
            incident = await raised(tx, elder)
    with clock.hold(TUESDAY_TEN):
        shown = (await doors.get(f"/v1/incidents/{incident}/helpers", headers=operator())).json()["items"]
    assert [(one["kind"], one["id"]) for one in shown] == [("caregiver", str(near)), ("station", str(station))]
    assert 80 < shown[0]["distance_m"] < shown[1]["distance_m"] < 190
    with clock.hold(TUESDAY_TEN + timedelta(seconds=120)):
        async with clean_database.transaction() as tx:
            await climb(tx)
    async with clean_database.transaction() as tx:
        told = await tx.fetch("SELECT recipient_kind FROM outgoing_message WHERE template_code = 'sos_helper'")
    assert sorted(row["recipient_kind"] for row in told) == ["caregiver", "provider"]


async def test_help_is_sent_at_once_and_the_helpers_need_not_wait_for_the_ladder(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await load_base(tx)
        await make_items(tx)
        elder = await make_elder(tx, family=(NewFamilyMember("曾小芳", "child", "13800000001", approved=True),))
        with clock.hold(TUESDAY_TEN):
            incident = await raised(tx, elder)
            unknown = await raised(tx, None, device="x:1")
    soon = TUESDAY_TEN + timedelta(seconds=5)
    with clock.hold(soon):
        headers = operator()
        sent = await doors.post(f"/v1/incidents/{incident}/help", json={"note": "请先到门口"}, headers=headers)
        again = await doors.post(f"/v1/incidents/{incident}/help", json={"note": "请先到门口"}, headers=headers)
        nobody = await doors.post(f"/v1/incidents/{unknown}/help", json={}, headers=operator())
        async with clean_database.transaction() as tx:
            await climb(tx)
    assert sent.status_code == 201, sent.text
    assert again.json() == sent.json()
    assert (nobody.status_code, nobody.json()["code"]) == (422, "elder_needed")
    async with clean_database.transaction() as tx:
        order = await tx.fetchrow("SELECT id, elder_id, item_code, urgency FROM care_order")
        steps = await tx.fetch("SELECT step, taken_at FROM incident_step WHERE incident_id = $1", incident)
    assert (str(order["id"]), order["elder_id"]) == (sent.json()["order_id"], elder)
    assert (order["item_code"], order["urgency"]) == ("urgent_help", "emergency")
    assert {row["step"] for row in steps if row["taken_at"] == soon} == {"operator", "helper"}
    detail = (await doors.get(f"/v1/incidents/{incident}", headers=operator())).json()
    assert detail["entries"][0]["facts"] == {"order_id": str(order["id"])}


async def test_closing_the_incident_answers_how_it_came_in(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await load_base(tx)
        maker = await make_app_key(tx, kind="device", name="aiqiangua")
    press = {"device_id": "1", "type": "sos"}
    for number, kind in enumerate(("sos", "fall", "sos")):
        await signed_post(doors, maker, "/channels/devices/aiqiangua", press | {"msg_id": f"{number}", "type": kind})
    (one,) = await incidents(clean_database)
    path = f"/v1/incidents/{one['id']}"
    assert (await doors.post(f"{path}/verification", json={"finding": "real"}, headers=operator())).status_code == 200
    closed = await doors.post(f"{path}/closure", json={"note": "老人送医"}, headers=operator())
    assert closed.status_code == 200
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT id, status, answer, closed_by FROM care_request")
        assert {tx.vault.open("care_request.answer", row["id"], row["answer"]) for row in rows} == {"老人送医"}
    assert [row["status"] for row in rows] == ["answered", "answered"]
    assert all(row["closed_by"].startswith("staff:") for row in rows)


async def test_a_request_that_the_next_incident_needs_stays_open(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await load_base(tx)
        maker = await make_app_key(tx, kind="device", name="aiqiangua")
    press = {"device_id": "1", "type": "sos"}
    await signed_post(doors, maker, "/channels/devices/aiqiangua", press | {"msg_id": "1"})
    (first,) = await incidents(clean_database)
    path = "/v1/incidents/{}/{}"
    body = {"finding": "false_alarm", "code": "testing"}
    await doors.post(path.format(first["id"], "verification"), json=body, headers=operator())
    await signed_post(doors, maker, "/channels/devices/aiqiangua", press | {"msg_id": "2"})
    _, second = await incidents(clean_database)

    async def end(incident: UUID) -> list[str]:
        await doors.post(path.format(incident, "closure"), json={"note": "结束"}, headers=operator())
        async with clean_database.transaction() as tx:
            return [row["status"] for row in await tx.fetch("SELECT status FROM care_request")]

    assert await end(first["id"]) == ["escalated"]
    await doors.post(path.format(second["id"], "verification"), json={"finding": "real"}, headers=operator())
    assert await end(second["id"]) == ["answered"]


async def test_a_home_that_is_on_no_map_is_somewhere_in_its_division(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await load_base(tx)
        elder = await make_elder(tx, location=None)
        await raised(tx, elder)
    (one,) = await incidents(clean_database)
    async with clean_database.transaction() as tx:
        district = await regions.division(tx, "620302")
    assert one["place"] == "division"
    assert district.lng is not None
    assert abs(one["lng"] - district.lng) < 0.5


async def test_what_was_verified_as_real_is_told_to_relatives_at_once_and_the_ladder_goes_on(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    incident, _ = await _fallen(clean_database)
    assert await _verified(doors, operator, incident, 20, {"finding": "real"}) == 200
    taken = [await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=s)) for s in (20, 119, 120, 180, 999)]
    assert taken == [{"operator": None, "family": 1}, {}, {"helper": 1}, {"authority": 1}, {}]


async def test_help_for_what_was_verified_as_real_tells_the_nearest_at_once(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    incident, _ = await _fallen(clean_database)
    await _verified(doors, operator, incident, 20, {"finding": "real"})
    assert await _helped(doors, operator, incident, 25) == 201
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=25)) == {
        "operator": None, "family": 1, "helper": 1,
    }  # fmt: skip
    assert await _helped(doors, operator, incident, 40) == 201
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=40)) == {}, "the nearest know already"


async def test_help_tells_whoever_has_come_on_duty_after_the_ladder_found_nobody(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    incident, near = await _fallen(clean_database, hours=(11, 12))
    assert (await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=120)))["helper"] == 0
    assert await _helped(doors, operator, incident, 3600) == 201
    assert (await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=3600)))["helper"] == 1
    async with clean_database.transaction() as tx:
        told = await tx.fetchval("SELECT recipient_id FROM outgoing_message WHERE template_code = 'sos_helper'")
    assert told == str(near)


async def test_help_tells_the_nearest_where_the_citys_ladder_does_not(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    incident, _ = await _fallen(clean_database)
    async with clean_database.transaction() as tx:
        await tx.run("DELETE FROM incident_step WHERE step <> 'operator'")
    assert await _helped(doors, operator, incident, 5) == 201
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=5)) == {"operator": 1, "helper": 1}


async def test_help_for_what_was_taken_for_a_false_alarm_is_help(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    incident, _ = await _fallen(clean_database)
    mistaken = {"finding": "false_alarm", "code": "pressed_by_mistake"}
    assert await _verified(doors, operator, incident, 20, mistaken) == 200
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=130)) == {
        "operator": None, "family": None, "helper": None,
    }  # fmt: skip
    assert await _helped(doors, operator, incident, 140) == 201
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=140)) == {"helper": 1}
    assert await climb_at(clean_database, TUESDAY_TEN + timedelta(seconds=180)) == {"authority": None}


async def _fallen(database: Database, hours: tuple[int, int] = (8, 18)) -> tuple[UUID, UUID]:
    """An incident of somebody with a relative, and the caregiver next door, at work during these hours."""
    async with database.transaction() as tx:
        await load_base(tx)
        await make_items(tx)
        elder = await make_elder(tx, family=(NewFamilyMember("曾小芳", "child", "13800000001", approved=True),))
        near = await make_caregiver(tx, await make_provider(tx), hours=hours, home_lng=102.191, home_lat=38.52)
        with clock.hold(TUESDAY_TEN):
            return await raised(tx, elder), near


async def _verified(
    doors: httpx.AsyncClient, operator: Headers, incident: UUID, after_s: int, body: dict[str, str]
) -> int:
    with clock.hold(TUESDAY_TEN + timedelta(seconds=after_s)):
        return (await doors.post(f"/v1/incidents/{incident}/verification", json=body, headers=operator())).status_code


async def _helped(doors: httpx.AsyncClient, operator: Headers, incident: UUID, after_s: int) -> int:
    with clock.hold(TUESDAY_TEN + timedelta(seconds=after_s)):
        return (await doors.post(f"/v1/incidents/{incident}/help", json={}, headers=operator())).status_code
