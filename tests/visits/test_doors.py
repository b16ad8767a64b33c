"""Doors of visits: review, entry by hand, uploads; who may, and who must not see."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.visits.uploads import MAX_BYTES, media_type_of
from tests.world import World
from tests.world.visits import HOME, Assigned

FAR = HOME | {"lat": 38.60}
PHOTO = b"\xff\xd8\xff\xe0" + bytes(200)


async def committed(database: Database, world: World, **overrides: Any) -> Assigned:
    async with database.transaction() as tx:
        made: Assigned = await world.assigned_order(tx, **overrides)
    return made


async def provider_key(database: Database, world: World, provider_id: UUID) -> tuple[str, str]:
    async with database.transaction() as tx:
        key: tuple[str, str] = await world.app_key(tx, provider_id=provider_id)
    return key


async def doubtful(database: Database, world: World) -> Assigned:
    """A visit that was far from home at both ends."""
    made = await committed(database, world)
    async with database.transaction() as tx:
        await made.report(tx, made.event("checked_in", 20, location=FAR), made.event("checked_out", 120, location=FAR))
    return made


@pytest.fixture
def staff(world: World, clean_database: Database) -> Any:
    """Headers of a new staff member with the role."""

    async def headers(role: str, divisions: tuple[str, ...] = ("620300",)) -> dict[str, str]:
        made: dict[str, str] = await world.staff_headers(clean_database, (role,), divisions)
        return made

    return headers


async def test_a_supervisor_decides_what_an_operator_may_only_read(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made = await doubtful(database, world)
    path = f"/v1/visits/{made.order_id}"
    listed = await api.get("/v1/visits?verification=review", headers=await staff("operator"))
    assert [item["order_id"] for item in listed.json()["items"]] == [str(made.order_id)]
    assert listed.json()["items"][0]["reasons"] == ["outside_at_both_ends"]
    assert (await api.get("/v1/visits?verification=verified", headers=await staff("operator"))).json()["items"] == []
    decision = {"verdict": "verified", "reason": "已电话核实"}
    refused = await api.post(f"{path}/verification", json=decision, headers=await staff("operator"))
    assert refused.status_code == 403
    elsewhere = await staff("supervisor", ("110000",))
    assert (await api.post(f"{path}/verification", json=decision, headers=elsewhere)).status_code == 404
    assert (await api.get(path, headers=elsewhere)).status_code == 404
    stale = {**await staff("supervisor"), "If-Match": '"77"'}
    assert (await api.post(f"{path}/verification", json=decision, headers=stale)).status_code == 412
    decided = await api.post(f"{path}/verification", json=decision, headers=await staff("supervisor"))
    assert decided.status_code == 200, decided.text
    assert decided.json()["verification"] == "verified"
    assert [event["type"] for event in decided.json()["events"]] == ["checked_in", "checked_out"]
    order = await api.get(f"/v1/orders/{made.order_id}", headers=await staff("operator"))
    assert order.json()["visit"]["verification"] == "verified"
    twice = await api.post(f"{path}/verification", json=decision, headers=await staff("supervisor"))
    assert (twice.status_code, twice.json()["code"]) == (409, "visit_not_in_review")


async def test_other_facts_after_the_decision_reopen_the_question(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made = await doubtful(database, world)
    path = f"/v1/visits/{made.order_id}"
    decision = {"verdict": "verified", "reason": "已电话核实"}
    await api.post(f"{path}/verification", json=decision, headers=await staff("supervisor"))
    async with database.transaction() as tx:
        await made.report(tx, made.event("departed", 1))
    assert (await api.get(path, headers=await staff("supervisor"))).json()["verification"] == "verified"
    async with database.transaction() as tx:
        await made.report(tx, made.event("checked_in", 2, location=FAR))
    reopened = (await api.get(path, headers=await staff("supervisor"))).json()
    assert (reopened["verification"], reopened["minutes"]) == ("review", 118)
    assert "changed_after_decision" in reopened["reasons"]


async def test_entry_by_hand_is_marked_and_needs_another_person(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made = await committed(database, world)
    async with database.transaction() as tx:
        await made.report(tx, made.event("checked_in", 10))
    path = f"/v1/visits/{made.order_id}"
    supervisor = await staff("supervisor")
    entry = {"type": "checked_out", "occurred_at": made.event("arrived", 100).occurred_at.isoformat(), "reason": "没电"}
    impossible = entry | {"occurred_at": "2020-01-01T00:00:00+08:00"}
    refused = await api.post(f"{path}/entries", json=impossible, headers=supervisor)
    assert (refused.status_code, refused.json()["code"]) == (422, "time_impossible")
    entered = await api.post(f"{path}/entries", json=entry, headers=supervisor)
    assert entered.status_code == 201, entered.text
    seen = entered.json()
    assert (seen["status"], seen["manual"], seen["verification"]) == ("ended", True, "review")
    assert seen["events"][-1]["note"] == "没电"
    decision = {"verdict": "verified", "reason": "属实"}
    supervisor["Idempotency-Key"] = str(uuid4())
    own = await api.post(f"{path}/verification", json=decision, headers=supervisor)
    assert (own.status_code, own.json()["code"]) == (403, "own_entry")
    other = await api.post(f"{path}/verification", json=decision, headers=await staff("supervisor"))
    assert (other.json()["verification"], other.json()["manual"]) == ("verified", True)


async def test_nothing_to_decide_before_the_end(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made = await committed(database, world)
    path = f"/v1/visits/{made.order_id}/verification"
    decision = {"verdict": "rejected", "reason": "x"}
    assert (await api.post(path, json=decision, headers=await staff("supervisor"))).status_code == 404
    async with database.transaction() as tx:
        await made.report(tx, made.event("checked_in", 10))
    early = await api.post(path, json=decision, headers=await staff("supervisor"))
    assert (early.status_code, early.json()["code"]) == (409, "visit_not_over")


async def test_uploads_are_judged_by_their_bytes_and_seen_by_their_owner(
    api: httpx.AsyncClient, database: Database, world: World, staff: Any
) -> None:
    made = await committed(database, world)
    key, other_key = (
        await provider_key(database, world, made.provider_id),
        await provider_key(database, world, (await committed(database, world)).provider_id),
    )

    async def send(content: bytes, by: tuple[str, str] = key) -> httpx.Response:
        headers = world.signed_headers(*by, "POST", "/v1/provider/uploads", content)
        headers |= {"Content-Type": "image/jpeg", "Idempotency-Key": str(uuid4())}
        return await api.post("/v1/provider/uploads", content=content, headers=headers)

    async def fetch(upload_id: str, by: tuple[str, str]) -> httpx.Response:
        path = f"/v1/provider/uploads/{upload_id}"
        return await api.get(path, headers=world.signed_headers(*by, "GET", path))

    kept = await send(PHOTO)
    assert kept.status_code == 201, kept.text
    assert kept.json()["sha256"] == hashlib.sha256(PHOTO).hexdigest()
    upload_id = kept.json()["upload_id"]
    fetched = await fetch(upload_id, key)
    assert (fetched.content, fetched.headers["content-type"]) == (PHOTO, "image/jpeg")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert (await fetch(upload_id, other_key)).status_code == 404
    assert (await fetch(str(new_id()), key)).status_code == 404
    for content, code in (
        (b"<svg onload=alert(1)>", "upload_type_not_allowed"),
        (b"", "upload_empty"),
        (PHOTO + bytes(MAX_BYTES), "upload_too_large"),
    ):
        refused = await send(content)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    async with database.transaction() as tx:
        [result] = await made.report(tx, made.event("evidence_added", 30, evidence=[UUID(upload_id)]))
    assert result.result == "applied"
    path = f"/v1/visits/{made.order_id}/evidence/"
    assert (await api.get(path + upload_id, headers=await staff("supervisor"))).content == PHOTO
    foreign = (await send(PHOTO, other_key)).json()["upload_id"]
    assert (await api.get(path + foreign, headers=await staff("supervisor"))).status_code == 404


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PHOTO, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", None),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x44", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", None),
        (b"%PDF-1.7", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_media_types(content: bytes, media_type: str | None) -> None:
    assert media_type_of(content) == media_type


async def test_reports_at_the_same_moment_end_one_visit_once(database: Database, world: World) -> None:
    made = await committed(database, world)
    events = [made.event("arrived", 18), made.event("checked_in", 20), made.event("checked_out", 120)]

    async def tell(batch: list[Any]) -> list[str]:
        async with database.transaction() as tx:
            return [result.result for result in await made.report(tx, *batch)]

    answers = await asyncio.gather(*(tell([event]) for event in events * 4), tell(events), tell(events[::-1]))
    assert sum(answer.count("applied") for answer in answers) + sum(a.count("late") for a in answers) == 3
    assert sum(answer.count("duplicate") for answer in answers) == 15
    async with database.transaction() as tx:
        told = await tx.fetch(
            "SELECT after FROM order_history WHERE order_id = $1 AND before <> after ORDER BY seq", made.order_id
        )
        minutes = await tx.fetchval("SELECT minutes FROM visit WHERE order_id = $1", made.order_id)
        cards = await tx.fetchval("SELECT completed FROM scorecard WHERE caregiver_id = $1", made.caregiver_id)
        planned = await tx.fetchval("SELECT count(*) FROM followup WHERE order_id = $1", made.order_id)
    assert [row["after"] for row in told] == ["in_service", "completed"]
    assert (minutes, cards, planned) == (100, 1, 1)
