"""Recordings: from a listed place only, hashed, sealed on disk, listened to on the record, forgotten in time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.calls import service as calls
from app.calls.record import CallEventFacts, EventType
from app.core import clock
from app.core.config import Settings
from app.core.db import Database
from app.core.errors import Conflict
from app.core.http import SYSTEM
from app.core.json import loads
from app.hotline import recordings
from app.hotline.recordings import FETCH, FOLDER, Keeper
from tests.calls.test_record import START
from tests.calls.test_service import reported
from tests.world.accounts import staff_token

SOUND = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(range(256)) * 8


async def ready(database: Database, reference: str, bases: list[str] | None) -> UUID:
    """A call whose recording lies at `reference`; the job's payload names it."""
    event = CallEventFacts(EventType.RECORDING, "r", START, recording_ref=reference)
    async with database.transaction() as tx:
        if bases is not None:
            await recordings.put_source(tx, SYSTEM, "pbx", "one", bases, 30)
        await calls.record(tx, reported([event]))
        await calls.record(tx, reported([event]))
        return await tx.fetchval("SELECT id FROM call")  # type: ignore[no-any-return]


async def fetch(database: Database, keeper: Keeper) -> dict[str, Any]:
    """What the worker does, twice; the recording's row."""
    async with database.transaction() as tx:
        jobs = await tx.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1", FETCH)
    assert len(jobs) == 1
    await asyncio.gather(*(keeper.fetch(database, loads(jobs[0]["payload"])) for _ in range(2)))
    async with database.transaction() as tx:
        return dict(await tx.fetchrow("SELECT * FROM recording"))


async def test_a_file_is_kept_sealed_and_listened_to_on_the_record(database: Database, tmp_path: Path) -> None:
    place = tmp_path / "pbx" / "rec"
    place.mkdir(parents=True)
    (place / "a.wav").write_bytes(SOUND)
    call_id = await ready(database, str(place / "a.wav"), [str(place)])
    row = await fetch(database, Keeper(tmp_path))
    assert (row["status"], row["media_type"], row["sha256"]) == ("kept", "audio/wav", hashlib.sha256(SOUND).digest())
    [kept] = (tmp_path / FOLDER).iterdir()
    assert SOUND[20:60] not in kept.read_bytes()
    async with database.transaction() as tx:
        content, media_type = await recordings.listen(tx, SYSTEM, call_id, "投诉核实", tmp_path)
    assert (content, media_type) == (SOUND, "audio/wav")
    async with database.transaction() as tx:
        audited = await tx.fetchrow("SELECT reason FROM audit_entry WHERE action = 'hotline.listen'")
    assert audited["reason"] == "投诉核实"
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    with pytest.raises(Conflict, match="not what was fetched"):
        async with database.transaction() as tx:
            await recordings.listen(tx, SYSTEM, call_id, "投诉核实", tmp_path)


@pytest.mark.parametrize("bases", [None, ["/srv/recordings/of"]])
async def test_nothing_is_fetched_from_elsewhere(database: Database, tmp_path: Path, bases: list[str] | None) -> None:
    (tmp_path / "secret").write_bytes(SOUND)
    await ready(database, str(tmp_path / "secret"), bases)
    row = await fetch(database, Keeper(tmp_path))
    assert (row["status"], row["reason"]) == ("refused", "not_in_a_listed_place")
    assert not (tmp_path / FOLDER).exists()


@asynccontextmanager
async def exchange(answer: Callable[[str], bytes]) -> AsyncIterator[tuple[str, list[str]]]:
    """A web server on loopback that says what `answer` says of a path; and the paths it was asked for."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.split(" ")[1])
        writer.write(answer(asked[-1]))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def said(status: str, body: bytes = b"", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def test_an_address_is_fetched_once(database: Database, tmp_path: Path) -> None:
    async with exchange(lambda _: said("200 OK", SOUND)) as (address, asked):
        await ready(database, f"{address}/rec/a.wav", [f"{address}/rec/"])
        row = await fetch(database, Keeper(tmp_path))
    assert row["status"] == "kept"
    assert set(asked) == {"/rec/a.wav"}
    assert len(list((tmp_path / FOLDER).iterdir())) == 1, "of two copies one stays"


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (said("404 Not Found"), "missing", "not_found"),
        (said("302 Found", b"", "location: http://127.0.0.1:1/"), "refused", "answered_302"),
        (said("403 Forbidden"), "refused", "answered_403"),
    ],
)
async def test_what_is_not_given_is_said(
    database: Database, tmp_path: Path, answer: bytes, status: str, reason: str
) -> None:
    async with exchange(lambda _: answer) as (address, _):
        await ready(database, f"{address}/rec/a.wav", [f"{address}/rec/"])
        row = await fetch(database, Keeper(tmp_path))
    assert (row["status"], row["reason"]) == (status, reason)


async def test_what_is_away_is_tried_again(database: Database, tmp_path: Path) -> None:
    async with exchange(lambda _: said("503 Away")) as (address, _):
        await ready(database, f"{address}/rec/a.wav", [f"{address}/rec/"])
        with pytest.raises(OSError, match="away"):
            await fetch(database, Keeper(tmp_path))
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT status FROM recording") == "due"


async def test_it_is_forgotten_in_time(database: Database, tmp_path: Path) -> None:
    place = tmp_path / "pbx" / "rec"
    place.mkdir(parents=True)
    (place / "a.wav").write_bytes(SOUND)
    await ready(database, str(place / "a.wav"), [str(place)])
    keeper = Keeper(tmp_path)
    await fetch(database, keeper)
    for days, forgotten in ((29, 0), (32, 1), (33, 0)):
        with clock.hold(START + timedelta(days=days)):
            async with database.transaction() as tx:
                assert await keeper.forget(tx) == forgotten
    assert list((tmp_path / FOLDER).iterdir()) == []


async def test_no_machine_is_listed_as_a_whole(api: httpx.AsyncClient, database: Database, settings: Settings) -> None:
    token = await staff_token(database, ["administrator"])
    headers = {"Authorization": f"Bearer {token}"}
    for bases, status in ((["/"], 422), (["/etc"], 422), (["ftp://x/"], 422), (["https://pbx.test/rec/"], 200)):
        answer = await api.put(
            "/v1/recording-sources/freeswitch/pbx-1", json={"bases": bases},
            headers=headers | {"Idempotency-Key": f"key-{status}-{len(bases[0])}"},
        )  # fmt: skip
        assert answer.status_code == status, bases
    listed = (await api.get("/v1/recording-sources", headers=headers)).json()
    assert [one["keep_days"] for one in listed] == [180]
