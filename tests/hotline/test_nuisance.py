"""Nuisance numbers: two persons, for a while, and nothing but a hint."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.calls import service as calls
from app.calls.record import CallEventFacts, EventType
from app.core import clock
from app.core.db import Database
from app.hotline import nuisance
from tests.calls.test_record import ANSWERED_CALL, START
from tests.calls.test_service import reported
from tests.intake.conftest import Headers
from tests.world.accounts import staff_headers


@pytest.fixture
async def call_id(clean_database: Database) -> str:
    async with clean_database.transaction() as tx:
        await calls.record(tx, reported(ANSWERED_CALL))
        return str(await tx.fetchval("SELECT id FROM call"))


@pytest.fixture
async def supervisor(clean_database: Database) -> dict[str, str]:
    return await staff_headers(clean_database, ["supervisor"])


async def screen(doors: httpx.AsyncClient, operator: Headers, call_id: str) -> Any:
    return (await doors.get(f"/v1/calls/{call_id}/screen", headers=operator())).json()["nuisance"]


async def test_one_proposes_another_lists_and_the_next_operator_is_warned(
    doors: httpx.AsyncClient, operator: Headers, supervisor: dict[str, str], call_id: str, clean_database: Database
) -> None:
    made = (await doors.post(f"/v1/calls/{call_id}/nuisance", json={"reason": "骚扰"}, headers=operator())).json()
    assert made["status"] == "proposed"
    assert "3512345" not in made["phone"]
    assert await screen(doors, operator, call_id) is None, "a proposal is nobody's verdict"
    again = await doors.post(f"/v1/calls/{call_id}/nuisance", json={"reason": "骚扰"}, headers=operator())
    assert again.json()["code"] == "nuisance_known"
    path = f"/v1/nuisance-numbers/{made['id']}/decision"
    assert (await doors.post(path, json={"listed": True}, headers=operator())).status_code == 403
    listed = await doors.post(path, json={"listed": True}, headers=supervisor)
    assert listed.json()["status"] == "listed"
    assert (await screen(doors, operator, call_id))["reason"] == "骚扰"
    async with clean_database.transaction() as tx:
        await calls.record(
            tx, reported([CallEventFacts(EventType.ABANDONED, "x", START, caller=ANSWERED_CALL[0].caller)], "c2")
        )
        due = await tx.fetchval("SELECT count(*) FROM callback_task WHERE status = 'due'")
    assert due == 1, "whoever is on the list is called back all the same"
    with clock.hold(clock.now() + timedelta(days=120)):
        async with clean_database.transaction() as tx:
            index = await tx.fetchval("SELECT phone_index FROM nuisance_number")
            assert await nuisance.of_number(tx, index) is None
            assert await nuisance.forget(tx) == 1


async def test_nobody_lists_what_they_proposed(
    doors: httpx.AsyncClient, supervisor: dict[str, str], call_id: str, clean_database: Database
) -> None:
    made = (await doors.post(f"/v1/calls/{call_id}/nuisance", json={"reason": "骚扰"}, headers=supervisor)).json()
    path, key = f"/v1/nuisance-numbers/{made['id']}/decision", {"Idempotency-Key": "decide-it-1"}
    own = await doors.post(path, json={"listed": True}, headers=supervisor | key)
    assert (own.status_code, own.json()["code"]) == (403, "two_persons")
    # The constraint, not the courtesy: the same in plain SQL.
    async with clean_database.transaction() as tx:
        with pytest.raises(Exception, match="two_persons"):
            await tx.run("UPDATE nuisance_number SET decided_by = proposed_by")


async def test_a_withheld_number_is_no_number(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await calls.record(tx, reported([CallEventFacts(EventType.QUEUED, "1", START)]))
        call_id = await tx.fetchval("SELECT id FROM call")
    answer = await doors.post(f"/v1/calls/{call_id}/nuisance", json={"reason": "骚扰"}, headers=operator())
    assert answer.json()["code"] == "number_withheld"
