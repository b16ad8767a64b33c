"""Who is at the telephones: one operator an extension, and what waits for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from app.calls import service as calls
from app.core import clock
from app.core.db import Database
from app.core.errors import NotFound
from app.core.http import Caller
from app.hotline import presence
from tests.calls.test_record import ANSWERED_CALL
from tests.calls.test_service import reported
from tests.intake.conftest import Headers
from tests.world.accounts import make_staff, staff_token
from tests.world.orders import Town, make_order


async def be(doors: httpx.AsyncClient, headers: dict[str, str], extension: str, **more: object) -> httpx.Response:
    return await doors.put("/v1/desk/presence", json={"extension": extension, **more}, headers=headers)


async def headers_of(database: Database, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {await staff_token(database)}", "Idempotency-Key": key}


async def test_an_operator_is_in_one_state_at_one_extension(doors: httpx.AsyncClient, operator: Headers) -> None:
    assert (await be(doors, operator(), "8001")).status_code == 200
    assert (await be(doors, operator(), "8001", state="paused", reason="午餐")).status_code == 200
    answer = await be(doors, operator(), "8002")
    [one] = answer.json()["operators"]
    assert (one["extension"], one["state"], one["reason"]) == ("8002", "ready", None)
    assert (await doors.delete("/v1/desk/presence", headers=operator())).json()["operators"] == []


async def test_an_extension_is_somebodys(doors: httpx.AsyncClient, operator: Headers, clean_database: Database) -> None:
    other = await headers_of(clean_database, "other-key-1")
    await be(doors, operator(), "8001")
    taken = await be(doors, other, "8001")
    assert (taken.status_code, taken.json()["code"]) == (409, "extension_taken")
    taken = await be(doors, other | {"Idempotency-Key": "other-key-2"}, "8001", take_over=True)
    assert [one["extension"] for one in taken.json()["operators"]] == ["8001"]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'hotline.take_over'") == 1


async def test_two_at_once_do_not_share_an_extension(doors: httpx.AsyncClient, clean_database: Database) -> None:
    many = [await headers_of(clean_database, f"at-once-{n}") for n in range(6)]
    answers = await asyncio.gather(*(be(doors, headers, "8001") for headers in many))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]


async def test_whoever_talks_is_shown_talking_and_the_queue_shows_what_waits(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    await be(doors, operator(), "8002")
    async with clean_database.transaction() as tx:
        await calls.record(tx, reported(ANSWERED_CALL[:5]))
        await calls.record(tx, reported(ANSWERED_CALL[:1], "c2"))
    desk = (await doors.get("/v1/desk/operators", headers=operator())).json()
    [one] = desk["operators"]
    assert one["state"] == "talking"
    assert one["call_id"] is not None
    assert sum(queue["talking"] for queue in desk["queues"]) == 1
    assert sum(queue["waiting"] for queue in desk["queues"]) == 1
    assert max(queue["longest_wait_s"] or 0 for queue in desk["queues"]) >= 0


async def test_whoever_has_no_session_is_not_there(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database
) -> None:
    await be(doors, operator(), "8001")
    async with clean_database.transaction() as tx:
        assert await presence.send_home(tx) == 0
    with clock.hold(clock.now() + timedelta(days=2)):
        async with clean_database.transaction() as tx:
            assert await presence.send_home(tx) == 1


async def test_whoever_has_the_same_order_before_them_is_named_until_they_leave(
    clean_database: Database, town: Town
) -> None:
    first, second = await looking(clean_database, "李红"), await looking(clean_database, "王静")
    async with clean_database.transaction() as tx:
        order = (await make_order(tx, town.elder)).id
        other = (await make_order(tx, town.elder)).id
        now = clock.now()
        assert await presence.look(tx, first, order) == []
        assert await presence.look(tx, second, order) == ["李红"]
        assert await presence.look(tx, second, other) == []
        assert await presence.look(tx, first, order) == ["王静"]
        with clock.hold(now + timedelta(seconds=30)):
            assert await presence.look(tx, first, order) == [], "a page that went away says nothing any more"
            await presence.look(tx, second, order)
            assert await presence.look(tx, first, order) == ["王静"]
            await presence.look_away(tx, second, order)
            assert await presence.look(tx, first, order) == []
        with clock.hold(now + timedelta(minutes=5)):
            assert await presence.forget_viewers(tx) == 2
    with pytest.raises(NotFound):
        async with clean_database.transaction() as tx:
            await presence.look(tx, replace(first, divisions=("110000",)), order)


async def looking(database: Database, name: str) -> Caller:
    """An operator of the city."""
    async with database.transaction() as tx:
        made = await make_staff(tx, name=name)
    return Caller("staff", str(made.id), name, frozenset({"operator"}), ("620300",))
