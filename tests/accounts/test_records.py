"""Links, consents, caregiver sessions, the audit trail, staff accounts and the start-up check."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Text, select
from sqlalchemy.dialects import postgresql
from starlette.routing import WebSocketRoute

from app.accounts import audit, checks, codes, consent, links, scope
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import NotFound
from app.core.http import SYSTEM, Caller, Router, allow
from tests.world.accounts import PASSWORD, make_staff, staff_headers, staff_token

CODES = st.sampled_from(["620000", "620300", "620302", "620302001", "620302001001", "620321", "321000", "321002001"])
OPERATOR = Caller(kind="staff", id="1", name="王敏", roles=frozenset({"operator"}), divisions=("620302",))


@given(st.lists(CODES, max_size=3), CODES)
def test_scope_in_python_and_in_sql_agree(divisions: list[str], code: str) -> None:
    caller = Caller(kind="staff", id="1", name="x", divisions=tuple(divisions))
    column = Column("division_code", Text)
    Table("t", MetaData(), column)
    sql = str(
        scope.within(column, caller).compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    )
    python = sql.replace("t.division_code", repr(code)).replace("AND", "and").replace("OR", "or")
    assert eval(python, {"false": False}) == scope.sees(caller, code)  # noqa: S307 (our own comparison, in Python)


async def test_scope_as_the_database_sees_it(tx: Tx) -> None:
    await tx.run("CREATE TEMP TABLE place (division_code text) ON COMMIT DROP")
    places = ["620302", "620302001", "620302001001", "620321", "620300", "321000"]
    await tx.run("INSERT INTO place SELECT unnest($1::text[])", places)
    place = Table("place", MetaData(), Column("division_code", Text))
    for divisions in ([], ["620302"], ["620300"], ["620302001", "321000"], ["000000"]):
        caller = Caller(kind="staff", id="1", name="x", divisions=tuple(divisions))
        rows = await tx.all(select(place).where(scope.within(place.c.division_code, caller)))
        assert {row[0] for row in rows} == {code for code in places if scope.sees(caller, code)}


def test_out_of_scope_is_not_found() -> None:
    scope.see(OPERATOR, "620302001001")
    scope.see(SYSTEM, "321000")
    with pytest.raises(NotFound):
        scope.see(OPERATOR, "620321")
    with pytest.raises(NotFound):
        scope.see(Caller(kind="provider", id="1", name="x", divisions=("620300",)), "620302")


async def test_a_link_leads_to_one_thing_for_one_purpose(tx: Tx) -> None:
    order = uuid4()
    token = await links.issue(tx, "order", order, timedelta(days=7))
    assert await links.resolve(tx, token, "order") == order
    for wrong, purpose in ((token, "rating"), (token + "x", "order"), ("", "order")):
        with pytest.raises(NotFound):
            await links.resolve(tx, wrong, purpose)
    assert await tx.fetchval("SELECT uses FROM signed_link") == 1
    stored = await tx.fetchval("SELECT signed_link::text FROM signed_link")
    assert token not in stored
    assert token.encode().hex() not in stored


async def test_a_link_expires_wears_out_and_can_be_revoked(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    start, order = clock.now(), uuid4()
    with clock.hold(start):
        token = await links.issue(tx, "order", order, timedelta(hours=1))
    with clock.hold(start + timedelta(hours=1)), pytest.raises(NotFound):
        await links.resolve(tx, token, "order")
    monkeypatch.setattr(links, "MAX_USES", 2)
    assert [await links.resolve(tx, token, "order") for _ in range(2)] == [order, order]
    with pytest.raises(NotFound):
        await links.resolve(tx, token, "order")
    monkeypatch.undo()
    assert await links.revoke(tx, "order", order) == 1
    with pytest.raises(NotFound):
        await links.resolve(tx, token, "order")


async def test_who_opens_a_link_leaves_a_line_that_tells_no_telephone_from_another(tx: Tx) -> None:
    order, start = uuid4(), clock.now().replace(minute=3)
    wechat = "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50"
    with clock.hold(start):
        token = await links.issue(tx, "order", order, timedelta(days=7), "family:1")
        for agent in (wechat, wechat, "Mozilla/5.0 (Windows NT 10.0)"):
            assert await links.opened(tx, token, "order", agent) == order
        assert await links.leads_to(tx, token, "order") == order
        with pytest.raises(NotFound):
            await links.opened(tx, token + "x", "order", wechat)
    with clock.hold(start + timedelta(minutes=9)):
        await links.opened(tx, token, "order", wechat)
    seen = [(row["device"], row["times"], row["held_by"]) for row in await links.openings(tx, "order", order)]
    assert seen[0] == ("wechat", 1, "family:1"), "ten minutes later it is a look of its own"
    assert sorted(seen[1:]) == [("computer", 1, "family:1"), ("wechat", 2, "family:1")]
    assert await links.openings(tx, "order", uuid4()) == []
    assert await tx.fetchval("SELECT uses FROM signed_link") == 4, "looking for news is no use of it"
    standing = await links.standing(tx, "order", [order, uuid4()])
    assert list(standing) == [order]


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (Linux; Android 14) Mobile MicroMessenger/8.0", "wechat"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) Mobile", "phone"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "computer"),
        ("curl/8.0", "program"),
        ("", "program"),
    ],
)
def test_devices_are_told_apart_coarsely(agent: str, device: str) -> None:
    assert links.device_of(agent) == device


async def test_consent_stands_from_grant_to_withdrawal(tx: Tx) -> None:
    elder = uuid4()
    assert not await consent.allows(tx, elder, "family.progress", "family:1")
    given_id = await consent.grant(tx, OPERATOR, elder, "family.progress", "family:1", "phone", "recording-1")
    assert await consent.grant(tx, OPERATOR, elder, "family.progress", "family:1", "phone") == given_id
    assert await consent.allows(tx, elder, "family.progress", "family:1")
    assert not await consent.allows(tx, elder, "family.progress", "family:2")
    assert not await consent.allows(tx, uuid4(), "family.progress", "family:1")
    await consent.withdraw(tx, OPERATOR, elder, "family.progress", "family:1")
    assert not await consent.allows(tx, elder, "family.progress", "family:1")
    with pytest.raises(NotFound):
        await consent.withdraw(tx, OPERATOR, elder, "family.progress", "family:1")
    assert await consent.grant(tx, OPERATOR, elder, "family.progress", "family:1", "paper") != given_id
    assert len(await consent.of_elder(tx, elder)) == 2
    actions = sorted(entry["action"] for entry in await audit.entries(tx, object_id=str(elder)))
    assert actions == ["consents.grant", "consents.grant", "consents.withdraw"]


async def test_an_audit_row_shares_the_fate_of_the_deed(clean_database: Database) -> None:
    elder = uuid4()

    async def deed(fails: bool) -> None:
        async with clean_database.transaction() as tx:
            await audit.record(tx, OPERATOR, "elders.reveal", "elder", elder, fields=("phone",), reason="回访")
            if fails:
                raise RuntimeError("the deed failed")

    with pytest.raises(RuntimeError, match="the deed failed"):
        await deed(fails=True)
    async with clean_database.transaction() as tx:
        assert await audit.entries(tx) == []
    await deed(fails=False)
    async with clean_database.transaction() as tx:
        (entry,) = await audit.entries(tx, object_type="elder", object_id=str(elder))
    assert (entry["actor"], entry["action"], entry["fields"], entry["reason"]) == (
        "staff:1",
        "elders.reveal",
        ["phone"],
        "回访",
    )


async def test_the_auditor_reads_the_trail_page_by_page(client: httpx.AsyncClient, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        for n in range(5):
            await audit.record(tx, OPERATOR, "orders.change", "order", n)
        await audit.record(tx, SYSTEM, "orders.change", "order", 0)
    auditor = {"Authorization": f"Bearer {await staff_token(clean_database, ['auditor'])}"}
    seen, cursor = [], ""
    while cursor is not None:
        page = await client.get(
            f"/v1/audit-entries?actor=staff:1&action=orders.change&limit=2{cursor}", headers=auditor
        )
        assert page.status_code == 200
        seen += [entry["object_id"] for entry in page.json()["items"]]
        following = page.json()["next_cursor"]
        cursor = None if following is None else f"&cursor={following}"
    assert sorted(seen) == ["0", "1", "2", "3", "4"], "each once, nothing of anybody else"
    operator = {"Authorization": f"Bearer {await staff_token(clean_database)}"}
    assert (await client.get("/v1/audit-entries", headers=operator)).status_code == 403
    assert (await client.get("/v1/audit-entries?since=2026-01-01T00:00:00", headers=auditor)).status_code == 422


async def test_a_caregiver_session_names_caregiver_and_company(
    client: httpx.AsyncClient, clean_database: Database
) -> None:
    caregiver, provider = uuid4(), uuid4()
    async with clean_database.transaction() as tx:
        session = await codes.open_caregiver_session(tx, caregiver, provider, "李护理")
    bearer = {"Authorization": f"Bearer {session.token}"}
    known = (await client.get("/probe/caregiver", headers=bearer)).json()
    assert known == {"actor": f"caregiver:{caregiver}", "provider_id": str(provider)}
    async with clean_database.transaction() as tx:
        assert await codes.close_caregiver_sessions(tx, caregiver) == 1
    assert (await client.get("/probe/caregiver", headers=bearer)).status_code == 401


NEW = {
    "username": "WangMin",
    "name": "王敏",
    "password": "long enough pw",
    "roles": ["operator"],
    "divisions": ["620300"],
}


async def test_an_administrator_makes_and_changes_staff(client: httpx.AsyncClient, clean_database: Database) -> None:
    admin = await staff_headers(clean_database, ["administrator"])
    made = await client.post("/v1/staff", json={**NEW, "otp": True}, headers=admin)
    assert made.status_code == 201
    assert made.json()["username"] == "wangmin"
    assert made.json()["otp_uri"].startswith("otpauth://totp/")
    taken = await client.post("/v1/staff", json=NEW, headers={**admin, "Idempotency-Key": "2"})
    assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")
    path = f"/v1/staff/{made.json()['id']}"
    changed = await client.patch(
        path, json={"roles": ["supervisor"]}, headers={**admin, "Idempotency-Key": "3", "If-Match": '"1"'}
    )
    assert (changed.status_code, changed.json()["roles"], changed.headers["etag"]) == (200, ["supervisor"], '"2"')
    stale = await client.patch(path, json={"name": "x"}, headers={**admin, "Idempotency-Key": "4", "If-Match": '"1"'})
    assert stale.status_code == 412
    listed = (await client.get("/v1/staff", headers=admin)).json()["items"]
    assert {entry["username"] for entry in listed} >= {"wangmin"}
    assert "password" not in str(listed)
    assert "otp_secret" not in str(listed)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"roles": ["settlement_clerk", "finance_approver"]}, "roles_conflict"),
        ({"roles": ["administrator", "auditor"]}, "roles_conflict"),
        ({"roles": ["emperor"]}, None),
        ({"password": "short"}, None),
        ({"divisions": ["jinchang"]}, None),
        ({"username": "a b"}, None),
    ],
)
async def test_what_staff_may_not_be(
    client: httpx.AsyncClient, clean_database: Database, wrong: dict[str, object], code: str | None
) -> None:
    admin = await staff_headers(clean_database, ["administrator"])
    refused = await client.post("/v1/staff", json={**NEW, **wrong}, headers=admin)
    assert refused.status_code == 422
    assert code is None or refused.json()["code"] == code


async def test_losing_a_role_ends_the_sessions_and_nobody_changes_their_own(
    client: httpx.AsyncClient, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        made = await make_staff(tx, username="minna", roles=["administrator"])
    signed_in = await client.post("/v1/sessions", json={"username": "minna", "password": PASSWORD})
    minna = {"Authorization": f"Bearer {signed_in.json()['token']}", "Idempotency-Key": "1"}
    own = await client.patch(f"/v1/staff/{made.id}", json={"roles": ["operator"]}, headers=minna)
    assert (own.status_code, own.json()["code"]) == (409, "own_account")
    admin = await staff_headers(clean_database, ["administrator"])
    changed = await client.patch(f"/v1/staff/{made.id}", json={"roles": ["operator"]}, headers=admin)
    assert changed.status_code == 200
    assert (await client.get("/v1/sessions/current", headers=minna)).status_code == 401


def test_the_start_up_check_finds_doors_without_a_lock() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    router = Router()

    @router.get("/good")
    @allow("orders.read")
    async def good() -> None: ...

    @router.get("/misspelt")
    @allow("orders.raed")
    async def misspelt() -> None: ...

    app.include_router(router)
    assert checks.undeclared(app) == ["GET /misspelt: action orders.raed is not in the table"]

    @app.get("/forgotten")
    async def forgotten() -> None: ...

    app.mount("/inner", FastAPI())
    app.router.routes.append(WebSocketRoute("/socket", forgotten))
    assert [problem.split(":")[0].split(" ")[1] for problem in checks.undeclared(app)] == [
        "/misspelt",
        "/forgotten",
        "/inner",
        "/socket",
    ]
    assert len(checks.undeclared(app, also_fine=frozenset({"/forgotten"}))) == 3
    with pytest.raises(RuntimeError, match="declares no policy"):

        @router.get("/naked")
        async def naked() -> None: ...
