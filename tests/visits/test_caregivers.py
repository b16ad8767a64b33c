"""The caregiver's own doors: her visits and nobody else's, reports that her phone has signed, proofs of presence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.calls import numbers
from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.elders import cards
from app.elders import service as elders
from app.visits import door_codes
from app.visits.journal import Kind
from tests.world import World
from tests.world.phones import Phone
from tests.world.visits import HOME, Assigned

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
PHOTO = b"\xff\xd8\xff\xe0" + bytes(200)
EVENTS = "/v1/caregiver/events"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.hold(NOON):
        yield


async def at_work(database: Database, world: World, **overrides: Any) -> tuple[Assigned, Phone]:
    """An order booked for today, and the phone of the one who goes there."""
    async with database.transaction() as tx:
        made: Assigned = await world.booked_order(tx, **overrides)
        phone: Phone = await world.phone(tx, made.caregiver_id)
    return made, phone


def event(made: Assigned, type: str, minutes: float, **more: Any) -> dict[str, Any]:
    values = {
        "event_id": str(uuid4()), "type": type, "order_id": str(made.order_id), "method": "gps", "location": HOME,
        "occurred_at": (made.at + timedelta(minutes=minutes)).isoformat(), **more,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}


async def told(api: httpx.AsyncClient, phone: Phone, *events: dict[str, Any]) -> list[tuple[str, str | None]]:
    answer = await phone.post(api, EVENTS, {"events": list(events)})
    assert answer.status_code == 200, answer.text
    return [(one["result"], one.get("reason")) for one in answer.json()["results"]]


async def verdict(database: Database, order_id: UUID) -> tuple[str, list[str]]:
    async with database.transaction() as tx:
        row = await tx.fetchrow("SELECT verification, reasons FROM visit WHERE order_id = $1", order_id)
    assert row is not None
    return row["verification"], list(row["reasons"])


async def test_she_sees_her_own_day_and_only_hers(api: httpx.AsyncClient, database: Database, world: World) -> None:
    made, phone = await at_work(database, world)
    other, other_phone = await at_work(database, world, provider_id=made.provider_id)
    async with database.transaction() as tx:
        tomorrow = await world.booked_order(tx, caregiver_id=made.caregiver_id, provider_id=made.provider_id, hours=24)
        await world.booked_order(tx, caregiver_id=made.caregiver_id, provider_id=made.provider_id, hours=72)
    day = (await phone.get(api, "/v1/caregiver/visits")).json()
    assert [one["order_id"] for one in day["visits"]] == [str(made.order_id), str(tomorrow.order_id)]
    first = day["visits"][0]
    assert first["elder"]["phone"].startswith("+86")
    assert first["elder"]["address"]
    assert first["next"] == ["departed", "arrived", "checked_in", "checked_out"]
    assert (day["now"], day["last_seq"]) == ("2026-11-20T04:00:00Z", 0)
    theirs = (await other_phone.get(api, "/v1/caregiver/visits")).json()["visits"]
    assert [one["order_id"] for one in theirs] == [str(other.order_id)]


async def test_her_visit_goes_on_and_then_keeps_its_door_to_itself(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, phone = await at_work(database, world)
    assert (
        await told(api, phone, event(made, "departed", 5, device_seq=7), event(made, "checked_in", 20))
        == [("applied", None)] * 2
    )
    day = (await phone.get(api, "/v1/caregiver/visits")).json()
    assert (day["visits"][0]["next"], day["last_seq"]) == (["checked_out"], 7)
    await told(api, phone, event(made, "checked_out", 130))
    done = (await phone.get(api, "/v1/caregiver/visits")).json()["visits"][0]
    assert (done["status"], done["next"], done["elder"].get("address")) == ("completed", [], None)
    assert await verdict(database, made.order_id) == ("verified", [])


async def test_a_copied_cookie_reports_nothing(api: httpx.AsyncClient, database: Database, world: World) -> None:
    made, phone = await at_work(database, world)
    thief = Phone()
    thief.token = phone.token
    body = {"events": [event(made, "checked_in", 20)]}
    for path, content in ((EVENTS, body), ("/v1/caregiver/uploads", PHOTO)):
        refused = await thief.post(api, path, content)
        assert (refused.status_code, refused.json()["code"]) == (401, "device_signature_wrong")
    bare = {"Authorization": f"Bearer {phone.token}"}
    assert (await api.post(EVENTS, json=body, headers=bare)).json()["code"] == "device_signature_wrong"
    signed = phone.signature("POST", EVENTS, "k", b"{}")
    moved = bare | {"X-Device-Signature": signed, "Idempotency-Key": "k"}
    assert (await api.post(EVENTS, json=body, headers=moved)).status_code == 401, "a signature fits one body"
    assert await told(api, phone, body["events"][0]) == [("applied", None)]
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM visit_event") == 1
        assert await tx.fetchval("SELECT count(*) FROM upload") == 0


async def test_a_browser_without_a_key_may_look_and_no_more(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, phone = await at_work(database, world)
    async with database.transaction() as tx:
        await tx.run("UPDATE caregiver_session SET device_key = NULL")
    assert len((await phone.get(api, "/v1/caregiver/visits")).json()["visits"]) == 1
    refused = await phone.post(api, EVENTS, {"events": [event(made, "departed", 5)]})
    assert (refused.status_code, refused.json()["code"]) == (403, "device_key_missing")


async def test_others_orders_are_unknown_and_those_taken_from_her_are_kept_for_review(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, phone = await at_work(database, world)
    other, _ = await at_work(database, world, provider_id=made.provider_id)
    foreign, _ = await at_work(database, world)
    for one in (other, foreign):
        assert await told(api, phone, event(one, "departed", 5)) == [("rejected", "order_unknown")]
    async with database.transaction() as tx:
        colleague = await world.caregiver(tx, made.provider_id)
        await tx.run("UPDATE care_order SET caregiver_id = $2 WHERE id = $1", made.order_id, colleague)
        await tx.run("UPDATE booking SET status = 'released' WHERE order_id = $1", made.order_id)
    late = event(made, "checked_in", 20)
    assert await told(api, phone, late) == [("needs_review", "caregiver_does_not_hold_the_order")]
    assert await told(api, phone, late) == [("duplicate", None)]
    assert (await phone.get(api, "/v1/caregiver/visits")).json()["visits"] == []
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT result FROM visit_event WHERE order_id = $1", made.order_id) == "needs_review"
        assert await tx.fetchval("SELECT caregiver_id FROM care_order WHERE id = $1", made.order_id) == colleague


async def test_a_photo_sent_twice_is_kept_once_and_proves_the_visit(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, phone = await at_work(database, world)
    kept = [await phone.post(api, "/v1/caregiver/uploads", PHOTO, key="photo-1") for _ in range(2)]
    assert [one.status_code for one in kept] == [201, 201]
    assert kept[0].json() == kept[1].json()
    assert kept[0].json()["sha256"] == hashlib.sha256(PHOTO).hexdigest()
    photo = kept[0].json()["upload_id"]
    assert await told(api, phone, event(made, "evidence_added", 30, evidence=[photo])) == [("applied", None)]


async def called_from(database: Database, elder_id: UUID, at: datetime) -> None:
    """The elder's telephone has reached the hotline at that time."""
    async with database.transaction() as tx:
        index = numbers.index(tx, (await elders.phones(tx, elder_id))[0])
        await tx.run(
            """INSERT INTO call
              (id, source, source_instance, call_id, state, offers, caller_index, first_at, updated_at)
            VALUES ($1, 'pbx', 'a', $2, 'over', 0, $3, $4, $4)""",
            new_id(), str(uuid4()), index, at,
        )  # fmt: skip


@pytest.mark.parametrize("way", ["otp", "qr", "nfc", "phone"])
@pytest.mark.parametrize("right", [True, False])
async def test_a_proof_that_does_not_hold_goes_to_a_supervisor(
    api: httpx.AsyncClient, database: Database, world: World, way: str, right: bool
) -> None:
    made, phone = await at_work(database, world)
    proof: str | None = None
    async with database.transaction() as tx:
        key = tx.vault.key_for(door_codes.PURPOSE)
        if way == "otp":
            end = Kind.CHECKED_IN if right else Kind.CHECKED_OUT
            proof = door_codes.code(key, made.order_id, end, clock.today())
        if way in ("qr", "nfc"):
            elder = made.elder_id if right else await world.elder(tx)
            await cards.issue(tx, SYSTEM, elder)
            await tx.run("UPDATE elder_card SET issued_at = $1", made.at)
            proof = "https://nuanxian.test/c/" + (await cards.living(tx, elder))[1]
    if way == "phone":
        await called_from(database, made.elder_id, made.at + timedelta(minutes=32 if right else 60))
    begin = event(made, "checked_in", 20, method=way, proof=proof, location=None)
    assert await told(api, phone, begin, event(made, "checked_out", 130)) == [("applied", None)] * 2
    expected = ("verified", []) if right else ("review", ["presence_not_proved"])
    assert await verdict(database, made.order_id) == expected


async def test_the_code_goes_to_the_elder_and_the_desk_may_read_it_out(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, phone = await at_work(database, world)
    path = f"/v1/caregiver/visits/{made.order_id}/door-codes"
    for _ in range(2):
        assert (await phone.post(api, path, {"end": "checked_in"})).json() == {"sent": True}
    _, stranger = await at_work(database, world)
    assert (await stranger.post(api, path, {"end": "checked_in"})).status_code == 404
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT id, recipient_kind, params FROM outgoing_message")
        assert [row["recipient_kind"] for row in rows] == ["elder"]
        params = tx.vault.open("outgoing_message.params", rows[0]["id"], rows[0]["params"])
    desk = await world.staff_headers(database, ("operator",), ("620300",))
    codes = (await api.get(f"/v1/visits/{made.order_id}/door-codes", headers=desk)).json()
    assert codes["checked_in"] in params
    assert codes["checked_in"] != codes["checked_out"]
    elsewhere = await world.staff_headers(database, ("operator",), ("110000",))
    assert (await api.get(f"/v1/visits/{made.order_id}/door-codes", headers=elsewhere)).status_code == 404


async def test_two_people_on_one_phone_are_not_mixed_up(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, _ = await at_work(database, world)
    async with database.transaction() as tx:
        colleague = await world.booked_order(tx, provider_id=made.provider_id)
        phone = await world.phone(tx, colleague.caregiver_id)
    hers = event(made, "departed", 5, caregiver_id=str(made.caregiver_id))
    assert (await told(api, phone, hers))[0][0] == "rejected"
    shared = event(colleague, "departed", 5, caregiver_id=str(made.caregiver_id))
    assert await told(api, phone, shared) == [("rejected", "caregiver_is_not_the_caller")]


async def test_a_visit_that_lasts_past_midnight_can_still_be_ended(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, phone = await at_work(database, world)
    idle, _ = await at_work(database, world)
    await told(api, phone, event(made, "checked_in", 20))
    async with database.transaction() as tx:
        idle_phone = await world.phone(tx, idle.caregiver_id)
    with clock.hold(NOON + timedelta(hours=12, minutes=10)):
        day = (await phone.get(api, "/v1/caregiver/visits")).json()
        assert [one["next"] for one in day["visits"]] == [["checked_out"]]
        assert (await idle_phone.get(api, "/v1/caregiver/visits")).json()["visits"] == []


async def photographed(api: httpx.AsyncClient, phone: Phone) -> str:
    return str((await phone.post(api, "/v1/caregiver/uploads", PHOTO, key=str(uuid4()))).json()["upload_id"])


async def test_what_is_added_after_the_end_counts_and_is_told_back(
    api: httpx.AsyncClient, database: Database, world: World
) -> None:
    made, phone = await at_work(database, world)
    ends = [event(made, "checked_in", 20), event(made, "checked_out", 130)]
    skipped = event(made, "evidence_added", 120, reason_code="signature_skipped")
    await told(api, phone, *ends, skipped)

    async def day() -> tuple[int, str | None]:
        one = (await phone.get(api, "/v1/caregiver/visits")).json()["visits"][0]
        return one["photos"], one["signed"]

    assert await day() == (0, "skipped")
    for code in ("photo", "photo", "signature"):
        added = event(made, "evidence_added", 140, reason_code=code, evidence=[await photographed(api, phone)])
        assert await told(api, phone, added) == [("late", "order_completed")]
    assert await day() == (2, "yes")
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT cardinality(evidence) FROM visit WHERE order_id = $1", made.order_id) == 3
    assert await verdict(database, made.order_id) == ("verified", [])


async def test_a_second_caregiver_shows_what_she_saw(api: httpx.AsyncClient, database: Database, world: World) -> None:
    made, phone = await at_work(database, world)
    async with database.transaction() as tx:
        second = await world.caregiver(tx, made.provider_id)
        await tx.run("UPDATE care_order SET second_caregiver_id = $2 WHERE id = $1", made.order_id, second)
        hers = await world.phone(tx, second)
    added = event(made, "evidence_added", 30, reason_code="photo", evidence=[await photographed(api, hers)])
    hazard = event(made, "hazard_reported", 30, reason_code="fall")
    assert await told(api, hers, added, hazard) == [("applied", None)] * 2
    step = await told(api, hers, event(made, "checked_in", 20))
    assert step == [("needs_review", "caregiver_does_not_hold_the_order")], "one of the two leads"
    await told(api, phone, event(made, "checked_in", 20), event(made, "checked_out", 130))
    async with database.transaction() as tx:
        row = await tx.fetchrow("SELECT hazards, cardinality(evidence) AS files FROM visit")
        assert row is not None
        assert (row["hazards"], row["files"]) == (["fall"], 1)
    assert await verdict(database, made.order_id) == ("verified", [])
