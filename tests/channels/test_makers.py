"""Makers who push in their own form: whatever bytes come, one error and no other; codes are rows."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.channels.report import Report
from app.channels.schemas import DeviceAlarm
from app.channels.vendors import makers, readers
from app.channels.vendors.readers import READERS, PushError
from app.channels.vendors.router import Type
from app.core.db import Database
from app.core.http import SYSTEM
from app.elders import devices
from tests.flows.bad_input import NASTY, RAW
from tests.world.accounts import make_app_key, staff_headers
from tests.world.elders import make_elder
from tests.world.intake import signed_post

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
TOKEN = "a-long-secret-0001"
NAMES = st.sampled_from(
    ["msg", "msg_signature", "nonce", "type", "dev_id", "ds_id", "at", "value", "status", "Action", "action", "IMEI",
     "imei", "data_type", "date_str", "lng", "lat", "lon", "battery", "Id", "x"]
)  # fmt: skip
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=12)
SAID = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=8
)
PUSHES = (
    st.binary(max_size=100)
    | SAID.map(lambda said: orjson.dumps(said, option=orjson.OPT_NON_STR_KEYS) if _is_json(said) else b"{}")
    | st.dictionaries(NAMES, st.text(max_size=12), max_size=6).map(
        lambda said: urlencode(said, errors="replace").encode()
    )
)


def _is_json(said: Any) -> bool:
    with suppress(TypeError):
        return bool(orjson.dumps(said))
    return False


def accepted(told: Report) -> DeviceAlarm:
    return DeviceAlarm.model_validate(orjson.loads(orjson.dumps(told)))


@given(PUSHES, st.sampled_from(sorted(READERS)))
def test_whatever_is_pushed_is_reports_or_the_one_error(raw: bytes, form: str) -> None:
    with suppress(PushError):
        for told in READERS[form](raw, NOW, "gcj02"):
            accepted(told)
    with suppress(PushError):
        readers.signed_part(raw)


@given(st.dictionaries(NAMES, SAID, max_size=8), st.sampled_from(sorted(READERS)))
def test_whatever_stands_in_the_fields_the_reports_are_taken(said: dict[str, Any], form: str) -> None:
    if not _is_json(said):
        return
    raw = orjson.dumps({"msg": said} if form == "onenet" else said)
    if form == "form":
        raw = urlencode({"imei": "1"} | {name: str(one) for name, one in said.items()}, errors="replace").encode()
    assert len([accepted(told) for told in READERS[form](raw, NOW, "wgs84")]) == 1


def test_numeric_actions_of_one_device_or_many() -> None:
    raw = orjson.dumps(
        [{"IMEI": "1", "Action": 7, "Lng": 102.19, "lat": "38.52"}, {"sn": "2", "Action": "452", "Id": 9}]
    )
    first, second = map(accepted, readers.action(raw, NOW, "gcj02"))
    assert (first.device_id, first.type, second.device_id, second.type, second.msg_id) == ("1", "7", "2", "452", "9")
    assert first.location is not None
    assert first.location.crs == "gcj02"


def test_a_form_names_its_device_and_its_time() -> None:
    raw = b"imei=860000000000015&data_type=3&date_str=20261122110405&battery=80"
    (told,) = map(accepted, readers.form(raw, NOW, "wgs84"))
    assert (told.device_id, told.type, told.battery, told.occurred_at) == ("860000000000015", "3", 80, NOW)
    assert accepted(readers.form(b"imei=1&date_str=99999999999999", NOW, "wgs84")[0]).type == "unreadable"


def onenet(*messages: dict[str, Any], token: str = TOKEN, spaces: bool = True) -> bytes:
    """A push signed as the platform signs it."""
    listed = [orjson.dumps(one, option=orjson.OPT_INDENT_2 if spaces else 0).decode() for one in messages]
    msg = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    signature = base64.b64encode(hashlib.md5(f"{token}n0nce{msg}".encode(), usedforsecurity=False).digest()).decode()
    return f'{{"msg": {msg}, "msg_signature": "{signature}", "nonce": "n0nce"}}'.encode()


PRESSED = {"type": 1, "dev_id": 2016617, "ds_id": "button", "at": 1466133706841, "value": 1}


def test_a_data_point_is_a_code_of_stream_and_value_and_carries_its_own_number() -> None:
    offline = {"type": 2, "dev_id": 2016617, "status": 0, "login_type": 1, "at": 1466133706842}
    pressed, gone = map(accepted, readers.onenet(onenet(PRESSED, offline), NOW, "wgs84"))
    assert (pressed.device_id, pressed.type, gone.type) == ("2016617", "button:1", "offline")
    assert pressed.occurred_at == datetime(2016, 6, 17, 3, 21, 46, 841000, tzinfo=UTC)
    again = readers.onenet(onenet(PRESSED), NOW.replace(hour=9), "wgs84")
    assert accepted(again[0]).msg_id == pressed.msg_id


def test_what_is_nested_deeper_than_it_could_be_written_again_is_the_one_error() -> None:
    deep = b'{"a":' * 400 + b"1" + b"}" * 400
    for form, raw in (("action", deep), ("onenet", b'{"msg":' + deep + b"}")):
        with pytest.raises(PushError):
            READERS[form](raw, NOW, "wgs84")


@pytest.mark.parametrize("raw", [b'{"\\u006dsg": {}}', b'{"x": 1}', b"[]", b'"msg"', b'{"a": "\\"msg\\":", "msg": {}}'])
def test_a_message_that_cannot_be_cut_out_proves_nothing(raw: bytes) -> None:
    with suppress(PushError):
        assert not readers.is_of_onenet(TOKEN, *readers.signed_part(raw)[1::-1], "x")


def test_the_doors_types_are_those_that_are_known() -> None:
    assert Type.__args__ == makers.TYPES


@pytest.fixture
async def admin(clean_database: Database) -> dict[str, str]:
    return await staff_headers(clean_database, ["administrator"])


async def put(doors: httpx.AsyncClient, admin: dict[str, str], path: str, body: dict[str, Any]) -> int:
    headers = admin | {"Idempotency-Key": f"{path}{body}".encode().hex()[:200]}
    return (await doors.put(f"/v1/device-makers/{path}", json=body, headers=headers)).status_code


async def kinds(database: Database) -> list[str]:
    async with database.transaction() as tx:
        return [row["kind"] for row in await tx.fetch("SELECT kind FROM incident_alarm ORDER BY id")]


async def test_a_city_adds_a_maker_and_its_codes_without_a_release(
    doors: httpx.AsyncClient, admin: dict[str, str], clean_database: Database
) -> None:
    assert await put(doors, admin, "akang", {"form": "form", "crs": "gcj02"}) == 422  # without a secret
    assert await put(doors, admin, "akang", {"form": "form", "crs": "gcj02", "token": TOKEN}) == 204
    assert await put(doors, admin, "nobody/codes/3", {"type": "sos"}) == 404
    push = "/channels/devices/akang/push"
    body = b"imei=1&data_type=3&lng=102.19&lat=38.52"
    for wrong in ({}, {"X-Push-Token": "wrong"}):
        assert (await doors.post(push, content=body, headers=wrong)).status_code == 401
    proved = {"X-Push-Token": TOKEN, "Content-Type": "application/x-www-form-urlencoded"}
    taken = await doors.post(push, content=body, headers=proved)
    assert (taken.status_code, taken.json()) == (200, {"messages": 1, "fresh": 1})
    assert await put(doors, admin, "akang/codes/3", {"type": "fall"}) == 204
    assert (await doors.post(f"{push}?token={TOKEN}", content=body + b"&again=1")).json()["fresh"] == 1
    assert await kinds(clean_database) == ["3", "fall"]
    async with clean_database.transaction() as tx:
        raw = await tx.fetchrow("SELECT id, raw FROM inbound_contact ORDER BY id LIMIT 1")
        assert "data_type=3" in tx.vault.open("inbound_contact.raw", raw["id"], raw["raw"])
        row = await tx.fetchrow("SELECT lng, place, token FROM incident, device_maker")
    assert (row["place"], 102.18 < row["lng"] < 102.19) == ("device", True)  # moved from GCJ-02
    assert TOKEN.encode() not in bytes(row["token"])
    shown = (await doors.get("/v1/device-makers", headers=admin)).json()["items"]
    assert [(one["vendor"], one["form"], one["codes"]) for one in shown] == [("akang", "form", {"3": "fall"})]


async def test_shipped_codes_count_until_the_city_says_otherwise(
    doors: httpx.AsyncClient, admin: dict[str, str], clean_database: Database
) -> None:
    await put(doors, admin, "akmon", {"form": "action", "token": TOKEN})

    async def push(*said: dict[str, Any]) -> None:
        answer = await doors.post(
            "/channels/devices/akmon/push", content=orjson.dumps(said), headers={"X-Push-Token": TOKEN}
        )
        assert answer.status_code == 200, answer.text

    await push({"imei": "1", "Action": 7}, {"imei": "2", "Action": 452}, {"imei": "3", "Action": 4711})
    assert sorted(await kinds(clean_database)) == ["4711", "smoke", "sos"]
    await put(doors, admin, "akmon/codes/452", {"type": "test"})
    await push({"imei": "4", "Action": 452})
    assert len(await kinds(clean_database)) == 3


async def test_what_a_maker_says_and_nobody_can_read_is_looked_at(
    doors: httpx.AsyncClient, admin: dict[str, str], clean_database: Database
) -> None:
    await put(doors, admin, "akmon", {"form": "action", "token": TOKEN})
    for garbage in (b"\xff\xfe<alarm/>", b"[]", b""):
        answer = await doors.post("/channels/devices/akmon/push", content=garbage, headers={"X-Push-Token": TOKEN})
        assert answer.status_code == 200
    assert set(await kinds(clean_database)) == {"unreadable"}


@pytest.mark.parametrize("form", sorted(READERS))
async def test_whatever_is_posted_is_taken_or_refused_and_never_our_failure(
    doors: httpx.AsyncClient, admin: dict[str, str], form: str
) -> None:
    await put(doors, admin, "maker", {"form": form, "token": TOKEN})
    texts = [orjson.dumps({"imei": value, "Action": value, "msg": value}) for value in NASTY if _is_json(value)]
    for body in (*RAW, *texts, *(onenet({"dev_id": v, "value": v, "at": v}) for v in NASTY if _is_json(v))):
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            headers = {"X-Push-Token": TOKEN, "Content-Type": kind}
            answer = await doors.post("/channels/devices/maker/push", content=body, headers=headers)
            assert answer.status_code in {200, 401, 413, 422}, (body, answer.text)


async def test_onenet_checks_the_address_and_signs_the_text_as_it_stands(
    doors: httpx.AsyncClient, admin: dict[str, str], clean_database: Database
) -> None:
    path = "/channels/devices/onenet-1/push"
    assert (await doors.get(path)).status_code == 404
    await put(doors, admin, "onenet-1", {"form": "onenet", "token": TOKEN})
    await put(doors, admin, "onenet-1/codes/button", {"type": "sos"})
    signature = base64.b64encode(hashlib.md5(f"{TOKEN}n1hello".encode(), usedforsecurity=False).digest()).decode()
    asked = {"msg": "hello", "nonce": "n1", "signature": signature}
    assert (await doors.get(path, params=asked)).text == "hello"
    assert (await doors.get(path, params=asked | {"msg": "bye"})).status_code == 401
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
        await devices.bind(tx, SYSTEM, elder, "onenet-1", "2016617", "button", None)
    assert (await doors.post(path, content=onenet(PRESSED, token="another"))).status_code == 401
    for spaces in (True, False, True):
        assert (await doors.post(path, content=onenet(PRESSED, spaces=spaces))).status_code == 200
    online = PRESSED | {"type": 2, "status": 1, "at": 1466133706843}
    assert (await doors.post(path, content=onenet(online))).json() == {"messages": 1, "fresh": 1}
    async with clean_database.transaction() as tx:
        one = await tx.fetchrow("SELECT kind, elder_id, alarms FROM incident")
        assert await tx.fetchval("SELECT silent_at FROM elder_device") is not None
    assert (one["kind"], one["elder_id"], one["alarms"]) == ("sos", elder, 1)


async def test_codes_of_our_own_form_are_mapped_too_and_it_takes_no_pushes(
    doors: httpx.AsyncClient, admin: dict[str, str], clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, kind="device", name="watch")
    await put(doors, admin, "watch", {"form": "json"})
    await put(doors, admin, "watch/codes/fence_in", {"type": "restore"})
    said = {"device_id": "1", "msg_id": "1", "type": "fence_in"}
    assert (await signed_post(doors, key, "/channels/devices/watch", said)).json()["care_request_id"] is None
    assert (await doors.post("/channels/devices/watch/push", content=b"{}")).status_code == 404
