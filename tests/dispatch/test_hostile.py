"""Hostile operations from many clients on real connections, and an audit that would notice.

NUANXIAN_RACE_OPERATIONS sets how many; `scripts/bench race` is the long form.
"""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import pytest
from benchmarks import race, race_audit, race_city
from benchmarks.race import Race, State
from benchmarks.race_clients import VERBS, Tally
from benchmarks.race_fleet import database_of, merged

from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.dispatch import service
from app.orders import service as orders
from app.orders.service import NewOrder
from tests.conftest import TestServer

OPERATIONS = int(os.environ.get("NUANXIAN_RACE_OPERATIONS", "20000"))
FLEET = {"processes": 2, "clients": 32, "seed": 1}
BUSY = {"normal": race_city.SINGLE, "urgent": race_city.PAIR, "appointment": race_city.SINGLE}
"""Urgency and item of one order of each mode: ranked, by contract for two, to grab."""


@asynccontextmanager
async def city(server: TestServer, template: str, *, naive: bool = False) -> AsyncIterator[str]:
    """Address of a database with the race's city."""
    name = f"nuanxian_city_{secrets.token_hex(4)}"
    dsn = await server.clone(name, template)
    try:
        await race.prepare(dsn, naive=naive)
        yield dsn
    finally:
        await server.drop(name)


@pytest.mark.timeout(600)
async def test_no_operation_in_any_order_books_anybody_twice_or_loses_an_order(
    server: TestServer, template: str
) -> None:
    async with city(server, template) as dsn:
        state = State()
        racing = Race(dsn, state, **FLEET)
        try:
            while state.operations < OPERATIONS:
                await racing.slice(min(5000, OPERATIONS - state.operations))
            await racing.last()
        finally:
            await racing.close()
    assert state.breaches == {}
    assert state.doubles == 0
    assert set(state.done) == set(VERBS)
    assert state.tried_again < state.operations / 500, "who waits for whom has come into disorder"


@pytest.mark.timeout(300)
async def test_without_the_constraint_the_same_race_is_caught(server: TestServer, template: str) -> None:
    """The control: reading first and inserting then, on a database that lost its exclusion constraint."""
    async with city(server, template, naive=True) as dsn:
        state = State()
        racing = Race(dsn, state, naive=True, **FLEET)
        try:
            for _ in range(6):
                if race_audit.OVERLAP in await racing.slice(500):
                    break
        finally:
            await racing.close()
    assert state.breaches[race_audit.OVERLAP] > 0


# --- the audit itself


@pytest.fixture
async def lived_in(server: TestServer, template: str) -> AsyncIterator[Database]:
    """A city where one order of each mode is offered and one is assigned."""
    async with city(server, template) as dsn:
        database = database_of(dsn, 2)
        with clock.hold(race_city.FIRST_DAY):
            found = await race_city.load(database)
            for urgency, item in BUSY.items():
                async with database.transaction() as tx:
                    wanted = NewOrder(elder_id=found.elders[0], item_code=item, urgency=urgency, channel="hotline")
                    await orders.place(tx, SYSTEM, wanted)
            async with database.transaction() as tx:
                taken = NewOrder(
                    elder_id=found.elders[1], item_code=race_city.SINGLE, urgency="normal", channel="hotline"
                )
                placed = await orders.place(tx, SYSTEM, taken)
                offer = await tx.fetchrow("SELECT id, caregiver_id FROM offer WHERE order_id = $1", placed.id)
                assert offer is not None
                await service.accept(tx, SYSTEM, offer["id"], offer["caregiver_id"])
        yield database
        await database.close()


SPOILED = {
    "caregivers in two places": """INSERT INTO booking (id, caregiver_id, order_id, role, status, during, starts_at,
      minutes, made_at)
      SELECT gen_random_uuid(), caregiver_id, order_id, 'lead', 'booked', during, starts_at, 60, made_at
      FROM booking WHERE status <> 'released'""",
    "twice accepted": "UPDATE offer SET status = 'accepted' WHERE mode = 'grab'",
    "several open that nobody may grab": "UPDATE offer SET mode = 'ranked' WHERE mode = 'grab'",
    "offers of two rounds at once": "UPDATE offer SET decision_id = id WHERE mode = 'grab'",
    "accepted and still open elsewhere": """UPDATE offer SET status = 'accepted' WHERE id = (
      SELECT id FROM offer WHERE mode = 'grab' LIMIT 1)""",
    "placed or cancelled, yet offered or booked": "UPDATE care_order SET status = 'placed' WHERE status = 'dispatched'",
    "dispatched without an open offer": "UPDATE offer SET status = 'expired' WHERE mode = 'fixed'",
    "dispatched to one whose team is not held": "UPDATE booking SET status = 'released' WHERE role = 'second'",
    "to be grabbed, yet somebody is held": """UPDATE booking SET order_id = (
      SELECT order_id FROM offer WHERE mode = 'grab' LIMIT 1) WHERE role = 'second'""",
    "in hand without its accepted offer": "UPDATE care_order SET offer_id = id WHERE status = 'assigned'",
    "accepted and its team not held": """UPDATE care_order SET status = 'accepted' WHERE status = 'assigned'""",
    "assigned without exactly its bookings": "UPDATE booking SET status = 'held' WHERE status = 'booked'",
    "booked at another company": """UPDATE booking SET caregiver_id = (SELECT id FROM caregiver
      WHERE provider_id <> (SELECT provider_id FROM offer WHERE mode = 'fixed') LIMIT 1) WHERE role = 'second'""",
    "history that ends elsewhere": "UPDATE order_history SET after = 'closed' WHERE after = 'dispatched'",
    "placed and never looked at since": "DELETE FROM decision",
    "histories with a gap": "DELETE FROM order_history WHERE after = 'dispatched' AND before = 'placed'",
}
"""A statement for each breach, on a database whose constraints are gone."""


async def test_the_audit_knows_every_breach_by_name(lived_in: Database) -> None:
    assert await race_audit.audit(lived_in) == {}
    assert set(SPOILED) == {*race_audit.WRONG, race_audit.OVERLAP, "histories with a gap"}
    async with lived_in.transaction() as tx:
        await tx.run("ALTER TABLE booking DROP CONSTRAINT ex_booking_caregiver_during")
        for index in ("ix_booking_one_live", "ix_offer_one_open", "ix_offer_one_accepted"):
            await tx.run(f"DROP INDEX {index}")
    for breach, statement in SPOILED.items():
        with pytest.raises(_Undone):
            async with lived_in.transaction() as tx:
                if breach == "placed and never looked at since":
                    await tx.run("UPDATE care_order SET status = 'placed' WHERE status = 'dispatched'")
                await tx.run(statement)
                assert breach in await race_audit.breaches(tx), breach
                raise _Undone


class _Undone(Exception):
    pass


def test_one_decision_won_in_two_processes_is_won_twice() -> None:
    mine, yours = Tally(), Tally()
    mine.won[UUID(int=1)] += 1
    yours.won[UUID(int=1)] += 1
    yours.won[UUID(int=2)] += 1
    assert (mine.doubles, yours.doubles, merged([mine, yours]).doubles) == (0, 0, 1)


@pytest.mark.timeout(300)
async def test_a_race_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    options = argparse.ArgumentParser()
    race.add_arguments(options)
    said = ["--resume", str(tmp_path), "--slice", "100", "--compare", "0", "--clients", "8"]
    assert await race.run(options.parse_args([*said, "--operations", "100"])) == 0
    first = race.kept(tmp_path / "race.json")
    assert await race.run(options.parse_args([*said, "--operations", "300"])) == 0
    state = race.kept(tmp_path / "race.json")
    assert first is not None
    assert state is not None
    assert (first.operations, first.slices, state.operations, state.slices) == (100, 1, 300, 3)
    assert asdict(state)["seconds"] > first.seconds
