"""Finding elders among others."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.core.db import Tx
from app.core.errors import Invalid
from app.core.http import SYSTEM, Caller
from app.elders import queries_search, registration, search
from app.elders.facts import NewFamilyMember, NewPhone
from app.elders.search import Kind, kind_of
from tests.world import World

JINCHUAN = Caller(kind="staff", id="s1", name="王敏", roles=frozenset({"operator"}), divisions=("620302",))
CITY = Caller(kind="staff", id="s2", name="李强", roles=frozenset({"operator"}), divisions=("620300",))
NUMBER = "62030219400101001X"


@pytest.mark.parametrize(
    ("q", "kind"),
    [
        ("曾德明", Kind.NAME),
        ("zdm", Kind.NAME),
        ("001X", Kind.LAST4),
        ("001x", Kind.LAST4),
        ("0001", Kind.LAST4),
        ("8210001", Kind.PHONE),
        ("0935-8210001", Kind.PHONE),
        ("+86 138 0000 0001", Kind.PHONE),
        (NUMBER.lower(), Kind.ID_NUMBER),
        ("620302 400101 001", Kind.ID_NUMBER),
        ("三", Kind.NAME),
    ],
)
def test_kinds(q: str, kind: Kind) -> None:
    assert kind_of(q) is kind


async def find(tx: Tx, q: str, caller: Caller = CITY, division: str | None = None, limit: int = 20) -> list[UUID]:
    return [hit.id for hit in await search.search(tx, caller, q, division=division, after=None, limit=limit)]


@pytest.fixture
async def crowd(tx: Tx, world: World) -> dict[str, UUID]:
    """One elder to look for, among people who are like them in one way each."""
    return {
        "zeng": await world.elder(tx, id_number=NUMBER, family=(NewFamilyMember("曾小芳", "child", "13800000001"),)),
        "ceng": await world.elder(tx, name="层德明", phones=(NewPhone("0935-8210002"),)),
        "long": await world.elder(tx, name="曾德明珠", phones=(NewPhone("13900000001"),)),
        "far": await world.elder(tx, division_code="620321100201", phones=(NewPhone("0935-8220001"),)),
        "wang": await world.elder(tx, name="王秀兰", phones=(NewPhone("13900000002"),)),
    }


async def test_by_name_sound_and_letters(tx: Tx, crowd: dict[str, UUID]) -> None:
    zeng, ceng, long, far = crowd["zeng"], crowd["ceng"], crowd["long"], crowd["far"]
    assert await find(tx, "曾德明") == [*sorted([zeng, far]), long, ceng]
    assert await find(tx, "曾德明", JINCHUAN) == [zeng, long, ceng]
    assert set(await find(tx, "zengdeming")) == {zeng, long, far}
    assert set(await find(tx, "Zeng De")) == {zeng, long, far}
    assert set(await find(tx, "cengdeming")) == {zeng, long, far, ceng}  # either reading of the surname
    assert set(await find(tx, "zdm", JINCHUAN)) == {zeng, long}
    assert set(await find(tx, "德明", JINCHUAN)) == {zeng, long, ceng}
    assert set(await find(tx, "增德明", JINCHUAN)) == {zeng, long}  # as the operator heard it
    assert await find(tx, "wangxl") == []  # a mixture of spellings is neither
    assert await find(tx, "%") == []
    assert await find(tx, "_德明") == []
    with pytest.raises(Invalid):
        await find(tx, " · ")


async def test_by_phone_and_id_number(tx: Tx, crowd: dict[str, UUID]) -> None:
    assert await find(tx, "8210001") == [crowd["zeng"]]
    assert await find(tx, "(0935) 8210001") == [crowd["zeng"]]
    assert await find(tx, "138 0000 0001") == [crowd["zeng"]]  # the daughter's
    assert await find(tx, "13900000002") == [crowd["wang"]]
    assert await find(tx, NUMBER) == [crowd["zeng"]]
    assert await find(tx, "620302400101001") == [crowd["zeng"]]
    assert await find(tx, NUMBER[:-1] + "9") == []
    assert await find(tx, "0935-8220001", JINCHUAN) == []
    assert await find(tx, "0935-8220001") == [crowd["far"]]


async def test_by_last_four(tx: Tx, crowd: dict[str, UUID]) -> None:
    assert await find(tx, "001X") == [crowd["zeng"]]
    assert await find(tx, "001x", division="620302") == [crowd["zeng"]]
    assert await find(tx, "001X", division="620321") == []
    assert set(await find(tx, "0001", division="620300")) == {crowd["zeng"], crowd["long"], crowd["far"]}
    assert set(await find(tx, "0001", JINCHUAN)) == {crowd["zeng"], crowd["long"]}
    assert await find(tx, "0002", division="620302001001") == sorted([crowd["ceng"], crowd["wang"]])


async def test_the_short_index_only_narrows_down(
    tx: Tx, crowd: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Had the index values collided for everybody, the answer would be the same: numbers are compared opened."""

    async def everybody_by_id(tx: Tx, visible: object, _: object, limit: int) -> object:
        return await tx.all(
            queries_search.select(queries_search.Elder.id, queries_search.Elder.id_number).where(
                queries_search.Elder.id_number.is_not(None)
            )
        )

    monkeypatch.setattr(queries_search, "by_id_last4", everybody_by_id)
    assert await find(tx, "001X", division="620302") == [crowd["zeng"]]
    assert await find(tx, "002X", division="620302") == []


async def test_last_four_follow_a_move(tx: Tx, crowd: dict[str, UUID]) -> None:
    await registration.change(tx, SYSTEM, crowd["zeng"], {"division_code": "620321100201"}, None)
    assert await find(tx, "001X", division="620321") == [crowd["zeng"]]
    assert crowd["zeng"] in await find(tx, "0001", division="620321")
    assert await find(tx, "001X", division="620302") == []
    assert await find(tx, "8210001", JINCHUAN) == []


async def test_a_new_name_replaces_the_old(tx: Tx, crowd: dict[str, UUID]) -> None:
    await registration.change(tx, SYSTEM, crowd["wang"], {"name": "黄秀兰"}, None)
    assert await find(tx, "wangxiulan") == []
    assert await find(tx, "huangxiulan") == [crowd["wang"]]


async def test_pages_follow_each_other_without_gap(tx: Tx, crowd: dict[str, UUID]) -> None:
    everybody = await search.search(tx, CITY, "曾德明", division=None, after=None, limit=20)
    collected, after = [], None
    while page := await search.search(tx, CITY, "曾德明", division=None, after=after, limit=1):
        collected += page
        after = page[-1]
    assert collected == everybody
    assert [hit.rank for hit in everybody] == [0, 0, 1, 2]


async def test_nobody_without_divisions_finds_anybody(tx: Tx, crowd: dict[str, UUID]) -> None:
    nobody = Caller(kind="staff", id="s3", name="x", roles=frozenset({"operator"}))
    family = Caller(kind="family", id="f1", name="x", divisions=("620300",))
    for caller in (nobody, family):
        for q in ("曾德明", "8210001", NUMBER, "001X"):
            assert await find(tx, q, caller) == []
