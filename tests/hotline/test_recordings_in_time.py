"""When a recording is fetched: after the call, again if it was not there yet, and once its place is listed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.calls import service as calls
from app.calls.record import CallEventFacts, EventType
from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from app.core.json import loads
from app.hotline import recordings
from app.hotline.recordings import CLOSED_WITHIN, FETCH, LOOK_AGAIN, Keeper
from tests.calls.test_record import ANSWERED_CALL, START, event
from tests.calls.test_service import reported
from tests.hotline.test_recordings import SOUND

ENDS = ANSWERED_CALL[-1]


def recorded(path: Path) -> CallEventFacts:
    return event(EventType.RECORDING, 13, recording_ref=str(path))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    found = tmp_path / "pbx" / "rec"
    found.mkdir(parents=True)
    return found


async def tell(database: Database, events: list[CallEventFacts], call_id: str = "c1") -> None:
    async with database.transaction() as tx:
        await calls.record(tx, reported(events, call_id))


async def list_place(database: Database, place: Path, instance: str = "one") -> None:
    async with database.transaction() as tx:
        await recordings.put_source(tx, SYSTEM, "pbx", instance, [str(place)], 30)


async def jobs(database: Database) -> list[tuple[dict[str, Any], timedelta]]:
    """What the worker is to do, and after which pause; taken off its hands."""
    async with database.transaction() as tx:
        found = await tx.fetch(
            "DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING id, payload, execute_after - created AS pause", FETCH
        )
    return [(loads(row["payload"]), row["pause"]) for row in sorted(found, key=lambda row: row["id"])]


async def row_of(database: Database) -> tuple[str, str | None, int | None]:
    async with database.transaction() as tx:
        row = await tx.fetchrow("SELECT id, status, reason, size_bytes FROM recording")
    return row["status"], row["reason"], row["size_bytes"]


async def test_nothing_is_fetched_while_somebody_is_on_the_line(
    database: Database, tmp_path: Path, place: Path
) -> None:
    await list_place(database, place)
    (place / "a.wav").write_bytes(SOUND[:60])
    await tell(database, [*ANSWERED_CALL[:5], recorded(place / "a.wav")])
    assert await jobs(database) == []
    async with database.transaction() as tx:
        told = {"recording_id": str(await tx.fetchval("SELECT id FROM recording"))}
    await Keeper(tmp_path).fetch(database, told)
    assert await row_of(database) == ("due", None, None), "half a recording is none"
    (place / "a.wav").write_bytes(SOUND)
    await tell(database, [ENDS])
    [(payload, pause)] = await jobs(database)
    assert pause >= CLOSED_WITHIN
    await Keeper(tmp_path).fetch(database, payload)
    assert await row_of(database) == ("kept", None, len(SOUND))
    await tell(database, [event(EventType.ENDED, 62, cause="later")])
    assert await jobs(database) == [], "fetched once"


async def test_what_ended_unheard_is_fetched_too(database: Database, place: Path) -> None:
    await tell(database, [*ANSWERED_CALL[:5], recorded(place / "a.wav")])
    with clock.hold(START + timedelta(hours=9)):
        async with database.transaction() as tx:
            await tx.run("UPDATE call SET updated_at = $1", START)
            assert await calls.close_ghosts(tx) == 1
    assert len(await jobs(database)) == 1


async def test_what_is_not_there_yet_is_looked_for_again(database: Database, tmp_path: Path, place: Path) -> None:
    await list_place(database, place)
    await tell(database, [*ANSWERED_CALL[:5], recorded(place / "a.wav"), ENDS])
    keeper, pauses = Keeper(tmp_path), []
    [(payload, _)] = await jobs(database)
    while True:
        await asyncio.gather(*(keeper.fetch(database, payload) for _ in range(2)))
        assert await row_of(database) == ("missing", "not_found", None)
        again = await jobs(database)
        if not again:
            break
        [(payload, pause)] = again
        pauses.append(pause)
    assert [round(pause.total_seconds()) for pause in pauses] == [round(pause.total_seconds()) for pause in LOOK_AGAIN]
    assert sum(pauses, timedelta(0)) > timedelta(minutes=10)
    (place / "a.wav").write_bytes(SOUND)
    await keeper.fetch(database, payload | {"look": 1})
    assert await row_of(database) == ("kept", None, len(SOUND))


async def test_what_came_before_its_place_was_listed_is_fetched_afterwards(
    database: Database, tmp_path: Path, place: Path
) -> None:
    (place / "a.wav").write_bytes(SOUND)
    await tell(database, [*ANSWERED_CALL[:5], recorded(place / "a.wav"), ENDS])
    [(payload, _)] = await jobs(database)
    keeper = Keeper(tmp_path)
    await keeper.fetch(database, payload)
    assert await row_of(database) == ("refused", "not_in_a_listed_place", None)
    await list_place(database, place, "two")
    assert await jobs(database) == [], "another exchange's place"
    with clock.hold(START + timedelta(days=31)):
        await list_place(database, place)
    assert await jobs(database) == [], "it would be forgotten at once"
    with clock.hold(START + timedelta(days=29)):
        await list_place(database, place)
        [(payload, _)] = await jobs(database)
        await keeper.fetch(database, payload)
        assert await row_of(database) == ("kept", None, len(SOUND))
        await list_place(database, place)
    assert await jobs(database) == []


async def test_what_the_exchange_will_not_give_stays_refused(database: Database, place: Path) -> None:
    await tell(database, [*ANSWERED_CALL[:5], recorded(place / "a.wav"), ENDS])
    await jobs(database)
    async with database.transaction() as tx:
        await tx.run("UPDATE recording SET status = 'refused', reason = 'answered_403'")
    await list_place(database, place)
    assert await jobs(database) == []
