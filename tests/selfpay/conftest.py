"""An order with a copay, a merchant, WeChat Pay on loopback, and the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.accounts import links
from app.core.config import Settings
from app.core.db import Database
from app.elders import registration
from app.elders.facts import NewFamilyMember
from app.followup.service import FAMILY_LINK
from app.main import create_app
from app.selfpay import queries
from app.selfpay.api import WechatPayApi
from tests.selfpay import peer
from tests.selfpay.peer import Stub
from tests.world.orders import make_order, make_town


@dataclass
class Bench:
    """What the tests work on."""

    database: Database
    client: httpx.AsyncClient
    api: WechatPayApi
    pay: Stub
    order_id: UUID
    copay_fen: int
    token: str

    async def prepare(self, **body: Any) -> httpx.Response:
        return await self.client.post(f"/v1/family/orders/{self.token}/payments", json={"way": "native"} | body)

    async def notify(self, body: bytes, **how: Any) -> httpx.Response:
        return await self.client.post(f"/channels/wechatpay/{peer.NAME}", content=body, headers=peer.proof(body, **how))

    async def payments(self) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            return [dict(row) for row in await queries.of_order(tx, self.order_id)]

    async def payment(self) -> dict[str, Any]:
        (row,) = await self.payments()
        return row

    async def notices(self) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            return [dict(row) for row in await tx.fetch("SELECT * FROM payment_notice ORDER BY received_at")]


@pytest.fixture
async def bench(settings: Settings, clean_database: Database) -> AsyncIterator[Bench]:
    async with clean_database.transaction() as tx:
        town = await make_town(tx)
        relative = NewFamilyMember(name="曾小明", relation="child", phone="13800000001", approved=True)
        await registration.add_family(tx, town.elder, relative)
        order = await make_order(tx, town.elder)
        token = await links.issue(tx, FAMILY_LINK, order.id, timedelta(days=30))
        await peer.make_merchant(tx)
    assert order.copay_fen > 0
    async with peer.stub() as pay:
        app = create_app(settings.model_copy(update={"wechatpay_url": pay.url}), clean_database)
        api: WechatPayApi = app.state.wechatpay
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="https://nuanxian.test") as client:
            yield Bench(clean_database, client, api, pay, order.id, order.copay_fen, token)
        await api.close()
        await app.state.wechat.close()
