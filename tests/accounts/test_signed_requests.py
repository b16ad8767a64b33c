"""Outside systems: one signature, one request."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from app.accounts import keys, tasks
from app.accounts.signing import WINDOW
from app.core import clock
from app.core.db import Database
from app.core.http import SYSTEM
from tests.world.accounts import make_app_key, signed_headers, staff_headers

URL = "/probe/provider?x=%E9%87%91&a=1"
BODY = b'{"events": []}'


@pytest.fixture
def provider_id() -> UUID:
    return uuid4()


@pytest.fixture
async def pair(clean_database: Database, provider_id: UUID) -> tuple[str, str]:
    async with clean_database.transaction() as tx:
        return await make_app_key(tx, provider_id=provider_id)


async def post(
    client: httpx.AsyncClient, headers: dict[str, str], url: str = URL, body: bytes = BODY
) -> httpx.Response:
    return await client.post(url, content=body, headers=headers)


async def test_a_signed_request_is_its_provider(
    client: httpx.AsyncClient, pair: tuple[str, str], provider_id: UUID
) -> None:
    answer = await post(client, signed_headers(*pair, "POST", URL, BODY))
    assert answer.json() == {"actor": f"provider:{provider_id}", "provider_id": str(provider_id)}


async def test_a_provider_is_no_operator(client: httpx.AsyncClient, pair: tuple[str, str]) -> None:
    answer = await client.get("/probe/desk", headers=signed_headers(*pair, "GET", "/probe/desk"))
    assert answer.status_code == 403


async def test_whatever_is_changed_breaks_the_signature(client: httpx.AsyncClient, pair: tuple[str, str]) -> None:
    good = signed_headers(*pair, "POST", URL, BODY)
    other = "1" if good["X-Signature"].endswith("0") else "0"
    wrong = [
        await post(client, good, url=URL + "&b=2"),
        await post(client, good, body=BODY + b" "),
        await post(client, {**good, "X-Nonce": "another-nonce"}),
        await post(client, {**good, "X-Timestamp": str(int(good["X-Timestamp"]) + 1)}),
        await post(client, {**good, "X-App-Key": "pr_unknown"}),
        await post(client, {**good, "X-Signature": good["X-Signature"][:-1] + other}),
        await post(client, {**good, "X-Signature": ""}),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in wrong} == {(401, "signature_wrong")}
    assert (await post(client, good)).status_code == 200, "no forger has used up the nonce"


async def test_a_nonce_serves_once(client: httpx.AsyncClient, pair: tuple[str, str]) -> None:
    headers = signed_headers(*pair, "POST", URL, BODY)
    assert (await post(client, headers)).status_code == 200
    again = await post(client, headers)
    assert (again.status_code, again.json()["code"]) == (401, "nonce_reused")


async def test_of_many_replays_at_once_exactly_one_gets_through(
    client: httpx.AsyncClient, pair: tuple[str, str]
) -> None:
    for _ in range(5):
        headers = signed_headers(*pair, "POST", URL, BODY)
        answers = await asyncio.gather(*(post(client, headers) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9
        assert {answer.json()["code"] for answer in answers if answer.status_code == 401} == {"nonce_reused"}


async def test_a_request_without_effect_leaves_its_nonce_free(client: httpx.AsyncClient, pair: tuple[str, str]) -> None:
    headers = signed_headers(*pair, "POST", URL, BODY)
    assert (await post(client, {**headers, "X-Fail": "1"})).status_code == 500
    assert (await post(client, headers)).status_code == 200


async def test_the_same_nonce_serves_another_key(
    client: httpx.AsyncClient, clean_database: Database, pair: tuple[str, str]
) -> None:
    async with clean_database.transaction() as tx:
        other = await make_app_key(tx)
    for one in (pair, other):
        assert (await post(client, signed_headers(*one, "POST", URL, BODY, nonce="nonce-12"))).status_code == 200


@pytest.mark.parametrize("seconds", [-301, 301, -100_000])
async def test_old_and_future_requests_are_refused(
    client: httpx.AsyncClient, pair: tuple[str, str], seconds: int
) -> None:
    with clock.hold(clock.now()):
        at = int(clock.now().timestamp()) + seconds + (seconds > 0)
        answer = await post(client, signed_headers(*pair, "POST", URL, BODY, at=at))
    assert (answer.status_code, answer.json()["code"]) == (401, "timestamp_out_of_window")


@pytest.mark.parametrize("nonce", ["", "short", "with space 12", "x" * 129, "nonce/0001"])
async def test_a_strange_nonce_is_refused(client: httpx.AsyncClient, pair: tuple[str, str], nonce: str) -> None:
    headers = {**signed_headers(*pair, "POST", URL, BODY), "X-Nonce": nonce}
    answer = await post(client, headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "nonce_malformed")


async def test_rotation_leaves_no_gap_and_keeps_two(
    client: httpx.AsyncClient, clean_database: Database, pair: tuple[str, str]
) -> None:
    key, first = pair

    async def rotate() -> str:
        async with clean_database.transaction() as tx:
            return await keys.rotate_key(tx, SYSTEM, key)

    async def status(secret: str) -> int:
        return (await post(client, signed_headers(key, secret, "POST", URL, BODY))).status_code

    second = await rotate()
    assert [await status(secret) for secret in (first, second)] == [200, 200]
    third = await rotate()
    assert [await status(secret) for secret in (first, second, third)] == [401, 200, 200]


async def test_a_revoked_key_opens_nothing(
    client: httpx.AsyncClient, clean_database: Database, pair: tuple[str, str]
) -> None:
    async with clean_database.transaction() as tx:
        await keys.revoke_key(tx, SYSTEM, pair[0])
    assert (await post(client, signed_headers(*pair, "POST", URL, BODY))).status_code == 401


async def test_secrets_are_sealed_to_their_row(clean_database: Database, pair: tuple[str, str]) -> None:
    key, secret = pair
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT app_key::text AS all, secrets FROM app_key WHERE key = $1", key)
        assert row is not None
        assert secret not in row["all"]
        assert secret.encode().hex() not in row["all"]
        assert secret.encode() not in row["secrets"]
        assert keys.opened(tx, key, row["secrets"]) == [secret]


async def test_nonces_are_forgotten_only_when_no_timestamp_brings_them_back(
    client: httpx.AsyncClient, clean_database: Database, pair: tuple[str, str]
) -> None:
    start = clock.now()
    ahead = int((start + WINDOW).timestamp())
    with clock.hold(start):
        headers = signed_headers(*pair, "POST", URL, BODY, at=ahead)
        assert (await post(client, headers)).status_code == 200
    codes = set()
    for minutes in (0, 5, 9, 10, 11, 16):
        with clock.hold(start + timedelta(minutes=minutes)):
            async with clean_database.transaction() as tx:
                await tasks.forget_expired(tx)
            codes.add((await post(client, headers)).json()["code"])
    assert codes == {"nonce_reused", "timestamp_out_of_window"}
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM app_nonce") == 0


async def test_administrators_make_rotate_and_revoke(client: httpx.AsyncClient, clean_database: Database) -> None:
    admin = await staff_headers(clean_database, ["administrator"])
    body = {"kind": "provider", "name": "金昌某公司", "provider_id": str(uuid4())}
    made = await client.post("/v1/app-keys", json=body, headers=admin)
    assert made.status_code == 201
    again = await client.post("/v1/app-keys", json=body, headers=admin)
    assert again.json() == made.json()
    assert again.headers["idempotency-replayed"] == "true"
    key, secret = made.json()["key"], made.json()["secret"]
    assert (await post(client, signed_headers(key, secret, "POST", URL, BODY))).status_code == 200
    rotated = await client.post(f"/v1/app-keys/{key}/rotation", headers={**admin, "Idempotency-Key": "r1"})
    assert rotated.status_code == 201
    listed = (await client.get("/v1/app-keys", headers=admin)).json()["items"]
    assert [entry["key"] for entry in listed] == [key]
    assert secret not in str(listed)
    gone = await client.delete(f"/v1/app-keys/{key}", headers={**admin, "Idempotency-Key": "d1"})
    assert gone.status_code == 204
    answer = await post(client, signed_headers(key, rotated.json()["secret"], "POST", URL, BODY))
    assert answer.status_code == 401
    missing = await client.delete(f"/v1/app-keys/{key}", headers={**admin, "Idempotency-Key": "d2"})
    assert missing.status_code == 404


async def test_a_key_names_a_provider_exactly_when_it_is_one(
    client: httpx.AsyncClient, clean_database: Database
) -> None:
    admin = await staff_headers(clean_database, ["administrator"])
    for body in ({"kind": "provider", "name": "x"}, {"kind": "telephony", "name": "x", "provider_id": str(uuid4())}):
        refused = await client.post("/v1/app-keys", json=body, headers=admin)
        assert (refused.status_code, refused.json()["code"]) == (422, "key_provider_mismatch")


async def test_a_device_key_and_no_other_names_its_makers(client: httpx.AsyncClient, clean_database: Database) -> None:
    admin = await staff_headers(clean_database, ["administrator"])
    for body in ({"kind": "device", "name": "x"}, {"kind": "app", "name": "x", "vendors": ["aiqiangua"]}):
        refused = await client.post("/v1/app-keys", json=body, headers=admin)
        assert (refused.status_code, refused.json()["code"]) == (422, "key_vendors_mismatch")
    made = {"kind": "device", "name": "x", "vendors": ["mqtt", "watch"]}
    assert (await client.post("/v1/app-keys", json=made, headers=admin)).status_code == 201
    (listed,) = (await client.get("/v1/app-keys", headers=admin)).json()["items"]
    assert listed["vendors"] == ["mqtt", "watch"]
