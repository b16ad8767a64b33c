"""The accounts we answer for. Their keys are sealed in the database and known to a process for some seconds, so
that a push is verified without asking the database."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.accounts import audit
from app.channels.wechat import queries
from app.channels.wechat.crypto import Keys
from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Conflict, Invalid, NotFound
from app.core.http import Caller

_TOKEN, _AES_KEY, _SECRET = "wechat_account.token", "wechat_account.aes_key", "wechat_account.secret"
CACHED = "channels.wechat_accounts"
PATIENCE_S = 0.15


async def keys_of(database: Database, account: str) -> Keys:
    """Keys of an active account. Raises NotFound for any other name, without asking the database each time.

    While the database is away, the keys of before are the keys.
    """
    found = await known(database)
    if account not in found:
        raise NotFound("wechat_account_not_found")
    return found[account]


async def known(database: Database) -> dict[str, Keys]:
    """Keys of every active account."""
    return await database.cache.last_known(CACHED, lambda: _load(database), PATIENCE_S)


async def put_account(
    tx: Tx,
    caller: Caller,
    account: str,
    *,
    appid: str,
    token: str,
    aes_key: str,
    kind: str = "official",
    secret: str | None = None,
) -> None:
    """Add an account or change its keys. Raises Invalid for an EncodingAESKey that is none.

    Without a `secret` the one on record stays.
    """
    try:
        Keys.of(account, appid, token, aes_key)
    except ValueError as broken:
        raise Invalid("aes_key_malformed", str(broken), field="aes_key") from broken
    values = {
        "appid": appid,
        "token": tx.vault.seal(_TOKEN, account, token),
        "aes_key": tx.vault.seal(_AES_KEY, account, aes_key),
        "kind": kind,
        "active": True,
        "updated_at": clock.now(),
    }
    if secret is not None:
        values["secret"] = tx.vault.seal(_SECRET, account, secret)
    await queries.put_account(tx, account, values)
    # A token of another appid or secret would be refused, and renewed by force only so often a day.
    await queries.forget_token(tx, account)
    secrets = sorted(values.keys() & {"token", "aes_key", "secret"})
    await audit.record(tx, caller, "wechat_account.put", "wechat_account", account, secrets)
    tx.cache.clear()


async def put_template(
    tx: Tx, caller: Caller, account: str, code: str, *, template_id: str, way: str, page: str | None
) -> None:
    """Say which of WeChat's templates carries our message `code`. Raises NotFound for an unknown account."""
    if await queries.account(tx, account) is None:
        raise NotFound("wechat_account_not_found")
    values = {"template_id": template_id, "way": way, "page": page, "updated_at": clock.now()}
    await queries.put_template(tx, account, code, values)
    await audit.record(tx, caller, "wechat_template.put", "wechat_account", account, (code,))


@dataclass(frozen=True, slots=True)
class Credentials:
    """What WeChat asks of us when we speak to it."""

    appid: str
    kind: str
    secret: str = field(repr=False)


async def credentials(tx: Tx, account: str) -> Credentials:
    """Raises NotFound for an unknown account, Conflict for one that only listens."""
    row = await queries.account(tx, account)
    if row is None:
        raise NotFound("wechat_account_not_found")
    if row["secret"] is None:
        raise Conflict("wechat_secret_missing", "this account has no AppSecret on record")
    return Credentials(row["appid"], row["kind"], tx.vault.open(_SECRET, account, row["secret"]))


async def _load(database: Database) -> dict[str, Keys]:
    async with database.transaction() as tx:
        rows = await queries.active_accounts(tx)
        return {
            row.account: Keys.of(
                row.account,
                row.appid,
                tx.vault.open(_TOKEN, row.account, row.token),
                tx.vault.open(_AES_KEY, row.account, row.aes_key),
            )
            for row in rows
        }
