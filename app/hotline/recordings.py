"""Recordings of calls: fetched where an administrator allows it, hashed, kept sealed, listened to on the record.

The file on disk is sealed like a field of the database and named at random; its hash is of what was fetched. A
recording that is refused or gone is written down as such: nobody shall wonder where it is.

Exchanges tell of a recording when it begins (Asterisk) or ends, and have the file whole some time after that. So
nothing is fetched while somebody is on the line, what is not there yet is looked for again, and what came from a place
nobody had listed is fetched when somebody has.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from app.accounts import audit
from app.calls.events import RecordingReady
from app.core import clock, log
from app.core.crypto import SealBroken
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller
from app.core.ids import new_id, new_secret
from app.hotline import queries_listening as queries
from app.hotline.references import Place, ReferenceRefused, placed
from app.jobs.queue import enqueue, enqueue_all

FETCH = "hotline.fetch_recording"
FOLDER = "recordings"
MAX_BYTES = 64 * 1024 * 1024
FETCH_S = 60.0
CLOSED_WITHIN = timedelta(seconds=10)
"""Until an exchange has written a file to its end; its length stands in its head, which is written last."""
LOOK_AGAIN = tuple(timedelta(seconds=pause) for pause in (15, 30, 60, 120, 240, 480))
"""After which pauses a file that was not there is looked for again: some are mixed or converted first."""
BEHIND_ALL = -1
"""The priority of what has waited for an administrator: everything else goes first."""
UNLISTED = "not_in_a_listed_place"
_FIELD = "recording.content"


class NotGiven(Exception):
    """The exchange will not give it, or it is too large. The words are a code."""


async def on_recording_ready(tx: Tx, event: RecordingReady) -> None:
    """Write it down; fetch it unless somebody is on the line: the call's end tells of it again."""
    await queries.add_recording(tx, new_id(), event.call_id, event.reference, clock.now())
    row = await queries.recording(tx, event.call_id, event.reference)
    if row["status"] == "due" and not row["is_living"]:
        await enqueue(tx, FETCH, {"recording_id": row["id"]}, after=CLOSED_WITHIN)


class Keeper:
    """The task "hotline.fetch_recording", and the folder under `data_dir`."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    async def fetch(self, database: Database, payload: dict[str, Any]) -> None:
        """Fetch one recording, once. What cannot be reached raises OSError, and the worker tries again.

        `payload`: `recording_id`, and in `look` how often it was looked for in vain.
        """
        recording_id = UUID(payload["recording_id"])
        async with database.transaction() as tx:
            row = await queries.due_recording(tx, recording_id)
        if row is None or row["status"] not in {"due", "missing"} or row["is_living"]:
            return
        try:
            place = placed(row["reference"], row["bases"] or [])
            content = await _content(place)
        except ReferenceRefused:
            return await _settle(database, recording_id, "refused", UNLISTED)
        except FileNotFoundError:
            return await _settle(database, recording_id, "missing", "not_found", int(payload.get("look", 0)))
        except NotGiven as refusal:
            return await _settle(database, recording_id, "refused", str(refusal))
        file_name = new_secret(24)
        sealed = database.vault.seal(_FIELD, recording_id, content.decode("latin-1"))
        await asyncio.to_thread(self._write, file_name, sealed)
        until = clock.service_day(row["first_at"] + timedelta(days=row["keep_days"]))
        hashed = hashlib.sha256(content).digest()
        async with database.transaction() as tx:
            kept = await queries.keep(
                tx, recording_id, file_name, _media_type(content), len(content), hashed, until, clock.now()
            )
        if not kept:  # delivered twice: the other copy stays
            await asyncio.to_thread((self._folder / file_name).unlink, missing_ok=True)

    async def forget(self, tx: Tx) -> int:
        """Take away what has been kept long enough; the row stays and says that there was one."""
        old = await queries.out_of_date(tx, clock.today())
        for row in old:
            await asyncio.to_thread((self._folder / row["file_name"]).unlink, missing_ok=True)
        await queries.forget(tx, [row["id"] for row in old], clock.now())
        return len(old)

    def _write(self, name: str, sealed: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())


async def listen(tx: Tx, caller: Caller, call_id: UUID, reason: str, data_dir: Path) -> tuple[bytes, str]:
    """The newest recording of a call and its media type; who listened and why is written down.

    Raises NotFound when there is none to listen to, Conflict when it is not what was fetched any more.
    """
    kept = [row for row in await queries.of_call(tx, call_id) if row["status"] == "kept"]
    if not kept:
        raise NotFound("recording_not_found")
    row = kept[-1]
    await audit.record(tx, caller, "hotline.listen", "call", call_id, ("recording",), reason)
    try:
        sealed = await asyncio.to_thread((data_dir / FOLDER / row["file_name"]).read_bytes)
        content = tx.vault.open(_FIELD, row["id"], sealed).encode("latin-1")
    except FileNotFoundError as gone:
        raise NotFound("recording_file_missing") from gone
    except SealBroken as broken:
        raise Conflict("recording_damaged", "this is not what was fetched") from broken
    if hashlib.sha256(content).digest() != row["sha256"]:
        raise Conflict("recording_damaged", "this is not what was fetched")
    return content, row["media_type"]


async def put_source(tx: Tx, caller: Caller, source: str, instance: str, bases: list[str], keep_days: int) -> None:
    """Where an exchange's recordings may come from; what was refused for coming from elsewhere is due again.

    Raises Invalid for a place that is none, or the whole machine.
    """
    for base in bases:
        if not (base.startswith(("https://", "http://")) or (base.startswith("/") and len(Path(base).parts) > 2)):
            raise Invalid("base_impossible", "an address, or a folder at least two deep", field="bases")
    now = clock.now()
    await queries.put_source(tx, source, instance, bases, keep_days, now)
    due = await queries.reopen(tx, source, instance, UNLISTED, now - timedelta(days=keep_days))
    await enqueue_all(tx, FETCH, [{"recording_id": one} for one in due], priority=BEHIND_ALL)
    await audit.record(tx, caller, "hotline.recording_source", "recording_source", f"{source}/{instance}")


async def _content(place: Place) -> bytes:
    """Raises FileNotFoundError, NotGiven, OSError for what may be there later."""
    if place.path is not None:
        return await asyncio.to_thread(_file, place.path)
    assert place.url is not None  # noqa: S101 (one of the two)
    try:
        async with (
            asyncio.timeout(FETCH_S),
            httpx.AsyncClient(trust_env=False, timeout=10) as client,
            client.stream("GET", place.url, follow_redirects=False) as answer,
        ):
            return await _body(answer)
    except (httpx.HTTPError, TimeoutError) as away:
        log.get("hotline").warning("recording_away", error=type(away).__name__)
        raise OSError("the exchange's recordings are away") from away


async def _body(answer: httpx.Response) -> bytes:
    if answer.status_code in {404, 410}:
        raise FileNotFoundError
    if answer.is_redirect or answer.is_client_error:
        raise NotGiven(f"answered_{answer.status_code}")
    answer.raise_for_status()
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > MAX_BYTES:
            raise NotGiven("too_large")
    return bytes(content)


def _file(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError
    if path.stat().st_size > MAX_BYTES:
        raise NotGiven("too_large")
    return path.read_bytes()


def _media_type(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "audio/wav"
    if content.startswith(b"OggS"):
        return "audio/ogg"
    return "audio/mpeg" if content.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3")) else "application/octet-stream"


async def _settle(
    database: Database, recording_id: UUID, status: str, reason: str, look: int = len(LOOK_AGAIN)
) -> None:
    """Say why it is not kept; it is looked for again while there is a pause left for this look, counted from 0."""
    log.get("hotline").warning("recording_not_kept", status=status, reason=reason)
    async with database.transaction() as tx:
        await queries.settle(tx, recording_id, status, reason, clock.now())
        if look < len(LOOK_AGAIN):
            again, once = {"recording_id": recording_id, "look": look + 1}, f"{FETCH} {recording_id} {look + 1}"
            await enqueue(tx, FETCH, again, after=LOOK_AGAIN[look], only_once=once)
