"""A relative or a caregiver with the app: pushes go along with messages, and news may be declined by oneself."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.accounts import codes, queries_records, tokens
from app.core import clock
from app.core.db import Database
from app.elders import registration, seals
from app.elders.facts import NewFamilyMember
from app.messaging.sender import RecordingSender
from app.messaging.tasks import Delivery
from tests.messaging.test_delivery import NOON, queued
from tests.messaging.test_ways_out import said, work_off
from tests.world.elders import make_elder

PHONE = "+8613812345678"


@pytest.fixture
async def daughter(clean_database: Database) -> tuple[Any, list[UUID]]:
    """Her headers, and as whom she is known: to two elders with consent, to a third without."""
    token, now = tokens.new_token(tokens.FAMILY), clock.now()
    members = []
    async with clean_database.transaction() as tx:
        for approved in (True, True, False):
            elder = await make_elder(tx)
            relative = NewFamilyMember("曾丽", "child", PHONE, approved=approved)
            members.append(await registration.add_family(tx, elder, relative))
        index = codes.phone_index(tx.vault, PHONE)
        assert index == seals.family_phone_index(tx.vault, PHONE)
        await queries_records.open_family(tx, tokens.hash_of(token), index, now, now + codes.FAMILY_SESSION)
    return (lambda: {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}), members


async def test_a_push_goes_along_with_the_message(
    doors: httpx.AsyncClient, daughter: tuple[Any, list[UUID]], clean_database: Database
) -> None:
    headers, members = daughter
    device = {"registration_id": "18071adc02fe8f5f2b0"}
    assert (await doors.put("/v1/family/device", json=device, headers=headers())).json() == {"registered": True}
    senders = {"sms": RecordingSender(), "push": RecordingSender()}
    with clock.hold(NOON):
        for member in members:
            await queued(clean_database, recipient_id=member)
        await work_off(clean_database, Delivery(clean_database, senders))
        assert [len(one.sent) for one in senders.values()] == [3, 2], "not for the elder who has not agreed"
        none = {"registration_id": None}
        assert (await doors.put("/v1/family/device", json=none, headers=headers())).json() == {"registered": False}
        await queued(clean_database, recipient_id=members[0])
        await work_off(clean_database, Delivery(clean_database, senders))
        assert [len(one.sent) for one in senders.values()] == [4, 2]
    async with clean_database.transaction() as tx:
        kept = await tx.fetch("SELECT address FROM outgoing_message WHERE channel = 'push'")
    assert all(b"18071adc02fe8f5f2b0" not in bytes(row["address"]) for row in kept)


async def test_a_relative_declines_news_for_all_their_elders(
    doors: httpx.AsyncClient, daughter: tuple[Any, list[UUID]], clean_database: Database
) -> None:
    headers, members = daughter
    assert (await doors.put("/v1/family/news", json={"allowed": False}, headers=headers())).json() == {"allowed": False}
    with clock.hold(NOON):
        for member in members[:2]:
            await queued(clean_database, recipient_id=member)
        alarm = {"template": "sos_family", "params": {"elder": "曾**", "at": "9:00"}, "urgent": True}
        await queued(clean_database, recipient_id=members[0], **alarm)
    assert sorted(await said(clean_database)) == [("sms", "queued", None), *[("sms", "suppressed", "declined")] * 2]


async def test_a_caregiver_registers_their_own_device_and_nobody_else_any(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    who = uuid4()
    async with clean_database.transaction() as tx:
        session = await codes.open_caregiver_session(tx, who, uuid4(), "王师傅")
    headers = {"Authorization": f"Bearer {session.token}", "Idempotency-Key": str(uuid4())}
    device = {"registration_id": "18071adc02fe8f5f2b0"}
    assert (await doors.put("/v1/caregiver/device", json=device, headers=headers)).status_code == 200
    async with clean_database.transaction() as tx:
        rows = await tx.fetch("SELECT recipient_kind, recipient_id, channel FROM recipient_way")
    assert [tuple(row) for row in rows] == [("caregiver", str(who), "push")]
    assert (await doors.put("/v1/family/device", json=device, headers=headers)).status_code == 403
    malformed = {"registration_id": "x; DROP"}
    fresh = headers | {"Idempotency-Key": str(uuid4())}
    assert (await doors.put("/v1/caregiver/device", json=malformed, headers=fresh)).status_code == 422
    anonymous = {"Idempotency-Key": str(uuid4())}
    assert (await doors.put("/v1/family/news", json={"allowed": True}, headers=anonymous)).status_code == 401
