"""A key and its effect live and die together, and the first answer is the only answer."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from app.core.db import Database
from app.core.idempotency import MAX_LENGTH

KEYED = {"idempotency-key": "one"}


async def rows(database: Database, table: str) -> int:
    async with database.transaction() as tx:
        return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))


async def test_the_first_answer_is_replayed_byte_for_byte(small: httpx.AsyncClient, notes: Database) -> None:
    first = await small.post("/notes", json={"text": "王秀兰"}, headers=KEYED)
    again = await small.post("/notes", json={"text": "王秀兰"}, headers=KEYED)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["content-type"] == first.headers["content-type"]
    assert await rows(notes, "note") == 1


async def test_what_is_kept_names_nobody(small: httpx.AsyncClient, notes: Database) -> None:
    await small.post("/notes", json={"text": "王秀兰"}, headers=KEYED)
    async with notes.transaction() as tx:
        (row,) = await tx.fetch("SELECT * FROM idempotency_key")
    assert all("王秀兰".encode() not in value for value in row.values() if isinstance(value, bytes))


async def test_another_body_is_refused(small: httpx.AsyncClient, notes: Database) -> None:
    await small.post("/notes", json={"text": "a"}, headers=KEYED)
    for other in (
        await small.post("/notes", json={"text": "b"}, headers=KEYED),
        await small.post("/notes?x=1", json={"text": "a"}, headers=KEYED),
    ):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await rows(notes, "note") == 1


async def test_a_key_belongs_to_its_caller_and_path(small: httpx.AsyncClient, notes: Database) -> None:
    await small.post("/notes", json={"text": "a"}, headers=KEYED)
    other = await small.post("/notes", json={"text": "a"}, headers=KEYED | {"x-who": "berta"})
    assert "idempotency-replayed" not in other.headers
    assert await rows(notes, "note") == 2
    assert (await small.put("/notes/1", headers=KEYED)).status_code == 200


async def test_eight_at_once_have_one_effect(small: httpx.AsyncClient, notes: Database) -> None:
    answers = await asyncio.gather(*(small.post("/notes", json={"text": "a"}, headers=KEYED) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    assert await rows(notes, "note") == 1


async def test_without_a_key_eight_have_eight_effects(small: httpx.AsyncClient, notes: Database) -> None:
    """The control: the one effect above is the key's doing."""
    answers = await asyncio.gather(*(small.post("/contended") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert await rows(notes, "note") == 8


async def test_a_failed_effect_takes_its_key_along(small: httpx.AsyncClient, notes: Database) -> None:
    for _ in range(2):
        answer = await small.post("/broken", json={"text": "a"}, headers=KEYED)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_late")
    assert await rows(notes, "idempotency_key") == 0
    assert await rows(notes, "note") == 0


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency_key_required"),
        ("  ", "idempotency_key_required"),
        ("x" * (MAX_LENGTH + 1), "idempotency_key_malformed"),
        ("a\tb", "idempotency_key_malformed"),
    ],
)
async def test_keys_must_be_keys(small: httpx.AsyncClient, key: str | None, code: str) -> None:
    headers = {} if key is None else {"idempotency-key": key}
    answer = await small.post("/notes", json={"text": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
