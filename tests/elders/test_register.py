"""Registering and changing elders in the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from app.core import clock
from app.core.crypto import SealBroken
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.geo import Crs, Location
from app.core.http import SYSTEM, Caller
from app.elders import queries, registration, seals, service
from app.elders.facts import NewFamilyMember, NewPhone, NewTag
from tests.world import World
from tests.world.elders import new_elder

NUMBER = "62030219400101001X"


def staff(*divisions: str) -> Caller:
    return Caller(kind="staff", id="s1", name="王敏", roles=frozenset({"operator"}), divisions=divisions)


async def test_what_is_personal_is_sealed(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx, id_number=NUMBER, health_note="高血压", phones=(NewPhone("138-0000-0001"),))
    row = await queries.row(tx, elder_id)
    assert (row.sex, row.birth_date) == ("male", date(1940, 1, 1))
    stored = " ".join(str(value) for value in row) + str([*await queries.phones(tx, [elder_id])])
    for secret in (NUMBER, "龙集里小区", "高血压", "13800000001"):
        assert secret not in stored
        assert secret.encode() not in b"".join(bytes(v) for v in row if isinstance(v, bytes))
    door = await service.door(tx, elder_id)
    assert (door.address, door.phone, door.notes) == ("龙集里小区 3 号楼 2 单元 401", "+8613800000001", "高血压")
    other = await world.elder(tx, name="李四")
    with pytest.raises(SealBroken):
        tx.vault.open(seals.ADDRESS, other, row.address)
    with pytest.raises(NotFound):
        await service.door(tx, uuid4())


async def test_the_first_phone_is_the_door_phone_and_places_are_converted(tx: Tx, world: World) -> None:
    place = Location(lng=102.18989, lat=38.521838, crs=Crs.GCJ02)
    phones = (NewPhone("0935-8210001"), NewPhone("13800000001", "child", "曾小芳"))
    elder_id = await world.elder(tx, location=place, phones=phones)
    door = await service.door(tx, elder_id)
    assert door.phone == "+869358210001"
    assert door.lng == pytest.approx(102.1879, abs=1e-5)
    assert door.lat == pytest.approx(38.5214, abs=1e-5)
    bare = await world.elder(tx, location=None, phones=(), address=None)
    assert await service.door(tx, bare) == service.Door(None, None, None, None, None)


async def test_one_phone_many_elders(tx: Tx, world: World) -> None:
    husband = await world.elder(tx)
    wife = await world.elder(tx, name="刘桂花", family=(NewFamilyMember("曾小芳", "child", "13800000001"),))
    gone = await world.elder(tx, name="旧邻居")
    await registration.change(tx, SYSTEM, gone, {"status": "moved"}, None)
    await world.elder(tx, name="别人", phones=(NewPhone("0935-8210002"),))
    found = await service.find_by_phone(tx, "+869358210001")
    assert {(match.elder_id, match.relation) for match in found} == {(husband, "self"), (wife, "self")}
    child = await service.find_by_phone(tx, "+8613800000001")
    assert [tuple(match) for match in child] == [(wife, "刘桂花", "child")]
    assert await service.find_by_phone(tx, "+8613900000000") == []


async def test_old_names_of_circumstances_read_as_today(tx: Tx, world: World) -> None:
    tags = (
        NewTag("five_guarantees", date(2008, 1, 1), "民政"),
        NewTag("living_alone", date(2020, 1, 1), "社区"),
        NewTag("low_income", date(2015, 1, 1), "民政", valid_to=date(2018, 12, 31)),
    )
    elder_id = await world.elder(tx, tags=tags)
    with clock.hold(datetime(2026, 3, 1, tzinfo=UTC)):
        assert (await service.elder(tx, elder_id)).tags == ("extreme_poverty", "living_alone")
    with clock.hold(datetime(2010, 3, 1, tzinfo=UTC)):
        assert (await service.elder(tx, elder_id)).tags == ("five_guarantees",)


async def test_same_number_in_either_form_is_the_same_person(tx: Tx, world: World) -> None:
    first = await world.elder(tx, id_number="620302400101001")
    with pytest.raises(Conflict) as taken:
        await world.elder(tx, name="曾得明", id_number=NUMBER)
    assert taken.value.facts == {"elder_id": str(first)}
    with pytest.raises(Conflict) as elsewhere:
        await registration.register(tx, staff("620321"), new_elder(division_code="620321100201", id_number=NUMBER))
    assert elsewhere.value.facts == {}


async def test_warnings_do_not_refuse(tx: Tx) -> None:
    wrong = new_elder(id_number="620302194001010011", birth_date=date(1940, 2, 8), sex="female")
    done = await registration.register(tx, SYSTEM, wrong)
    assert done.warnings == ("id_number_check_digit", "birth_date_differs", "sex_differs")
    row = await queries.row(tx, done.id)
    assert (row.birth_date, row.sex) == (date(1940, 2, 8), "female")
    other = await registration.register(tx, SYSTEM, new_elder(name="王德明", birth_date=date(1940, 2, 8)))
    assert (other.warnings, other.possible_duplicates) == ((), ())
    later = await registration.register(tx, SYSTEM, new_elder(birth_date=date(1940, 2, 9)))
    assert (later.warnings, later.possible_duplicates) == ((), ())
    same = await registration.register(tx, SYSTEM, new_elder(name="增德明", birth_date=date(1940, 2, 8)))
    assert (same.warnings, same.possible_duplicates) == (("possible_duplicate",), (done.id,))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"division_code": "62030"}, "division_malformed"),
        ({"birth_date": date(1879, 12, 31)}, "birth_date_impossible"),
        ({"birth_date": date(2999, 1, 1)}, "birth_date_impossible"),
        ({"phones": (NewPhone("12"),)}, "phone_malformed"),
        ({"phones": (NewPhone("13800000001", "boss"),)}, "relation_unknown"),
        ({"tags": (NewTag("rich", date(2020, 1, 1), "x"),)}, "tag_unknown"),
    ],
)
async def test_what_cannot_be_is_refused(tx: Tx, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        await registration.register(tx, SYSTEM, new_elder(**wrong))
    assert refused.value.code == code


async def test_staff_register_within_their_divisions_only(tx: Tx) -> None:
    assert (await registration.register(tx, staff("620302"), new_elder())).version == 1
    with pytest.raises(NotFound):
        await registration.register(tx, staff("620321"), new_elder())


async def test_changes_keep_what_they_do_not_name(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx, id_number=NUMBER, health_note="高血压")
    done = await registration.change(tx, SYSTEM, elder_id, {"address": "新家 1 号", "health_note": None}, 1)
    assert done.version == 2
    door = await service.door(tx, elder_id)
    assert (door.address, door.notes, door.phone) == ("新家 1 号", None, "+869358210001")
    row = await queries.row(tx, elder_id)
    assert row.id_number_index is not None
    with pytest.raises(Stale):
        await registration.change(tx, SYSTEM, elder_id, {"name": "x"}, 1)
    await registration.change(tx, SYSTEM, elder_id, {"id_number": None}, 2)
    row = await queries.row(tx, elder_id)
    assert (row.id_number, row.id_number_raw, row.id_number_index, row.last4_index) == (None, None, None, None)


async def test_two_desks_enter_one_person_at_once(database: Database) -> None:
    async def enter(name: str) -> str:
        try:
            async with database.transaction() as tx:
                await registration.register(tx, SYSTEM, new_elder(name=name, id_number=NUMBER))
        except Conflict as late:
            return late.code
        return "made"

    ended = await asyncio.gather(*(enter(f"曾{n}") for n in "一二三四五六七八"))
    assert sorted(ended) == ["elder_exists"] * 7 + ["made"]


async def test_departure_ends_benefits(tx: Tx, world: World) -> None:
    elder_id = await world.elder(tx)
    entitlement_id = await world.entitlement(tx, elder_id)
    with clock.hold(datetime(2026, 3, 9, 17, 0, tzinfo=UTC)):
        await registration.change(tx, SYSTEM, elder_id, {"status": "deceased"}, None)
    last = await tx.fetchval("SELECT valid_to FROM entitlement WHERE id = $1", entitlement_id)
    assert last == date(2026, 3, 10)  # one in the morning in Jinchang


@pytest.mark.parametrize("name", ["·", "A", "𠮷田", "艾力·买买提", "王" * 80, "O'Brien"])
async def test_any_name_can_be_entered(tx: Tx, world: World, name: str) -> None:
    elder_id = await world.elder(tx, name=name)
    assert (await service.elder(tx, elder_id)).name == name
