"""Whom an incident of nobody is about, once an operator has found out."""

from __future__ import annotations

from datetime import timedelta

import httpx

from app.core import clock
from app.core.db import Database
from app.elders.facts import NewFamilyMember
from app.seeds.base import load_base
from tests.alarms.test_alarms import climb, raised
from tests.intake.conftest import Headers
from tests.world.catalog import make_items
from tests.world.elders import make_elder
from tests.world.orders import TUESDAY_TEN
from tests.world.providers import make_caregiver, make_provider


async def test_whoever_is_found_out_gets_relatives_helpers_and_an_order(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await load_base(tx)
        await make_items(tx)
        elder = await make_elder(tx, family=(NewFamilyMember("曾小芳", "child", "13800000001", approved=True),))
        firm = await make_provider(tx, lng=102.5, lat=38.9)
        await make_caregiver(tx, firm, home_lng=102.191, home_lat=38.52)
        with clock.hold(TUESDAY_TEN):
            incident = await raised(tx, None, device="x:1")
    with clock.hold(TUESDAY_TEN + timedelta(minutes=10)):
        async with clean_database.transaction() as tx:
            await climb(tx)
            assert await tx.fetchval("SELECT count(*) FROM outgoing_message") == 0, "nobody knew whom to tell"
        path = f"/v1/incidents/{incident}"
        named = await doors.post(f"{path}/elder", json={"elder_id": str(elder)}, headers=operator())
        assert named.status_code == 200, named.text
        again = await doors.post(f"{path}/elder", json={"elder_id": str(elder)}, headers=operator())
        sent = await doors.post(f"{path}/help", json={}, headers=operator())
        async with clean_database.transaction() as tx:
            await climb(tx)
            rows = await tx.fetch(
                "SELECT DISTINCT template_code FROM outgoing_message WHERE template_code LIKE 'sos_%'"
            )
            audit = await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'incidents.identify'")
            repeated = await raised(tx, None, device="x:1")
    shown = named.json()
    assert (shown["elder_id"], shown["place"], shown["division"][:6]) == (str(elder), "home", "620302")
    assert [one["what"] for one in again.json()["entries"]] == ["identified"], "the same said twice is said once"
    assert sent.status_code == 201, sent.text
    assert {row["template_code"] for row in rows} == {"sos_family", "sos_helper"}
    assert audit == 1
    assert repeated == incident, "the device goes on reporting the same incident"


async def test_what_the_report_said_and_what_is_over_is_not_changed(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await load_base(tx)
        elder, other = await make_elder(tx), await make_elder(tx)
        told, unknown = await raised(tx, elder), await raised(tx, None, device="x:1", lng=102.2, lat=38.5)
        far = await make_elder(tx, division_code="620321")

    async def named(incident: object, who: object) -> tuple[int, str | None]:
        body = {"elder_id": str(who)}
        answer = await doors.post(f"/v1/incidents/{incident}/elder", json=body, headers=operator())
        return answer.status_code, answer.json().get("code")

    assert await named(told, other) == (409, "incident_has_elder")
    assert await named(unknown, told) == (404, "elder_not_found")
    assert (await named(unknown, other))[0] == 200
    assert (await named(unknown, elder))[0] == 200, "a mistake is put right"
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT elder_id, lng, place FROM incident WHERE id = $1", unknown)
        await tx.run("UPDATE incident SET status = 'closed', finding = 'real' WHERE id = $1", unknown)
    assert tuple(row.values()) == (elder, 102.2, "device"), "where the device is, is known better than by the home"
    assert await named(unknown, far) == (409, "incident_moved_on")
