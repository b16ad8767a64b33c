"""One-time codes: five minutes, five tries, once; the same answer for every phone."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import httpx
import pytest

from app import shedding
from app.accounts import codes
from app.core import clock
from app.core.db import Database
from app.core.json import loads
from app.elders import registration, signing_in
from app.elders.facts import NewFamilyMember
from tests.world.elders import make_elder

PHONE = "138 0000 0000"
E164 = "+8613800000000"

ANOTHER = "13900000000"


@pytest.fixture(autouse=True)
async def relatives(clean_database: Database) -> None:
    """The two phones are on record."""
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
        for phone in (PHONE, ANOTHER):
            await registration.add_family(tx, elder, NewFamilyMember("王芳", "child", phone))


async def ask(client: httpx.AsyncClient, phone: str = PHONE) -> None:
    answer = await client.post("/v1/family/sessions/codes", json={"phone": phone})
    assert (answer.status_code, answer.json()) == (202, {"expires_in_s": 300})


async def sign_in(client: httpx.AsyncClient, code: str, phone: str = PHONE) -> httpx.Response:
    return await client.post("/v1/family/sessions", json={"phone": phone, "code": code})


async def sent_codes(database: Database) -> list[str]:
    """The codes on their way, oldest first."""
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT id, params FROM outgoing_message ORDER BY id")
        return [loads(tx.vault.open("outgoing_message.params", row["id"], row["params"]))["code"] for row in rows]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def test_a_code_opens_a_session_that_knows_the_phone_only_by_its_index(
    client: httpx.AsyncClient, clean_database: Database
) -> None:
    await ask(client)
    (code,) = await sent_codes(clean_database)
    opened = await sign_in(client, code, "+86 138-0000-0000")
    assert opened.status_code == 201
    assert opened.headers["cache-control"] == "no-store"
    bearer = {"Authorization": f"Bearer {opened.json()['token']}"}
    known = (await client.get("/probe/family", headers=bearer)).json()
    index = clean_database.vault.blind("family_member.phone", E164)
    assert known == {"actor": f"family:{index.hex()}", "phone_index": index.hex()}
    assert (await client.get("/v1/sessions/current", headers=bearer)).json()["id"] is None
    assert (await client.get("/probe/desk", headers=bearer)).status_code == 403
    assert (await client.delete("/v1/sessions/current", headers=bearer)).status_code == 204
    assert (await client.get("/probe/family", headers=bearer)).status_code == 401


async def test_a_code_serves_once_even_at_the_same_moment(client: httpx.AsyncClient, clean_database: Database) -> None:
    await ask(client)
    (code,) = await sent_codes(clean_database)
    answers = await asyncio.gather(*(sign_in(client, code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


async def test_five_tries_and_no_more(client: httpx.AsyncClient, clean_database: Database) -> None:
    await ask(client)
    (code,) = await sent_codes(clean_database)
    answers = await asyncio.gather(*(sign_in(client, wrong(code)) for _ in range(codes.MAX_TRIES)))
    assert {answer.status_code for answer in answers} == {401}
    assert (await sign_in(client, code)).status_code == 401, "the tries are used up"


async def test_the_fifth_try_may_still_be_right(client: httpx.AsyncClient, clean_database: Database) -> None:
    await ask(client)
    (code,) = await sent_codes(clean_database)
    for _ in range(codes.MAX_TRIES - 1):
        assert (await sign_in(client, wrong(code))).status_code == 401
    assert (await sign_in(client, code)).status_code == 201


async def test_a_code_is_good_for_five_minutes(client: httpx.AsyncClient, clean_database: Database) -> None:
    start = clock.now()
    with clock.hold(start):
        await ask(client)
    (code,) = await sent_codes(clean_database)
    with clock.hold(start + codes.VALID):
        assert (await sign_in(client, code)).status_code == 401
    with clock.hold(start + codes.VALID - timedelta(seconds=1)):
        assert (await sign_in(client, code)).status_code == 201


async def test_only_the_newest_code_counts(client: httpx.AsyncClient, clean_database: Database) -> None:
    start = clock.now()
    for minutes in (0, 1.5):
        with clock.hold(start + timedelta(minutes=minutes)):
            await ask(client)
    old, new = await sent_codes(clean_database)
    with clock.hold(start + timedelta(minutes=2)):
        if old != new:
            assert (await sign_in(client, old)).status_code == 401
        assert (await sign_in(client, new)).status_code == 201


async def test_one_a_minute_and_five_an_hour_for_each_phone(
    client: httpx.AsyncClient, clean_database: Database
) -> None:
    start = clock.now()
    with clock.hold(start):
        await asyncio.gather(*(ask(client) for _ in range(4)))
        await ask(client, "13900000000")
    assert len(await sent_codes(clean_database)) == 2, "one for each phone"
    for minutes in range(1, 20):
        with clock.hold(start + timedelta(minutes=minutes)):
            await ask(client)
    assert len(await sent_codes(clean_database)) == codes.PER_HOUR + 1
    with clock.hold(start + timedelta(minutes=61)):
        await ask(client)
    assert len(await sent_codes(clean_database)) == codes.PER_HOUR + 2


async def test_a_code_of_another_phone_is_worth_nothing(client: httpx.AsyncClient, clean_database: Database) -> None:
    await ask(client)
    (code,) = await sent_codes(clean_database)
    assert (await sign_in(client, code, "13900000000")).status_code == 401
    assert (await sign_in(client, code)).status_code == 201


async def test_neither_code_nor_phone_is_stored_in_plain(client: httpx.AsyncClient, clean_database: Database) -> None:
    await ask(client)
    (code,) = await sent_codes(clean_database)
    async with clean_database.transaction() as tx:
        for table in ("one_time_code", "outgoing_message", "family_session"):
            for row in await tx.fetch(f"SELECT * FROM {table}"):
                for column, value in row.items():
                    raw = value if isinstance(value, bytes) else str(value).encode()
                    assert b"13800000000" not in raw, f"{table}.{column}"
                    if column not in {"id", "dedupe_key", "created_at", "expires_at", "not_before"}:
                        assert code.encode() not in raw, f"{table}.{column}"


@pytest.mark.parametrize("body", [{"phone": "1"}, {"phone": "abc"}, {}, {"phone": "1" * 41}, {"phone": "138", "x": 1}])
async def test_what_is_no_phone_is_refused(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    assert (await client.post("/v1/family/sessions/codes", json=body)).status_code == 422


@pytest.mark.parametrize("phone", ["13700000000", "+1 900 555 0100", "+882 16 1234 5678", "0935-8212349"])
async def test_a_number_that_is_not_on_record_gets_no_code_and_nobody_can_tell(
    client: httpx.AsyncClient, clean_database: Database, phone: str
) -> None:
    took = []
    for asked in (phone, PHONE):
        began = time.monotonic()
        await ask(client, asked)
        took.append(time.monotonic() - began)
    assert len(await sent_codes(clean_database)) == 1
    assert min(took) >= signing_in.ANSWER_S, "neither comes sooner than the work for the other is done"
    assert (await sign_in(client, "123456", phone)).json()["code"] == "code_wrong"


async def test_all_phones_together_get_so_many_codes_and_those_who_are_nobody_count_for_none(
    client: httpx.AsyncClient, clean_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "OF_ALL", ((timedelta(minutes=1), 2), (timedelta(hours=1), 3)))
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
        phones = [f"1380000001{number}" for number in range(6)]
        for phone in phones:
            await registration.add_family(tx, elder, NewFamilyMember("王芳", "child", phone))
    start = clock.now()
    with clock.hold(start):
        await asyncio.gather(*(ask(client, f"1370000000{number}") for number in range(5)))
        await asyncio.gather(*(ask(client, phone) for phone in phones[:4]))
    assert len(await sent_codes(clean_database)) == 2, "of a minute"
    with clock.hold(start + timedelta(minutes=2)):
        await asyncio.gather(*(ask(client, phone) for phone in phones[2:]))
    assert len(await sent_codes(clean_database)) == 3, "of an hour"
    with clock.hold(start + timedelta(minutes=2)):
        async with clean_database.transaction() as tx:
            await codes.send_code(tx, codes.CAREGIVER, phones[0])
    assert len(await sent_codes(clean_database)) == 4, "families do not use up what caregivers sign in with"


def test_sending_codes_gives_way_before_what_brings_a_call_for_help_in() -> None:
    assert shedding.OF_ACTION["family.codes"] < shedding.OF_ACTION["family.sign_in"] == shedding.Criticality.INTAKE
