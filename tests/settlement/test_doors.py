"""The doors: who may open them, what they answer, and that a whole month passes through them."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.core import clock
from app.core.db import Database
from tests.settlement.test_statements import OCTOBER
from tests.world.accounts import make_app_key, signed_headers, staff_token
from tests.world.settlement import Market, make_market, make_served_order


class Desk:
    """A signed-in caller of the API."""

    def __init__(self, api: httpx.AsyncClient, token: str) -> None:
        self._api, self._token = api, token

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self._api.get(path, params=params, headers={"Authorization": f"Bearer {self._token}"})

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": str(uuid4())} | headers
        return await self._api.post(path, json=body, headers=sent)


class App:
    """A provider's system, which signs its requests."""

    def __init__(self, api: httpx.AsyncClient, key: str, secret: str) -> None:
        self._api, self._key, self._secret = api, key, secret

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        content = json.dumps(body).encode() if body is not None else b""
        signed = signed_headers(self._key, self._secret, method, path, content, **{"Idempotency-Key": str(uuid4())})
        return await self._api.request(method, path, content=content, headers=signed)


async def desk(api: httpx.AsyncClient, database: Database, role: str, *divisions: str) -> Desk:
    return Desk(api, await staff_token(database, (role,), divisions or ("620300",)))


@pytest.fixture
async def market(database: Database) -> Market:
    async with database.transaction() as tx:
        made = await make_market(tx)
        for rating in (5, 3):
            await make_served_order(tx, made, rating=rating)
        await make_served_order(tx, made, status="completed")
    return made


async def provider_app(api: httpx.AsyncClient, database: Database, market: Market) -> App:
    async with database.transaction() as tx:
        return App(api, *await make_app_key(tx, provider_id=market.provider_id))


async def test_a_month_through_the_doors(api: httpx.AsyncClient, database: Database, market: Market) -> None:
    clerk, approver = await desk(api, database, "settlement_clerk"), await desk(api, database, "finance_approver")
    run = await clerk.post("/v1/settlement-runs", {"period": "2025-09"})
    assert run.status_code == 200, run.text
    again = await clerk.post("/v1/settlement-runs", {"period": "2025-09"})
    assert again.json() == run.json()
    (statement,) = run.json()["statements"]
    assert (statement["status"], statement["lines"], statement["next_acts"]) == ("draft", 2, ["issue"])

    left = (await clerk.get(f"/v1/settlement-runs/{run.json()['id']}/unsettled")).json()["items"]
    assert [entry["reasons"] for entry in left] == [["not_followed_up"]]

    path = f"/v1/statements/{statement['id']}"
    stale = await clerk.post(f"{path}/issue", {}, **{"If-Match": '"9"'})
    assert stale.status_code == 412
    issued = await clerk.post(f"{path}/issue", {}, **{"If-Match": '"1"'})
    assert (issued.status_code, issued.headers["etag"]) == (200, '"2"')
    assert (await clerk.post(f"{path}/issue", {})).json()["code"] == "statement_state"

    app = await provider_app(api, database, market)
    (own,) = (await app.call("GET", "/v1/provider/statements")).json()["items"]
    assert own["id"] == statement["id"]
    page = (await app.call("GET", f"/v1/provider/statements/{own['id']}?limit=1")).json()
    assert len(page["items"]) == 1
    rest = (await app.call("GET", f"/v1/provider/statements/{own['id']}?cursor={page['next_cursor']}")).json()
    lines = page["items"] + rest["items"]
    assert [line["position"] for line in lines] == [1, 2]
    assert lines[1]["inputs"]["coefficient_bp"] == 9000

    raised = await app.call(
        "POST",
        f"/v1/provider{path.removeprefix('/v1')}/dispute",
        {"lines": [{"line_id": lines[1]["id"], "reason": "老人误按", "evidence": ["u-1"]}]},
    )
    assert (raised.status_code, raised.json()["held_fen"]) == (200, lines[1]["due_fen"])
    detail = (await clerk.get(path)).json()
    dispute = detail["items"][1]["dispute"]
    decided = await clerk.post(
        f"{path}/disputes/{dispute['id']}/decision", {"upheld": True, "amount_fen": 100, "note": "核实"}
    )
    assert decided.json()["held_fen"] == 0
    assert (await clerk.post(f"{path}/review")).status_code == 200
    assert (await clerk.post(f"{path}/approval")).status_code == 403
    assert (await approver.post(f"{path}/approval")).status_code == 200
    paid = await approver.post(f"{path}/payment", {"reference": "B-1"})
    assert (paid.json()["status"], paid.json()["paid_fen"]) == ("paid", statement["due_fen"])
    assert (await clerk.get(f"{path}/recomputation")).json()["same"] is True

    accounts = (await approver.get("/v1/ledger/accounts")).json()
    assert sum(account["balance_fen"] for account in accounts) == 0
    bank = (await approver.get("/v1/ledger/accounts/bank/entries")).json()["items"]
    assert [(entry["side"], entry["amount_fen"]) for entry in bank] == [("credit", statement["due_fen"])]

    adjusted = await clerk.post(
        f"{path}/adjustments", {"line_id": lines[0]["id"], "amount_fen": -100, "reason": "核减"}
    )
    assert adjusted.status_code == 201
    released = await clerk.post(f"{path}/holdback-release", {"reason": "考核合格"})
    assert released.status_code == 201
    sheet = await clerk.get(f"{path}/export.xlsx")
    assert sheet.headers["content-type"].startswith("application/vnd.openxmlformats")
    assert sheet.content[:2] == b"PK"


async def test_an_idempotency_key_repeats_the_answer(
    api: httpx.AsyncClient, database: Database, market: Market
) -> None:
    clerk = await desk(api, database, "settlement_clerk")
    run = (await clerk.post("/v1/settlement-runs", {"period": "2025-09"})).json()
    path = f"/v1/statements/{run['statements'][0]['id']}/issue"
    first = await clerk.post(path, {}, **{"Idempotency-Key": "one"})
    second = await clerk.post(path, {}, **{"Idempotency-Key": "one"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("POST", "/v1/settlement-runs", "finance_approver"),
        ("POST", "/v1/settlement-runs", "operator"),
        ("POST", "/v1/statements/{id}/issue", "auditor"),
        ("POST", "/v1/statements/{id}/approval", "settlement_clerk"),
        ("POST", "/v1/statements/{id}/payment", "settlement_clerk"),
        ("POST", "/v1/statements/{id}/adjustments", "finance_approver"),
        ("GET", "/v1/statements", "operator"),
        ("GET", "/v1/ledger/accounts", "supervisor"),
        ("GET", "/v1/provider/statements", "settlement_clerk"),
    ],
)
async def test_who_may_not(api: httpx.AsyncClient, database: Database, method: str, path: str, role: str) -> None:
    caller = await desk(api, database, role)
    sent = caller.get(path.format(id=uuid4())) if method == "GET" else caller.post(path.format(id=uuid4()), {})
    assert (await sent).status_code == 403


async def test_another_city_and_another_provider_see_nothing(
    api: httpx.AsyncClient, database: Database, market: Market
) -> None:
    clerk, far = await desk(api, database, "settlement_clerk"), await desk(api, database, "settlement_clerk", "620400")
    run = (await clerk.post("/v1/settlement-runs", {"period": "2025-09"})).json()
    path = f"/v1/statements/{run['statements'][0]['id']}"
    assert (await clerk.post(f"{path}/issue", {})).status_code == 200
    assert (await far.get("/v1/statements")).json()["items"] == []
    assert (await far.get(f"/v1/settlement-runs/{run['id']}")).json()["statements"] == []
    assert (await far.get(f"/v1/settlement-runs/{run['id']}/unsettled")).json()["items"] == []
    assert (await far.get("/v1/ledger/accounts")).json() == []
    for tail in ("", "/recomputation", "/export.xlsx"):
        assert (await far.get(path + tail)).status_code == 404
    assert (await far.post(f"{path}/review")).status_code == 404
    async with database.transaction() as tx:
        stranger = App(api, *await make_app_key(tx, provider_id=(await make_market(tx)).provider_id))
    assert (await stranger.call("GET", "/v1/provider/statements")).json()["items"] == []
    assert (await stranger.call("POST", f"/v1/provider{path.removeprefix('/v1')}/confirmation")).status_code == 404


@pytest.mark.parametrize("body", [{"period": "2025-13"}, {"period": "09"}, {}, {"period": "2025-09", "extra": 1}])
async def test_a_run_takes_a_month(api: httpx.AsyncClient, database: Database, body: Any) -> None:
    clerk = await desk(api, database, "settlement_clerk")
    assert (await clerk.post("/v1/settlement-runs", body)).status_code == 422


async def test_contract_terms_through_the_door(api: httpx.AsyncClient, database: Database, market: Market) -> None:
    approver = await desk(api, database, "finance_approver")
    terms = {
        "provider_id": str(market.provider_id), "division_code": "620321", "valid_from": "2026-01-01",
        "bands": [{"min_score": 1, "bp": 8000}], "unrated_bp": 9000, "partly_visit_bp": 5000, "confirm_days": 7,
    }  # fmt: skip
    assert (await approver.post("/v1/contracts", terms)).status_code == 201
    assert (await approver.post("/v1/contracts", terms)).json()["code"] == "contract_overlaps"
    assert (await approver.post("/v1/contracts", terms | {"division_code": "110000"})).status_code == 404
    assert (await approver.post("/v1/contracts", terms | {"bands": [{"min_score": 6, "bp": 1}]})).status_code == 422
    listed = (await approver.get("/v1/contracts", provider_id=market.provider_id)).json()
    assert [entry["division_code"] for entry in listed] == ["620300", "620321"]


async def test_a_running_month_is_issued_only_on_purpose(
    api: httpx.AsyncClient, database: Database, market: Market
) -> None:
    clerk = await desk(api, database, "settlement_clerk")
    run = (await clerk.post("/v1/settlement-runs", {"period": "2025-09"})).json()
    path = f"/v1/statements/{run['statements'][0]['id']}/issue"
    async with database.transaction() as tx:
        await tx.run("UPDATE statement SET period = $1", clock.now().strftime("%Y-%m"))
    assert (await clerk.post(path, {})).json()["code"] == "period_not_over"
    assert (await clerk.post(path, {"early": True})).status_code == 200
    assert clock.now() > OCTOBER
