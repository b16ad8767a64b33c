"""Every failure is a problem document with a stable code, and none of them quotes anybody."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

JSON = {"content-type": "application/json", "idempotency-key": "k"}
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body: dict[str, Any] = answer.json()
    assert body.keys() >= MEMBERS
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def test_our_own_refusals(small: httpx.AsyncClient) -> None:
    late = problem(await small.post("/broken", json={"text": "a"}, headers=JSON), 409, "too_late")
    assert (late["winner"], late["at"]) == ("berta", "00000000-0000-0000-0000-000000000007")
    assert late["title"] == "Conflict"
    often = await small.get("/often")
    problem(often, 429, "too_often")
    assert often.headers["retry-after"] == "7"
    nobody = await small.get("/notes", headers={"x-who": "nobody"})
    problem(nobody, 401, "unauthorized")
    assert nobody.headers["www-authenticate"] == "Bearer"
    problem(await small.get("/notes", headers={"x-who": "eve"}), 403, "forbidden")


async def test_fields_are_named_and_values_are_not(small: httpx.AsyncClient) -> None:
    secret = "13893512345"
    body = {"text": "", "number": secret + "x", "inner": [{"a/b~": secret + "y"}], "extra": secret}
    answer = await small.post("/notes", json=body, headers=JSON)
    found = problem(answer, 422, "invalid")
    assert secret not in answer.text
    assert {(error["location"], error["pointer"]) for error in found["errors"]} == {
        ("body", "/text"),
        ("body", "/number"),
        ("body", "/inner/0/a~1b~0"),
        ("body", "/extra"),
    }
    in_query = problem(await small.get("/notes", params={"limit": secret}), 422, "invalid")
    assert [(error["location"], error["pointer"]) for error in in_query["errors"]] == [("query", "/limit")]
    assert secret not in json.dumps(in_query)
    many = await small.post("/notes", json={f"f{n}": 1 for n in range(500)}, headers=JSON)
    assert len(many.json()["errors"]) == 50


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid"),
        (b"", "invalid"),
        (b"[" * 100_000, "body_malformed"),
        (b'{"text":' * 50_000 + b"1" + b"}" * 50_000, "body_malformed"),
        (b'{"text": "\xff"}', "body_malformed"),
        (b'{"text": "a", "number": ' + b"9" * 5000 + b"}", "body_malformed"),
        (b'{"text": "a", "number": 1e400}', "invalid"),
        (b'{"text": "a", "number": NaN}', "invalid"),
        (b'{"text": "a", "ratio": NaN}', "invalid"),
        (b'{"text": "a", "ratio": -Infinity}', "invalid"),
        (b'{"text": "a", "number": 9999999999999999999999}', "value_not_acceptable"),
        (b'{"text": "a", "number": 2147483648}', "value_not_acceptable"),
        (b'{"text": "a\\u0000"}', "text_not_storable"),
        (b'{"text": "\\ud800"}', "text_not_storable"),
        (b'{"text": "a\x00"}', "text_not_storable"),
        (b"null", "invalid"),
        (b"7", "invalid"),
        (b'"text"', "invalid"),
        (b"[]", "invalid"),
        (b'{"text": {"text": []}}', "invalid"),
        ('{"text": "a"}'.encode("utf-16"), "text_not_storable"),
    ],
)
async def test_bad_bodies(small: httpx.AsyncClient, body: bytes, code: str) -> None:
    problem(await small.post("/notes", content=body, headers=JSON), 422, code)


async def test_a_body_of_another_kind(small: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/xml", "image/png", "x", ""):
        answer = await small.post("/notes", content=b'{"text": "a"}', headers=JSON | {"content-type": kind})
        problem(answer, 422, "invalid")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/notes?text=%00", "text_not_storable"),
        ("/notes?limit=0", "invalid"),
        ("/notes?limit=-1", "invalid"),
        ("/notes?limit=99999999999999999999", "invalid"),
        ("/notes?limit=", "invalid"),
        ("/slow?seconds=x", "invalid"),
    ],
)
async def test_bad_queries(small: httpx.AsyncClient, path: str, code: str) -> None:
    problem(await small.get(path), 422, code)


async def test_bad_paths(small: httpx.AsyncClient) -> None:
    problem(await small.put(f"/notes/{10**30}", headers=JSON), 422, "value_not_acceptable")
    problem(await small.put("/notes/x", headers=JSON), 422, "invalid")
    problem(await small.put("/notes/%00", headers=JSON), 422, "text_not_storable")
    problem(await small.get("/nowhere"), 404, "not_found")
    refused = await small.delete("/notes")
    problem(refused, 405, "method_not_allowed")
    assert "allow" in refused.headers


async def test_a_violated_constraint_is_a_conflict(small: httpx.AsyncClient) -> None:
    problem(await small.get("/unique"), 409, "conflict")


async def test_the_unforeseen_says_nothing(
    small_in_production: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await small_in_production.get("/bug")
    problem(answer, 500, "internal_error")
    logged = capsys.readouterr().out
    assert answer.headers["x-request-id"] in logged
    assert "KeyError" in logged
    for personal in ("13893512345", "王秀兰"):
        assert personal not in logged
        assert personal not in answer.text


async def test_in_development_the_unforeseen_is_raised(small: httpx.AsyncClient) -> None:
    with pytest.raises(KeyError):
        await small.get("/bug")
