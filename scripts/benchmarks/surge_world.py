"""The town of the other benches, and keys for everybody who calls."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.accounts import keys
from app.channels.wechat import accounts
from app.channels.wechat.crypto import Keys
from app.core.db import Database
from app.core.http import SYSTEM
from benchmarks import town
from benchmarks.town import Elder

ACCOUNT, APPID, TOKEN = "gh_surge", "wx5375726765000001", "surge"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

Pair = tuple[str, str]


@dataclass(frozen=True)
class World:
    street: list[Elder]
    """Everybody who asks for help lives here."""
    staff: str
    clerk: str
    providers: dict[UUID, Pair]
    telephony: Pair
    app: Pair
    device: Pair
    vendor: str
    wechat: Keys


async def build(database: Database) -> World:
    found = await town.build(database)
    async with database.transaction() as tx:
        telephony = await keys.create_key(tx, "telephony", "exchange")
        app = await keys.create_key(tx, "app", "city app")
        device = await keys.create_key(tx, "device", "buttons", vendors=["buttons"])
        await accounts.put_account(tx, SYSTEM, ACCOUNT, appid=APPID, token=TOKEN, aes_key=AES_KEY)
    wechat = Keys.of(ACCOUNT, APPID, TOKEN, AES_KEY)
    street = found.elders[:50]
    return World(street, found.staff, found.clerk, found.keys, telephony, app, device, "buttons", wechat)
