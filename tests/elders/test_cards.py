"""Cards: what a stranger learns, what somebody who has signed in sees, and help that is asked for by them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4
from xml.etree import ElementTree

import httpx
import pytest
import segno

from app.accounts import codes
from app.core import clock
from app.core.db import Database
from app.elders import cards
from app.elders.card_print import card_svg
from tests.world.accounts import staff_headers, staff_token
from tests.world.elders import make_elder
from tests.world.orders import make_town

Headers = Callable[[], dict[str, str]]


@pytest.fixture
async def operator(clean_database: Database) -> Headers:
    token = await staff_token(clean_database)
    return lambda: {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}


@pytest.fixture
async def elder(clean_database: Database) -> UUID:
    async with clean_database.transaction() as tx:
        return await make_elder(tx)


async def issued(api: httpx.AsyncClient, operator: Headers, elder: UUID) -> tuple[dict[str, Any], str]:
    """A new card and its token."""
    made = await api.post(f"/v1/elders/{elder}/cards", headers=operator())
    assert made.status_code == 201, made.text
    return made.json(), made.json()["url"].rpartition("/")[2]


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def test_the_code_on_the_card_says_the_address() -> None:
    url = "https://12349.example/c/" + "k" * 43
    card = ElementTree.fromstring(card_svg("曾<德>明", "01234567", "12349", url))  # noqa: S314 (our own)
    texts = " ".join(card.itertext())
    assert all(part in texts for part in ("曾<德>明", "01234567", "12349"))
    assert url not in texts
    drawn = card.find(".//{http://www.w3.org/2000/svg}path")
    assert drawn is not None
    dark = {(int(y), int(x)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn.attrib["d"])}
    expected = segno.make(url, error="m", micro=False).matrix
    assert dark == {(y, x) for y, row in enumerate(expected) for x, one in enumerate(row) if one}


def test_a_long_name_stays_clear_of_the_code() -> None:
    svg = card_svg("𠮷田·买买提·阿不都热西提", "01234567", "12349", "https://12349.example/c/k")
    card = ElementTree.fromstring(svg)  # noqa: S314 (our own)
    name = next(one for one in card.iter() if one.text and one.text.startswith("𠮷田"))
    assert name.text == "𠮷田·买买提·阿不都热西提"
    assert 48 + len(name.text) * int(name.attrib["font-size"]) < 508, "where the code begins"


@pytest.mark.parametrize("hotline", ["12349", "01012349", "093512349"])
def test_the_number_on_the_card_stays_clear_of_the_code(hotline: str) -> None:
    svg = card_svg("曾德明", "01234567", hotline, "https://12349.example/c/k")
    number = next(one for one in ElementTree.fromstring(svg).iter() if one.text == hotline)  # noqa: S314 (our own)
    assert 48 + len(hotline) * 0.6 * int(number.attrib["font-size"]) <= 480, "where the quiet zone begins"


async def test_a_stranger_learns_nothing_of_the_elder(
    api: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    card, token = await issued(api, operator, elder)
    seen = await api.get(f"/v1/cards/{token}")
    assert seen.status_code == 200
    assert set(seen.json()) == {"hotline", "what_to_do"}
    assert seen.json()["hotline"] == "093512349"
    assert "拨打093512349，" in seen.json()["what_to_do"][1]
    assert "曾" not in seen.text
    assert card["number"] not in seen.text
    page = await api.get(f"/c/{token}")
    assert (page.status_code, "tel:093512349" in page.text, token in page.text) == (200, True, False)
    assert (await api.get("/static/frame/card.js")).status_code == 200
    assert (await api.get(f"/v1/cards/{token}/elder")).status_code == 401
    assert (await api.get("/v1/cards/nonsense")).status_code == 404
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT token, token_hash FROM elder_card")
    assert token.encode() not in bytes(row["token"]) + bytes(row["token_hash"])


async def test_who_has_signed_in_sees_the_masked_elder(
    api: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    card, token = await issued(api, operator, elder)
    path = f"/v1/cards/{token}/elder"
    seen = (await api.get(path, headers=operator())).json()
    assert (seen["elder_id"], seen["name"], seen["number"]) == (str(elder), "曾**", card["number"])
    async with clean_database.transaction() as tx:
        session = await codes.open_caregiver_session(tx, uuid4(), uuid4(), "李师傅")
    caregiver = await api.get(path, headers={"Authorization": f"Bearer {session.token}"})
    assert caregiver.json()["name"] == "曾**"
    elsewhere = await staff_headers(clean_database, divisions=["620321"])
    assert (await api.get(path, headers=elsewhere)).status_code == 404
    clerk = await staff_headers(clean_database, roles=["settlement_clerk"])
    assert (await api.get(path, headers=clerk)).status_code == 403
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'elders.scan_card'") == 2


async def test_a_card_is_printed_with_an_audit_row(
    api: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    path = f"/v1/elders/{elder}/card.svg"
    assert (await api.get(path, headers=operator())).status_code == 404
    card, _ = await issued(api, operator, elder)
    printed = await api.get(path, headers=operator())
    assert printed.headers["content-type"] == "image/svg+xml"
    assert "曾德明" in printed.text
    assert card["number"] in printed.text
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'elders.print_card'") == 1


async def test_one_card_lives_at_a_time(
    api: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    _, lost = await issued(api, operator, elder)
    made = await asyncio.gather(*(issued(api, operator, elder) for _ in range(4)))
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM elder_card WHERE revoked_at IS NULL") == 1
    found = [(card, token) for card, token in made if (await api.get(f"/v1/cards/{token}")).status_code == 200]
    ((card, token),) = found
    assert (await api.get(f"/v1/cards/{lost}")).status_code == 404
    assert (await api.post(f"/v1/cards/{lost}/help", json={}, headers=key())).status_code == 404
    path = f"/v1/elders/{elder}/cards"
    assert len((await api.get(path, headers=operator())).json()) == 5
    gone = await api.post(f"{path}/{card['id']}/revocation", headers=operator())
    assert gone.status_code == 204
    assert (await api.post(f"{path}/{card['id']}/revocation", headers=operator())).status_code == 404
    assert (await api.get(f"/v1/cards/{token}")).status_code == 404


async def test_help_by_a_card_is_an_emergency_of_its_elder_once_per_key(
    api: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        await make_town(tx)
    card, token = await issued(api, operator, elder)
    path, body, same = f"/v1/cards/{token}/help", {"note": "老人迷路了", "phone": "13812345678"}, key()
    answers = [await api.post(path, json=body, headers=same) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert answers[0].json() == answers[2].json()
    assert set(answers[0].json()) == {"received_at", "hotline"}
    async with clean_database.transaction() as tx:
        (row,) = await tx.fetch("SELECT kind, status, channel, elder_id, taken_by FROM care_request")
        assert tuple(row) == ("emergency", "escalated", "web", elder, f"card:{card['number']}")
        assert await tx.fetchval("SELECT elder_id FROM incident") == elder
    assert (await api.post(path, json=body)).json()["code"] == "idempotency_key_required"
    assert (await api.post(path, json={"phone": "abc"}, headers=key())).status_code == 422


async def test_a_card_asks_five_times_an_hour(
    api: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    _, token = await issued(api, operator, elder)
    answers = await asyncio.gather(*(api.post(f"/v1/cards/{token}/help", json={}, headers=key()) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [429] * 3
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "card_busy"
    assert "12349" in refused.json()["detail"]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM care_request") == cards.PER_HOUR
        await tx.run("UPDATE elder_card SET helped_since = $1", clock.now() - timedelta(minutes=61))
    assert (await api.post(f"/v1/cards/{token}/help", json={}, headers=key())).status_code == 201


FORM = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}


async def cry(api: httpx.AsyncClient, token: str, **fields: str) -> httpx.Response:
    return await api.post(f"/c/{token}", content=urlencode(fields), headers=FORM)


async def test_the_form_asks_without_a_script_once_per_key(
    api: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    _, token = await issued(api, operator, elder)
    page = await api.get(f"/c/{token}")
    assert 'method="post"' in page.text
    (once,) = re.findall(r'name="once" value="([^"]+)"', page.text)
    answers = [await cry(api, token, once=once, note="老人摔倒了", phone="13812345678") for _ in range(2)]
    for answer in answers:
        assert (answer.status_code, "已收到" in answer.text, token in answer.text) == (201, True, False)
    assert once not in answers[0].text, "another cry takes another key"
    (again,) = re.findall(r'name="once" value="([^"]+)"', answers[0].text)
    assert (await cry(api, token, once=again, note="老人喘不上气")).status_code == 201
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT kind, status FROM care_request")
    assert [tuple(row) for row in rows] == [("emergency", "escalated")] * 2


async def test_a_cry_with_a_mistyped_phone_is_a_cry(
    api: httpx.AsyncClient, operator: Headers, elder: UUID, clean_database: Database
) -> None:
    _, token = await issued(api, operator, elder)
    assert (await cry(api, token, once="key-1", note="迷路了", phone="同前")).status_code == 201
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT id, note FROM care_request")
        assert row is not None
        assert tx.vault.open("care_request.note", row["id"], row["note"]) == "迷路了（留的电话：同前）"


async def test_a_cry_that_does_not_get_through_is_told_to_call(
    api: httpx.AsyncClient, operator: Headers, elder: UUID
) -> None:
    _, token = await issued(api, operator, elder)
    answers = [await cry(api, token, once=f"key-{n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    for refused in (answers[5], await cry(api, "nonsense", once="key"), await cry(api, token, once="key-0", note="别")):
        assert refused.is_client_error
        assert "没有送达，请直接拨打 12349" in refused.text
        assert "tel:093512349" in refused.text
