"""Booking by families and by township stations: the desk's checks and prices, and nobody else's elders."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.accounts import codes, queries_records, tokens
from app.core import clock
from app.core.db import Database
from app.elders.facts import NewFamilyMember
from tests.intake.conftest import Headers
from tests.world.accounts import staff_headers, staff_token
from tests.world.elders import DIVISION, make_elder
from tests.world.orders import Town

PHONE = "+8613800000001"
TOWNSHIP = DIVISION[:9]


@pytest.fixture
async def mother(clean_database: Database, town: Town) -> UUID:
    """An elder whose daughter is approved."""
    async with clean_database.transaction() as tx:
        member = NewFamilyMember(name="曾丽", relation="child", phone="13800000001", approved=True)
        return await make_elder(tx, family=(member,))


@pytest.fixture
async def daughter(clean_database: Database) -> Headers:
    token, now = tokens.new_token(tokens.FAMILY), clock.now()
    async with clean_database.transaction() as tx:
        index = codes.phone_index(tx.vault, PHONE)
        await queries_records.open_family(tx, tokens.hash_of(token), index, now, now + codes.FAMILY_SESSION)
    return lambda: {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}


@pytest.fixture
async def station(clean_database: Database) -> Headers:
    token = await staff_token(clean_database, roles=["station"], divisions=[TOWNSHIP])
    return lambda: {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}


async def quoted(doors: httpx.AsyncClient, headers: Headers, elder: UUID, path: str) -> dict[str, Any]:
    body = {"elder_id": str(elder), "item_code": "clean_home", "starts_at": clock.now().isoformat()}
    answer = await doors.post(path, json=body, headers=headers())
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def set_rule(doors: httpx.AsyncClient, database: Database, division: str, direct: bool) -> httpx.Response:
    boss = await staff_headers(database, roles=["supervisor"])
    body = {"division": division, "valid_from": "2026-01-01", "direct": direct, "reason": "试行"}
    return await doors.post("/v1/booking-rules", json=body, headers=boss)


async def counts(database: Database) -> tuple[int, int]:
    """(requests, orders)."""
    async with database.transaction() as tx:
        return await tx.fetchval("SELECT count(*) FROM care_request"), await tx.fetchval(
            "SELECT count(*) FROM care_order"
        )


async def test_a_family_sees_the_desks_price_before_it_asks(
    doors: httpx.AsyncClient, operator: Headers, daughter: Headers, mother: UUID, elder: UUID, clean_database: Database
) -> None:
    ours = await quoted(doors, daughter, mother, "/v1/family/quotes")
    assert ours == await quoted(doors, operator, mother, "/v1/quotes")
    foreign = {"elder_id": str(elder), "item_code": "clean_home", "starts_at": clock.now().isoformat()}
    assert (await doors.post("/v1/family/quotes", json=foreign, headers=daughter())).status_code == 404
    booking = {"elder_id": str(mother), "item_code": "clean_home"}
    agreed = {"agreed": {name: ours[name] for name in ("price_fen", "copay_fen")}}
    made = await doors.post("/v1/family/care-requests", json=booking | agreed, headers=daughter())
    assert (made.status_code, made.json()["status"], made.json()["order_id"]) == (201, "new", None)
    assert made.json()["quote"] == ours
    assert await counts(clean_database) == (1, 0)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"minutes": 1}, 422, "minutes_out_of_range"),
        ({"item_code": "no_such_item"}, 422, "service_item_unknown"),
        ({"wanted": {"from": "2001-01-01T00:00:00+08:00"}}, 422, None),
        ({"agreed": {"price_fen": 1, "copay_fen": 1}}, 409, "quote_changed"),
        ({"agreed": {"price_fen": 1, "copay_fen": 1}, "kind": "consultation"}, 422, "invalid"),
    ],
)
async def test_a_family_is_refused_what_the_desk_would_be(
    doors: httpx.AsyncClient,
    daughter: Headers,
    mother: UUID,
    clean_database: Database,
    change: dict[str, Any],
    status: int,
    code: str | None,
) -> None:
    body = {"elder_id": str(mother), "item_code": "clean_home"} | change
    answer = await doors.post("/v1/family/care-requests", json=body, headers=daughter())
    assert (answer.status_code, code or answer.json()["code"]) == (status, answer.json()["code"]), answer.text
    assert await counts(clean_database) == (0, 0)


async def test_where_the_city_allows_it_a_booking_is_an_order_at_once(
    doors: httpx.AsyncClient, daughter: Headers, mother: UUID, elder: UUID, clean_database: Database
) -> None:
    assert (await set_rule(doors, clean_database, "620302", True)).status_code == 204
    again = await set_rule(doors, clean_database, "620302", False)
    assert (again.status_code, again.json()["code"]) == (409, "booking_rule_set")
    ours = await quoted(doors, daughter, mother, "/v1/family/quotes")
    body = {"elder_id": str(mother), "item_code": "clean_home"}
    asked = await doors.post("/v1/family/care-requests", json=body, headers=daughter())
    assert asked.json()["status"] == "new", "nobody agreed to a price"
    body |= {"agreed": {name: ours[name] for name in ("price_fen", "copay_fen")}}
    foreign = body | {"elder_id": str(elder)}
    assert (await doors.post("/v1/family/care-requests", json=foreign, headers=daughter())).status_code == 404
    once = daughter()
    answers = [await doors.post("/v1/family/care-requests", json=body, headers=once) for _ in range(2)]
    booked = answers[0].json()
    assert answers[1].json() == booked
    assert (booked["status"], booked["quote"]) == ("confirmed", ours)
    assert await counts(clean_database) == (2, 1)
    async with clean_database.transaction() as tx:
        order = await tx.fetchrow("SELECT id, price_fen, copay_fen, channel, requester_name FROM care_order")
    assert tuple(order) == (UUID(booked["order_id"]), ours["price_fen"], ours["copay_fen"], "web", "曾丽")


async def test_a_nearer_rule_beats_the_citys(
    doors: httpx.AsyncClient, daughter: Headers, mother: UUID, clean_database: Database
) -> None:
    await set_rule(doors, clean_database, "620300", True)
    await set_rule(doors, clean_database, TOWNSHIP, False)
    ours = await quoted(doors, daughter, mother, "/v1/family/quotes")
    agreed = {name: ours[name] for name in ("price_fen", "copay_fen")}
    body = {"elder_id": str(mother), "item_code": "clean_home", "agreed": agreed}
    made = await doors.post("/v1/family/care-requests", json=body, headers=daughter())
    assert made.json()["status"] == "new"
    operator = await staff_headers(clean_database)
    rule = {"division": "620300", "valid_from": "2026-02-01", "direct": True, "reason": "x"}
    assert (await doors.post("/v1/booking-rules", json=rule, headers=operator)).status_code == 403


async def test_a_station_books_for_the_elders_of_its_township_in_its_own_name(
    doors: httpx.AsyncClient, operator: Headers, station: Headers, elder: UUID, clean_database: Database
) -> None:
    assert await quoted(doors, station, elder, "/v1/quotes") == await quoted(doors, operator, elder, "/v1/quotes")
    body = {"elder_id": str(elder), "item_code": "clean_home"}
    made = await doors.post("/v1/orders", json=body | {"channel": "hotline"}, headers=station())
    assert (made.status_code, made.json()["channel"]) == (201, "station")
    child = body | {"caller": {"name": "曾丽", "phone": "13800000001", "relation": "child"}}
    await doors.post("/v1/orders", json=child, headers=station())
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT channel, caller_name, relation, taken_by FROM care_request ORDER BY created_at")
        staff = await tx.fetchval("SELECT staff_id FROM staff_role WHERE role = 'station'")
    assert [tuple(row) for row in rows] == [
        ("station", "王敏", "community", f"staff:{staff}"),
        ("station", "曾丽", "child", f"staff:{staff}"),
    ]
    listed = (await doors.get("/v1/orders", headers=station())).json()
    assert len(listed["items"]) == 2
    theirs = await doors.post("/v1/orders", json=body, headers=operator())
    assert theirs.json()["channel"] == "hotline"


async def test_a_station_does_nothing_else(
    doors: httpx.AsyncClient, operator: Headers, station: Headers, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        foreign = await make_elder(tx, name="解秀英", division_code="620321100001")
    body = {"item_code": "clean_home"}
    assert (
        await doors.post("/v1/orders", json=body | {"elder_id": str(foreign)}, headers=station())
    ).status_code == 404
    quote = body | {"elder_id": str(foreign), "starts_at": clock.now().isoformat()}
    assert (await doors.post("/v1/quotes", json=quote, headers=station())).status_code == 404
    request = await doors.post("/v1/care-requests", json=body | {"elder_id": str(elder)}, headers=operator())
    path = f"/v1/care-requests/{request.json()['id']}"
    assert (await doors.post(f"{path}/confirmation", json={}, headers=station())).status_code == 403
    assert (await doors.get(path, headers=station())).status_code == 403
    order = await doors.post("/v1/orders", json=body | {"elder_id": str(elder)}, headers=station())
    cancel = {"reason_code": "family_request", "by": "family"}
    path = f"/v1/orders/{order.json()['id']}/cancellation"
    assert (await doors.post(path, json=cancel, headers=station())).status_code == 403
    assert (await counts(clean_database))[1] == 1
