"""Bad input is the caller's affair: every door answers it with a refusal in problem form, never with a 500.

`NUANXIAN_FUZZ` requests per door (default 60); `NUANXIAN_FUZZ=100000` sends all there are.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request

from app import main, wiring
from app.accounts import links, policy
from app.calls import service as calls
from app.calls.service import Reported
from app.core import clock
from app.core.config import Settings
from app.core.crypto import Vault
from app.core.db import Database, Tx
from app.core.http import Caller
from app.elders import registration
from app.elders.facts import NewFamilyMember
from app.followup import complaints
from app.hotline import checks
from app.settlement import runs
from app.shedding import Gate
from app.visits import uploads
from tests.calls.test_record import ANSWERED_CALL
from tests.conftest import MASTER_KEY, TestServer, sweep
from tests.core import small_app
from tests.flows.bad_input import Door, attempts, doors, good_attempt
from tests.world.accounts import make_app_key, make_staff
from tests.world.intake import make_care_request, make_wechat_account
from tests.world.orders import make_order, make_town
from tests.world.recurring import make_recurring_plan
from tests.world.settlement import clerk, make_market, make_served_order
from tests.world.visits import make_visit

JSON = {"content-type": "application/json"}
BUDGET = int(os.environ.get("NUANXIAN_FUZZ", "60"))
ENDLESS = {"GET /v1/desk/stream"}
"""Streams have no end to wait for."""

VISITED = "FROM care_order o JOIN visit v ON v.order_id = o.id WHERE o.caregiver_id IS NOT NULL"
ABSENT = "SELECT '00000000-0000-0000-0000-000000000000'"
# Where ids for paths and bodies come from.
KNOWN = {
    "elder_id": "SELECT id FROM elder ORDER BY id LIMIT 1",
    "order_id": f"SELECT v.order_id {VISITED}",
    "offer_id": "SELECT id FROM offer LIMIT 1",
    "provider_id": f"SELECT o.provider_id {VISITED}",
    "caregiver_id": f"SELECT o.caregiver_id {VISITED}",
    "followup_id": "SELECT id FROM followup LIMIT 1",
    "request_id": "SELECT id FROM care_request LIMIT 1",
    "task_id": ABSENT,
    "call_id": "SELECT id FROM call LIMIT 1",
    "dial_id": ABSENT,
    "number_id": ABSENT,
    "complaint_id": "SELECT id FROM complaint LIMIT 1",
    "upload_id": "SELECT id FROM upload LIMIT 1",
    "staff_id": "SELECT id FROM staff LIMIT 1",
    "key": "SELECT key FROM app_key LIMIT 1",
    "member_id": "SELECT id FROM family_member LIMIT 1",
    "entitlement_id": "SELECT id FROM entitlement LIMIT 1",
    "scheme_id": "SELECT id FROM scheme LIMIT 1",
    "statement_id": "SELECT id FROM statement LIMIT 1",
    "run_id": "SELECT id FROM settlement_run LIMIT 1",
    "division_code": "SELECT division_code FROM elder LIMIT 1",
    "item_code": "SELECT 'clean_home'",
    "code": "SELECT 'clean_home'",
    "account": "SELECT account FROM wechat_account LIMIT 1",
    "tag": "SELECT 'five_guarantees'",
    "day": "SELECT '2026-10-01'",
    "year": "SELECT '2026'",
    "dispute_id": ABSENT,
    "contract_id": ABSENT,
    "rest_id": ABSENT,
    "disruption_id": ABSENT,
    "decision_id": "SELECT id FROM decision LIMIT 1",
    "plan_id": "SELECT id FROM recurring_plan LIMIT 1",
    "vendor": "SELECT 'generic'",
}
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


def _doors() -> list[Door]:
    closed = Database("postgresql://nobody@/nothing?host=/nowhere", vault=Vault({1: bytes(32)}))
    document = main.create_app(Settings(master_key=MASTER_KEY), closed).openapi()
    return [door for door in doors(document) if str(door) not in ENDLESS]


class EverybodyMayEverything:
    """Takes every request for one of a caller who is allowed the action, so that bad input gets to the room."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known

    async def identify(self, tx: Tx, request: Request, body: bytes, action: str) -> Caller:
        roles = policy.ACTIONS[action]
        facts = {
            "session": b"s", "app_key": "k", "phone_index": b"0" * 16, "vendors": ("generic",),
            "caregiver_id": UUID(self._known["caregiver_id"]),
        }  # fmt: skip
        if roles & policy.ROLES or policy.STAFF in roles:
            divisions = ("620300",)
            staff = self._known["staff_id"]
            return Caller(kind="staff", id=staff, name="坐席", roles=policy.ROLES, divisions=divisions, facts=facts)
        kind = min(roles)
        provider = UUID(self._known["provider_id"]) if kind in {"provider", "caregiver"} else None
        who = self._known["caregiver_id"] if kind == "caregiver" else "1"
        return Caller(kind=kind, id=who, name="测试", provider_id=provider, facts=facts)

    def anybody(self, action: str) -> Caller | None:
        return None

    def authorise(self, caller: Caller, action: str) -> None:
        pass

    def knows(self, action: str) -> bool:
        return True


async def _furnish(tx: Tx, settings: Settings) -> dict[str, str]:
    """One of everything a door may ask for; ids by the names of path parameters and fields."""
    town = await make_town(tx)
    await make_order(tx, town.elder, wanted_from=clock.now())
    await make_recurring_plan(tx, town.elder)
    visited = await make_visit(tx)
    await make_care_request(tx)
    await make_staff(tx)
    await checks.load_default_sheet(tx)
    await calls.record(tx, [Reported("pbx", "one", "c1", one) for one in ANSWERED_CALL])
    await make_wechat_account(tx)
    await make_app_key(tx, kind="provider", provider_id=visited.provider_id)
    await uploads.keep(tx, visited.app, JPEG, settings.data_dir)
    grievance = complaints.Grievance(source="call", reason_code="attitude", urgency="normal", elder_id=town.elder)
    await complaints.open_(tx, "staff:1", grievance)
    await registration.add_family(tx, town.elder, NewFamilyMember(name="王芳", relation="child", phone="13900000001"))
    await make_served_order(tx, await make_market(tx))
    await runs.settle(tx, clerk(), "2025-09")
    known = {name: await tx.fetchval(sql) for name, sql in KNOWN.items()}
    known["token"] = await links.issue(tx, "family_order", visited.order_id, timedelta(days=1))
    return {name: str(value) for name, value in known.items() if value is not None}


@pytest.fixture(scope="module")
async def town(
    server: TestServer, shared_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, str]]]:
    """A client whom every door lets in, and ids of things that exist."""
    settings = Settings(
        environment="production",  # answers what it did not foresee instead of raising it
        database_url=shared_database.dsn,
        data_dir=Path(tmp_path_factory.mktemp("data")),
        base_url="https://nuanxian.test",
        demo=False,
        master_key=MASTER_KEY,
    )
    async with shared_database.transaction() as tx:
        known = await _furnish(tx, settings)
    app: FastAPI = main.create_app(settings, shared_database)
    app.state.guard = EverybodyMayEverything(known)
    app.state.gate = Gate(shared_database, sheds=False)  # a test is busier than any city
    async with wiring.background(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://nuanxian.test", timeout=30) as client:
            yield client, known
    await sweep(server, shared_database)


async def test_good_input_gets_through(town: tuple[httpx.AsyncClient, dict[str, str]]) -> None:
    """The control: were everything refused at the threshold, the test below would see nothing of the rooms.

    It comes first: what bad input leaves behind (things closed, used, taken) makes good input bad.
    """
    client, known = town
    accepted, refused = [], []
    for door in _doors():
        good = good_attempt(door, known)
        headers = {"idempotency-key": f"good {door}", "content-type": good.content_type}
        answer = await client.request(door.method, good.path, content=good.body, headers=headers)
        found = accepted if answer.status_code < 400 else refused
        found.append(f"{answer.status_code} {door} {answer.text[:300] if answer.status_code > 399 else ''}")
    assert len(accepted) > 0.6 * len(accepted + refused), "\n".join(refused)


@pytest.mark.parametrize("door", _doors(), ids=str)
async def test_bad_input_is_refused(
    town: tuple[httpx.AsyncClient, dict[str, str]], door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    client, known = town
    failures = []
    for number, attempt in enumerate(attempts(door, known, BUDGET)):
        headers = {"idempotency-key": f"{door} {number}", "content-type": attempt.content_type}
        answer = await client.request(door.method, attempt.path, content=attempt.body, headers=headers)
        if answer.status_code >= 500 or not _is_honest(answer):
            sent = (attempt.body or b"")[:300]
            failures.append(f"{answer.status_code} for {attempt.path[:200]} {sent!r}: {answer.text[:200]}")
    logged = capsys.readouterr().out
    assert not failures, "\n".join(failures[:5]) + f"\n({len(failures)} in all)\n" + logged[-1500:]


async def test_a_door_that_trips_is_found(settings: Settings, shared_database: Database) -> None:
    """The control: a door with a mistake in it does not get past."""
    async with small_app.client(settings, shared_database, production=True) as client:
        door = Door("POST", "/careless", [], [], "application/json", {"when": "1", "text": "a"})
        found = []
        for attempt in attempts(door, {}, 10_000):
            answer = await client.request("POST", "/careless", content=attempt.body, headers=JSON)
            found.append(answer.status_code)
    assert 500 in found
    assert found.count(200) + found.count(422) > found.count(500) > 5


def _is_honest(answer: httpx.Response) -> bool:
    """A refusal of the API is a problem document with a code, and its status agrees; unless it is in the words of
    somebody else's protocol (WeChat's XML, WeChat Pay's FAIL)."""
    if answer.status_code < 400 or "xml" in answer.headers.get("content-type", ""):
        return True
    if answer.request.url.path.startswith("/channels/wechatpay/") and answer.json().keys() == {"code", "message"}:
        return bool(answer.json()["code"] == "FAIL")
    if answer.headers.get("content-type") != "application/problem+json":
        return False
    body: dict[str, Any] = answer.json()
    return body["status"] == answer.status_code and bool(body["code"]) and bool(body["request_id"])
