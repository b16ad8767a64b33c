"""The register through the API: masked, versioned, scoped, revealed with a reason."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.core.db import Database
from tests.world import World

BODY: dict[str, Any] = {
    "name": "曾德明", "division_code": "620302001001",
    "phones": [{"number": "0935-8210001"}, {"number": "13800000001", "relation": "child", "owner": "曾小芳"}],
    "address": "龙集里小区 3 号楼 2 单元 401", "location": {"lng": 102.1899, "lat": 38.5218, "crs": "gcj02"},
    "id_number": "62030219400101001X", "health_note": "高血压",
    "tags": [{"tag": "living_alone", "valid_from": "2026-01-01", "source": "龙集里社区"}],
    "family": [{"name": "曾小芳", "relation": "child", "phone": "13800000001"}],
}  # fmt: skip
SECRETS = ("德明", "8210001", "13800000001", "小芳", "龙集里小区", "19400101", "高血压", "102.18")


@pytest.fixture
async def operator(database: Database, world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {await world.staff_token(database)}"}


def keyed(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "Idempotency-Key": str(uuid4())}


async def test_every_answer_is_masked(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    made = await api.post("/v1/elders", json=BODY, headers=keyed(operator))
    assert made.status_code == 201, made.text
    elder = made.json()["elder"]
    assert (elder["name"], elder["sex"], elder["id_number"]) == ("曾**", "male", "620302********001X")
    assert [phone["phone"] for phone in elder["phones"]] == ["935****0001", "138****0001"]
    assert elder["tags"][0]["name"] == "独居"
    assert (elder["address_on_file"], elder["health_note_on_file"]) == (True, True)
    assert made.headers["Location"] == f"/v1/elders/{elder['id']}"
    answers = [
        made,
        await api.get(made.headers["Location"], headers=operator),
        await api.get("/v1/elders", headers=operator),
        await api.get("/v1/elders", params={"q": "曾德明"}, headers=operator),
        await api.patch(made.headers["Location"], json={"dialect": "河西话"}, headers=keyed(operator)),
    ]
    for answer in answers:
        assert answer.status_code in {200, 201}
        assert [secret for secret in SECRETS if secret in answer.text] == []


async def test_a_reveal_needs_a_reason_and_leaves_a_row(
    api: httpx.AsyncClient, operator: dict[str, str], database: Database
) -> None:
    path = (await api.post("/v1/elders", json=BODY, headers=keyed(operator))).headers["Location"]
    assert (await api.post(f"{path}/reveals", json={"fields": ["phones"]}, headers=operator)).status_code == 422
    assert (await api.post(f"{path}/reveals", json={"fields": [], "reason": "x"}, headers=operator)).status_code == 422
    asked = {
        "fields": ["phones", "address", "id_number", "name", "birth_date", "health_note", "family"],
        "reason": "派单核对",
    }
    shown = await api.post(f"{path}/reveals", json=asked, headers=operator)
    assert shown.headers["Cache-Control"] == "no-store"
    plain = shown.json()
    assert plain["phones"] == ["+869358210001", "+8613800000001"]
    assert (plain["id_number"], plain["address"]) == (BODY["id_number"], BODY["address"])
    assert (plain["name"], plain["birth_date"], plain["health_note"]) == ("曾德明", "1940-01-01", "高血压")
    assert (plain["family"][0]["name"], plain["family"][0]["phone"]) == ("曾小芳", "+8613800000001")
    only = await api.post(f"{path}/reveals", json={"fields": ["phones"], "reason": "回拨"}, headers=operator)
    assert {name for name, value in only.json().items() if value is not None} == {"phones"}
    async with database.transaction() as tx:
        rows = await tx.fetch(
            "SELECT fields, reason, object_id FROM audit_entry WHERE action = 'elders.reveal' ORDER BY id"
        )
    assert [(sorted(row["fields"]), row["reason"]) for row in rows] == [
        (sorted(asked["fields"]), "派单核对"), (["phones"], "回拨"),
    ]  # fmt: skip
    assert {row["object_id"] for row in rows} == {path.removeprefix("/v1/elders/")}


async def test_elsewhere_is_not_there(
    api: httpx.AsyncClient, operator: dict[str, str], database: Database, world: World
) -> None:
    path = (await api.post("/v1/elders", json=BODY, headers=keyed(operator))).headers["Location"]
    token = await world.staff_token(database, divisions=["620321"])
    stranger = {"Authorization": f"Bearer {token}"}
    reveal = {"fields": ["phones"], "reason": "好奇"}
    tag = {"tag": "dementia", "valid_from": "2026-01-01", "source": "x"}
    refused = [
        await api.get(path, headers=stranger),
        await api.get(f"{path}/household", headers=stranger),
        await api.patch(path, json={"dialect": "x"}, headers=keyed(stranger)),
        await api.post(f"{path}/reveals", json=reveal, headers=stranger),
        await api.post(f"{path}/tags", json=tag, headers=keyed(stranger)),
        await api.get(f"/v1/elders/{uuid4()}", headers=operator),
    ]
    assert [answer.status_code for answer in refused] == [404] * len(refused)
    assert (await api.get("/v1/elders", headers=stranger)).json()["items"] == []
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'elders.reveal'") == 0
    clerk = {"Authorization": f"Bearer {await world.staff_token(database, roles=['settlement_clerk'])}"}
    assert (await api.get(path, headers=clerk)).status_code == 403
    assert (await api.get(path)).status_code == 401


async def test_two_operators_and_one_version(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    path = (await api.post("/v1/elders", json=BODY, headers=keyed(operator))).headers["Location"]
    etag = (await api.get(path, headers=operator)).headers["ETag"]
    first = await api.patch(path, json={"gender_wish": "female"}, headers={**keyed(operator), "If-Match": etag})
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    second = await api.patch(path, json={"gender_wish": "male"}, headers={**keyed(operator), "If-Match": etag})
    assert (second.status_code, second.json()["version"]) == (412, 2)
    assert (await api.get(path, headers=operator)).json()["gender_wish"] == "female"
    assert (await api.patch(path, json={"name": None}, headers=keyed(operator))).status_code == 422
    assert (await api.patch(path, json={"nickname": "x"}, headers=keyed(operator))).status_code == 422


async def test_warnings_and_the_number_on_file(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    slip = {**BODY, "id_number": "620302194001010011"}
    made = await api.post("/v1/elders", json=slip, headers=keyed(operator))
    assert (made.status_code, made.json()["warnings"]) == (201, ["id_number_check_digit"])
    again = await api.post("/v1/elders", json=slip, headers=keyed(operator))
    assert (again.status_code, again.json()["code"]) == (409, "elder_exists")
    corrected = await api.patch(
        made.headers["Location"], json={"id_number": "620302 400101 001"}, headers=keyed(operator)
    )
    assert corrected.json()["warnings"] == ["id_number_upgraded"]
    assert corrected.json()["elder"]["id_number"] == "620302********001X"


async def test_circumstances_family_and_household(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    path = (await api.post("/v1/elders", json=BODY, headers=keyed(operator))).headers["Location"]
    wife = {"name": "刘桂花", "division_code": "620302001001", "phones": [{"number": "8210001"}]}
    await api.post("/v1/elders", json=wife, headers=keyed(operator))
    household = (await api.get(f"{path}/household", headers=operator)).json()["items"]
    assert [elder["name"] for elder in household] == ["刘**"]

    tag = {"tag": "living_alone", "valid_from": "2026-02-01", "source": "社区"}
    assert (await api.post(f"{path}/tags", json=tag, headers=keyed(operator))).status_code == 409
    ended = await api.post(f"{path}/tags/living_alone/end", json={"last_day": "2026-01-15"}, headers=keyed(operator))
    assert ended.json()["tags"][0]["valid_to"] == "2026-01-15"
    assert (await api.post(f"{path}/tags", json=tag, headers=keyed(operator))).status_code == 201
    end = {"last_day": "2026-01-15"}
    assert (await api.post(f"{path}/tags/dementia/end", json=end, headers=keyed(operator))).status_code == 404
    listed = (await api.get("/v1/elders", params={"tag": "living_alone"}, headers=operator)).json()["items"]
    assert [elder["id"] for elder in listed] == [path.removeprefix("/v1/elders/")]

    son = {"name": "曾小强", "relation": "child", "phone": "13800000005"}
    member = (await api.post(f"{path}/family", json=son, headers=keyed(operator))).json()["id"]
    approved = await api.post(f"{path}/family/{member}/approval", headers=keyed(operator))
    assert {m["id"]: m["approved_at"] is not None for m in approved.json()["family"]}[member] is True
    assert (await api.post(f"{path}/family/{uuid4()}/approval", headers=keyed(operator))).status_code == 404


async def test_pages(api: httpx.AsyncClient, operator: dict[str, str], database: Database, world: World) -> None:
    async with database.transaction() as tx:
        made = [str(await world.elder(tx, name=f"张三{n}", phones=())) for n in "一二三四五"]
    for params in ({}, {"q": "张三"}, {"q": "zhangsan"}):
        seen: list[str] = []
        cursor = None
        while True:
            asked = {**params, "limit": "2", **({"cursor": cursor} if cursor else {})}
            page = (await api.get("/v1/elders", params=asked, headers=operator)).json()
            seen += [elder["id"] for elder in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == 5
        assert set(seen) == set(made)
    for cursor in ("x", "MTIz", "YXxi"):
        broken = await api.get("/v1/elders", params={"q": "张", "cursor": cursor}, headers=operator)
        assert broken.status_code == 422


async def test_the_same_key_registers_once(api: httpx.AsyncClient, operator: dict[str, str]) -> None:
    headers, body = keyed(operator), {"name": "李四", "division_code": "620302001001"}
    first = await api.post("/v1/elders", json=body, headers=headers)
    again = await api.post("/v1/elders", json=body, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert len((await api.get("/v1/elders", params={"q": "李四"}, headers=operator)).json()["items"]) == 1
