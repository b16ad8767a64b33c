"""Signing in: refusals teach nothing, tries are counted whatever happens, sessions end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.guard import ABSOLUTE, COOKIE, IDLE
from app.accounts.lockout import FREE_TRIES, LONGEST, pause_after
from app.accounts.passwords import Hashing
from app.core import clock
from app.core.db import Database
from app.core.errors import TooMany
from tests.world.accounts import PASSWORD, make_staff, staff_token


async def sign_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
    return await client.post("/v1/sessions", json={"username": username, "password": password, **more})


@pytest.fixture
async def minna(clean_database: Database) -> str:
    async with clean_database.transaction() as tx:
        await make_staff(tx, username="minna", roles=["operator"], divisions=["620302"])
    return "minna"


async def test_a_session_opens_identifies_and_closes(client: httpx.AsyncClient, minna: str) -> None:
    opened = await sign_in(client, " MinNa ")
    assert opened.status_code == 201
    assert opened.headers["cache-control"] == "no-store"
    answer = opened.json()
    assert answer["roles"] == ["operator"]
    assert answer["divisions"] == ["620302"]
    bearer = {"Authorization": f"Bearer {answer['token']}"}
    known = (await client.get("/probe/desk", headers=bearer)).json()
    assert known["divisions"] == ["620302"]
    assert (await client.get("/v1/sessions/current", headers=bearer)).json()["roles"] == ["operator"]
    assert (await client.delete("/v1/sessions/current", headers=bearer)).status_code == 204
    assert (await client.get("/probe/desk", headers=bearer)).status_code == 401


async def test_the_token_is_not_in_the_database(
    client: httpx.AsyncClient, clean_database: Database, minna: str
) -> None:
    token = (await sign_in(client, minna)).json()["token"]
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT staff_session::text AS row FROM staff_session")
    assert len(rows) == 1
    assert token.removeprefix("st_") not in rows[0]["row"]
    assert token.encode().hex() not in rows[0]["row"]


async def test_every_refusal_reads_the_same(client: httpx.AsyncClient, clean_database: Database, minna: str) -> None:
    async with clean_database.transaction() as tx:
        gone = await make_staff(tx, username="gone")
        await make_staff(tx, username="careful", with_otp=True)
        await make_staff(tx, username="locked")
        await tx.run("UPDATE staff SET status = 'disabled' WHERE id = $1", gone.id)
        await tx.run("UPDATE staff SET locked_until = $1 WHERE username = 'locked'", clock.now() + LONGEST)
    refused = [
        await sign_in(client, "nobody"),
        await sign_in(client, minna, "wrong"),
        await sign_in(client, "gone"),
        await sign_in(client, "locked"),
        await sign_in(client, "careful"),
        await sign_in(client, "careful", otp="000000"),
    ]
    assert {answer.status_code for answer in refused} == {401}
    assert len({(answer.json()["code"], answer.json()["detail"]) for answer in refused}) == 1


async def test_tries_are_counted_although_they_are_refused(
    client: httpx.AsyncClient, clean_database: Database, minna: str
) -> None:
    start = clock.now()
    with clock.hold(start):
        for _ in range(FREE_TRIES):
            assert (await sign_in(client, minna, "wrong")).status_code == 401
        async with clean_database.transaction() as tx:
            row = await tx.fetchrow("SELECT failed_count, locked_until FROM staff WHERE username = $1", minna)
        assert row is not None
        assert row["failed_count"] == FREE_TRIES
        assert row["locked_until"] > start
        assert (await sign_in(client, minna)).status_code == 401, "locked: even the right password waits"
    with clock.hold(start + pause_after(FREE_TRIES)):
        assert (await sign_in(client, minna)).status_code == 201
        assert (await sign_in(client, minna, "wrong")).status_code == 401
        assert (await sign_in(client, minna)).status_code == 201, "success forgets the failures"


async def test_guesses_sent_at_once_are_counted_one_by_one(
    client: httpx.AsyncClient, clean_database: Database, minna: str
) -> None:
    answers = await asyncio.gather(*(sign_in(client, minna, f"wrong-{n}") for n in range(12)))
    assert {answer.status_code for answer in answers} == {401}
    async with clean_database.transaction() as tx:
        counted = await tx.fetchval("SELECT failed_count FROM staff WHERE username = $1", minna)
        looked_at = await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'session.try'")
    assert counted == FREE_TRIES, "the fifth locks; the others never see the password hash"
    assert looked_at == 12


async def test_a_guess_that_read_the_clock_earlier_is_counted_too(
    client: httpx.AsyncClient, clean_database: Database, minna: str
) -> None:
    start = clock.now()
    for moment in (start, start - timedelta(milliseconds=5)):
        with clock.hold(moment):
            await sign_in(client, minna, "wrong")
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT failed_count FROM staff WHERE username = $1", minna) == 2


def test_the_pause_grows_to_fifteen_minutes() -> None:
    pauses = [pause_after(n) for n in range(60)]
    assert not any(pauses[:FREE_TRIES])
    assert pauses == sorted(pauses)
    assert pauses[FREE_TRIES] == timedelta(seconds=30)
    assert max(pauses) == LONGEST == timedelta(minutes=15)


@given(st.integers(0, 10**6))
def test_no_number_of_failures_locks_for_longer(failures: int) -> None:
    assert timedelta(0) <= pause_after(failures) <= LONGEST


async def test_a_one_time_password_serves_once(client: httpx.AsyncClient, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        made = await make_staff(tx, username="careful", with_otp=True)
    assert made.otp_uri is not None
    totp = pyotp.TOTP(parse_qs(urlsplit(made.otp_uri).query)["secret"][0])
    with clock.hold(clock.now()):
        otp = totp.at(clock.now())
        answers = await asyncio.gather(*(sign_in(client, "careful", otp=otp) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [201, 401]
        assert (await sign_in(client, "careful", otp=otp)).status_code == 401


async def test_the_otp_secret_is_sealed(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        made = await make_staff(tx, username="careful", with_otp=True)
        assert made.otp_uri is not None
        secret = parse_qs(urlsplit(made.otp_uri).query)["secret"][0]
        sealed = await tx.fetchval("SELECT otp_secret FROM staff WHERE id = $1", made.id)
        assert secret.encode() not in sealed
        assert tx.vault.open("staff.otp_secret", made.id, sealed) == secret


async def test_sessions_end_when_idle_and_in_any_case(client: httpx.AsyncClient, clean_database: Database) -> None:
    start = clock.now()
    with clock.hold(start):
        token = await staff_token(clean_database)

    async def status(after: timedelta) -> int:
        with clock.hold(start + after):
            return (await client.get("/probe/desk", headers={"Authorization": f"Bearer {token}"})).status_code

    assert await status(IDLE - timedelta(seconds=1)) == 200
    assert await status(ABSOLUTE - timedelta(seconds=1)) == 200, "being used kept it alive"
    assert await status(ABSOLUTE) == 401
    with clock.hold(start):
        token = await staff_token(clean_database)
    assert await status(IDLE) == 401, "nobody used this one"


async def test_last_seen_is_written_at_most_once_a_minute(client: httpx.AsyncClient, clean_database: Database) -> None:
    start = clock.now()
    with clock.hold(start):
        token = await staff_token(clean_database)
    versions = []
    for seconds in (10, 59, 60, 90, 125):
        with clock.hold(start + timedelta(seconds=seconds)):
            assert (await client.get("/probe/desk", headers={"Authorization": f"Bearer {token}"})).status_code == 200
        async with clean_database.transaction() as tx:
            versions.append(await tx.fetchval("SELECT last_seen_at FROM staff_session"))
    assert [(seen - start).total_seconds() for seen in versions] == [0, 0, 60, 60, 125]


async def test_a_disabled_person_is_out_at_once(client: httpx.AsyncClient, clean_database: Database) -> None:
    token = await staff_token(clean_database)
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/probe/desk", headers=bearer)).status_code == 200
    async with clean_database.transaction() as tx:
        await tx.run("UPDATE staff SET status = 'disabled'")
    assert (await client.get("/probe/desk", headers=bearer)).status_code == 401


@pytest.mark.parametrize("header", ["Bearer st_x", "Bearer fa_x", "Bearer cg_x", "Bearer x", "bearer st_"])
async def test_an_unknown_token_is_refused(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/probe/desk", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] == "session_unknown"


async def test_without_a_proof_one_has_to_sign_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/probe/desk")
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


async def test_the_wrong_role_is_forbidden(client: httpx.AsyncClient, clean_database: Database) -> None:
    token = await staff_token(clean_database, roles=["security_administrator"])
    answer = await client.get("/probe/desk", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


async def test_the_cookie_of_the_faces_does_not_serve_other_sites(
    client: httpx.AsyncClient, clean_database: Database
) -> None:
    token = await staff_token(clean_database, roles=["administrator"])
    cookie = {"Cookie": f"{COOKIE}={token}"}
    assert (await client.get("/v1/staff", headers=cookie)).status_code == 200
    send = {**cookie, "Idempotency-Key": "k1"}
    body = {"kind": "telephony", "name": "交换机"}
    for origin in (
        {},
        {"Origin": "https://elsewhere.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://nuanxian.test"},
    ):
        refused = await client.post("/v1/app-keys", json=body, headers={**send, **origin})
        assert (refused.status_code, refused.json()["code"]) == (401, "cross_site")
    for origin in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://nuanxian.test"}):
        assert (await client.post("/v1/app-keys", json=body, headers={**send, **origin})).status_code == 201


async def test_the_line_before_the_hashing_threads_is_short() -> None:
    hashing = Hashing(at_once=1, in_line=2)
    answers = await asyncio.gather(*(hashing.verify("x", None) for _ in range(6)), return_exceptions=True)
    assert sum(answer is False for answer in answers) == 3
    assert sum(isinstance(answer, TooMany) for answer in answers) == 3
    assert await hashing.verify("x", None) is False, "the line empties again"
