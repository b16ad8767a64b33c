"""Consents: who says so and how, and that a withdrawal stops what it is about at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.accounts import codes, consent, queries_records, tokens
from app.accounts.consent import Proof
from app.accounts.purposes import PURPOSES, standing_because
from app.channels import notices
from app.core import clock
from app.core.db import Database
from app.core.errors import NotFound
from app.core.http import SYSTEM
from app.elders import consents
from app.elders.facts import NewFamilyMember
from tests.world.accounts import staff_headers, staff_token
from tests.world.elders import make_elder
from tests.world.orders import make_order, make_town

PHONE = "+8613800000001"
SAID = Proof("phone", "rec-1")
Headers = Callable[[], dict[str, str]]


def said(purpose: str, stands: bool = True) -> Any:
    return SimpleNamespace(purpose=purpose, stands=stands)


@pytest.mark.parametrize(
    ("purpose", "history", "approved", "because"),
    [
        ("service", [], True, None),
        ("service", [said("service")], False, "consent"),
        ("family_notices", [], False, None),
        ("family_notices", [], True, "approval"),
        ("family_notices", [said("family_notices", False)], True, None),
        ("family_notices", [said("family_notices", False), said("family_notices")], True, "consent"),
        ("family_page.times", [said("family_page")], False, "consent"),
        ("family_page.times", [said("family_page.work")], True, None),
        ("family_page", [said("family_page.work")], True, None),
        ("family_notices", [said("family_page", False)], True, "approval"),
    ],
)
def test_when_a_consent_stands(purpose: str, history: list[Any], approved: bool, because: str | None) -> None:
    assert standing_because(purpose, history, approved=approved) == because


async def elder_with(database: Database, relation: str = "child", approved: bool = True) -> UUID:
    async with database.transaction() as tx:
        member = NewFamilyMember(name="曾丽", relation=relation, phone="13800000001", approved=approved)
        return await make_elder(tx, family=(member,))


async def signed_in(database: Database) -> Headers:
    """Headers of whoever holds `PHONE`."""
    token, now = tokens.new_token(tokens.FAMILY), clock.now()
    async with database.transaction() as tx:
        index = codes.phone_index(tx.vault, PHONE)
        await queries_records.open_family(tx, tokens.hash_of(token), index, now, now + codes.FAMILY_SESSION)
    return lambda: {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}


def state(answer: httpx.Response, purpose: str) -> str | None:
    assert answer.status_code in {200, 201}, answer.text
    return next(one["because"] for one in answer.json()["purposes"] if one["purpose"] == purpose)


async def test_the_desk_writes_down_what_was_said_and_by_whom(api: httpx.AsyncClient, clean_database: Database) -> None:
    elder_id = await elder_with(clean_database, "guardian")
    token = await staff_token(clean_database)

    def key() -> dict[str, str]:
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}

    path = f"/v1/elders/{elder_id}"
    read = await api.get(f"{path}/consents", headers=key())
    assert {one["purpose"] for one in read.json()["purposes"]} == set(PURPOSES)
    assert (state(read, "service"), state(read, "family_page.work")) == (None, "approval")
    words = {"purpose": "service", "how": "phone"}
    assert (await api.post(f"{path}/consents", json=words, headers=key())).status_code == 422
    given = await api.post(f"{path}/consents", json=words | {"evidence": "rec-7"}, headers=key())
    assert state(given, "service") == "consent"
    again = await api.post(f"{path}/consents", json=words | {"evidence": "rec-8"}, headers=key())
    assert [one["evidence"] for one in again.json()["history"]] == ["rec-7"]
    async with clean_database.transaction() as tx:
        guardian = await tx.fetchval("SELECT id FROM family_member")
    by = {"purpose": "service", "how": "guardian", "evidence": "doc-2"}
    wrong = await api.post(f"{path}/consent-withdrawals", json=by | {"guardian_id": str(uuid4())}, headers=key())
    assert (wrong.status_code, wrong.json()["code"]) == (422, "not_a_guardian")
    ended = await api.post(f"{path}/consent-withdrawals", json=by | {"guardian_id": str(guardian)}, headers=key())
    (entry,) = ended.json()["history"]
    assert (state(ended, "service"), entry["withdrawn_channel"], entry["withdrawn_evidence"]) == (
        None, "guardian", "doc-2",
    )  # fmt: skip
    twice = await api.post(f"{path}/consent-withdrawals", json=by | {"guardian_id": str(guardian)}, headers=key())
    assert (twice.status_code, twice.json()["code"]) == (404, "consent_unknown")
    stranger = await staff_headers(clean_database, divisions=["620321"])
    assert (await api.get(f"{path}/consents", headers=stranger)).status_code == 404
    auditor = await staff_headers(clean_database, roles=["auditor"])
    assert (await api.get(f"{path}/consents", headers=auditor)).status_code == 200
    assert (await api.post(f"{path}/consents", json=words | {"evidence": "x"}, headers=auditor)).status_code == 403


async def test_withdrawing_the_whole_ends_its_parts(clean_database: Database) -> None:
    elder_id = await elder_with(clean_database)
    async with clean_database.transaction() as tx:
        for purpose in ("family_page.times", "family_page"):
            await consents.give(tx, SYSTEM, elder_id, purpose, SAID)
        await consents.withdraw(tx, SYSTEM, elder_id, "family_page", SAID)
        found = await consents.of_elder(tx, elder_id)
        assert not any(found.because[name] for name in PURPOSES if name.startswith("family_page"))
        assert found.because["family_notices"] == "approval"


async def told(database: Database, elder_id: UUID, order_id: UUID) -> list[str]:
    """Run the message job of this order once; the status of every message to relatives so far."""
    async with database.transaction() as tx:
        payload = {"order_id": str(order_id), "template": "completed"}
        await notices.tell_family(tx, payload, public_url="https://nuanxian.test")
        return [row["status"] for row in await tx.fetch("SELECT status FROM outgoing_message ORDER BY created_at")]


async def test_a_withdrawal_stops_messages_that_wait_and_those_to_come(clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await make_town(tx)
    elder_id = await elder_with(clean_database)
    async with clean_database.transaction() as tx:
        first, second = [(await make_order(tx, elder_id)).id for _ in range(2)]
    assert await told(clean_database, elder_id, first) == ["queued"]
    async with clean_database.transaction() as tx:
        await consents.withdraw(tx, SYSTEM, elder_id, "family_notices", SAID)
    assert await told(clean_database, elder_id, second) == ["suppressed"]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT failure FROM outgoing_message") == "consent_withdrawn"
        await consents.give(tx, SYSTEM, elder_id, "family_notices", SAID)
    assert await told(clean_database, elder_id, second) == ["suppressed", "queued"]


async def test_a_message_being_written_is_seen_by_the_withdrawal(clean_database: Database) -> None:
    """Without the lock the withdrawal would not see what is not committed yet, and it would be sent."""
    async with clean_database.transaction() as tx:
        await make_town(tx)
    elder_id = await elder_with(clean_database)
    async with clean_database.transaction() as tx:
        order_id = (await make_order(tx, elder_id)).id

    async def withdrawn() -> None:
        async with clean_database.transaction() as tx:
            await consents.withdraw(tx, SYSTEM, elder_id, "family_notices", SAID)

    async with clean_database.transaction() as tx:
        payload = {"order_id": str(order_id), "template": "completed"}
        await notices.tell_family(tx, payload, public_url="https://nuanxian.test")
        await tx.flush()
        task = asyncio.create_task(withdrawn())
        await asyncio.sleep(0.2)
        assert not task.done()
    await task
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT status FROM outgoing_message") == "suppressed"


@pytest.mark.parametrize(("relation", "status"), [("child", 403), ("guardian", 201)])
async def test_only_a_guardian_speaks_in_the_elders_place(
    api: httpx.AsyncClient, clean_database: Database, relation: str, status: int
) -> None:
    elder_id = await elder_with(clean_database, relation)
    headers = await signed_in(clean_database)
    path = f"/v1/family/elders/{elder_id}"
    read = await api.get(f"{path}/consents", headers=headers())
    assert state(read, "family_notices") == "approval"
    assert "service" not in {one["purpose"] for one in read.json()["purposes"]}
    answer = await api.post(f"{path}/consent-withdrawals", json={"purpose": "family_notices"}, headers=headers())
    assert answer.status_code == status
    if status == 201:
        assert state(answer, "family_notices") is None
        again = await api.post(f"{path}/consents", json={"purpose": "family_notices"}, headers=headers())
        assert state(again, "family_notices") == "consent"
        async with clean_database.transaction() as tx:
            rows = await consent.of_elder(tx, elder_id)
            assert {(row["channel"], row["guardian_id"] is None) for row in rows} == {("online", False)}


async def test_a_relative_the_elder_did_not_approve_sees_and_says_nothing(
    api: httpx.AsyncClient, clean_database: Database
) -> None:
    elder_id = await elder_with(clean_database, "guardian", approved=False)
    headers = await signed_in(clean_database)
    path = f"/v1/family/elders/{elder_id}"
    assert (await api.get(f"{path}/consents", headers=headers())).status_code == 404
    assert (await api.post(f"{path}/consents", json={"purpose": "service"}, headers=headers())).status_code == 404
    async with clean_database.transaction() as tx:
        assert not await consent.allows(tx, elder_id, "service", "provider")
        with pytest.raises(NotFound):
            await consents.withdraw(tx, SYSTEM, elder_id, "family_notices", SAID)
