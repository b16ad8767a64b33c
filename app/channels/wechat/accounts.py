"""The accounts we answer for. Their keys are sealed in the database and known to a process for some seconds, so
that a push is verified without asking the database."""

from __future__ import annotations

from app.accounts import audit
from app.channels import queries
from app.channels.wechat.crypto import Keys
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.http import Caller

_TOKEN, _AES_KEY = "wechat_account.token", "wechat_account.aes_key"
CACHED = "channels.wechat_accounts"
PATIENCE_S = 0.15


async def keys_of(database: Database, account: str) -> Keys:
    """Keys of an active account. Raises NotFound for any other name, without asking the database each time.

    While the database is away, the keys of before are the keys.
    """
    known = await database.cache.last_known(CACHED, lambda: _load(database), PATIENCE_S)
    if account not in known:
        raise NotFound("wechat_account_not_found")
    return known[account]


async def put_account(tx: Tx, caller: Caller, account: str, *, appid: str, token: str, aes_key: str) -> None:
    """Add an account or change its keys. Raises Invalid for an EncodingAESKey that is none."""
    try:
        Keys.of(account, appid, token, aes_key)
    except ValueError as broken:
        raise Invalid("aes_key_malformed", str(broken), field="aes_key") from broken
    values = {
        "appid": appid,
        "token": tx.vault.seal(_TOKEN, account, token),
        "aes_key": tx.vault.seal(_AES_KEY, account, aes_key),
        "active": True,
        "updated_at": clock.now(),
    }
    await queries.put_wechat_account(tx, account, values)
    await audit.record(tx, caller, "wechat_account.put", "wechat_account", account, ("token", "aes_key"))
    tx.cache.clear()


async def _load(database: Database) -> dict[str, Keys]:
    async with database.transaction() as tx:
        rows = await queries.active_wechat_accounts(tx)
        return {
            row.account: Keys.of(
                row.account,
                row.appid,
                tx.vault.open(_TOKEN, row.account, row.token),
                tx.vault.open(_AES_KEY, row.account, row.aes_key),
            )
            for row in rows
        }
