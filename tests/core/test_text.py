"""Every character of a name is welcome; what PostgreSQL cannot hold is refused at the door."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.db import Tx
from app.core.errors import Invalid
from app.core.text import (
    masked_id_number,
    masked_name,
    masked_phone,
    refuse_unstorable,
)

RARE = ["𠮷", "王𠮷𫟹", "买买提·艾力", "A・B•C", "\U0002f800", "\ue863", "é", "👵🏻"]
JSON = "application/json"
storable = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"))


def is_refused(body: bytes, query: bytes = b"", content_type: str = JSON) -> bool:
    try:
        refuse_unstorable(body, query, content_type)
    except Invalid:
        return True
    return False


@given(st.dictionaries(storable, storable))
def test_storable_text_passes_however_it_is_escaped(value: dict[str, str]) -> None:
    assert not is_refused(json.dumps(value).encode())
    assert not is_refused(json.dumps(value, ensure_ascii=False).encode())


@given(storable, st.sampled_from(["\0", "\ud800", "\udfff", "\udc00\ud800", "\ud800\ud800"]), storable)
def test_unstorable_text_is_found_anywhere(before: str, bad: str, after: str) -> None:
    assert is_refused(json.dumps({"a": [before + bad + after]}).encode())
    assert is_refused(json.dumps({before + bad + after: 1}).encode())


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (rb'"\u0000"', True),
        (rb'"\\u0000"', False),  # a backslash and five harmless characters
        (rb'"\\\u0000"', True),
        (rb'"\ud83d\ude00"', False),
        (rb'"\uD842\uDFB7"', False),
        (rb'"\ud83d"', True),
        (rb'"\ude00"', True),
        (rb'"\ude00\ud83d"', True),
        (rb'"\ud83d\\ude00"', True),
        (rb'"\ud83d\ud83d\ude00"', True),
        (rb'"\\ud83d"', False),
        (b'"a\x00"', True),
        (b"\\", False),
        (b"", False),
    ],
)
def test_escapes(body: bytes, refused: bool) -> None:
    assert is_refused(body) is refused


def test_only_what_claims_to_be_json_is_read_as_json() -> None:
    assert not is_refused(b"\x00\xff", content_type="image/jpeg")
    assert is_refused(b"\x00", content_type="application/problem+json; charset=utf-8")


def test_queries() -> None:
    assert is_refused(b"", b"name=%00")
    assert is_refused(b"", b"%00=x")
    assert not is_refused(b"", b"name=%2500&x=%E5%90%89")


@pytest.mark.parametrize("name", RARE)
async def test_names_are_stored_exactly_as_given(small: httpx.AsyncClient, name: str) -> None:
    for form in (json.dumps({"text": name}), json.dumps({"text": name}, ensure_ascii=False)):
        answer = await small.post(
            "/notes", content=form.encode(), headers={"content-type": JSON, "idempotency-key": str(hash(form))}
        )
        assert answer.json()["text"] == name
    assert (await small.get("/notes", params={"text": name})).json() == [name, name]


async def test_rare_characters_survive_the_database(tx: Tx) -> None:
    for name in RARE:
        assert await tx.fetchval("SELECT $1::text", name) == name
        assert await tx.fetchval("SELECT $1::jsonb -> 'n'", json.dumps({"n": name})) == name


def test_masks() -> None:
    names = ("张三丰", "𠮷田", "王", "", "欧阳秀英", "欧阳", "艾孜买提·吐尔逊", "A・B•C")
    assert [masked_name(name) for name in names] == ["张**", "𠮷**", "王**", "", "欧阳**", "欧**", "艾孜买提**", "A**"]
    assert masked_phone("+8613893512345") == "138****2345"
    assert masked_phone("+869358212345") == "935****2345"
    assert masked_phone("+86110") == "***"
    assert masked_id_number("62030219400101001X") == "620302********001X"
    assert masked_id_number("12345") == "*****"
