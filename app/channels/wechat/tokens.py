"""The access token: one per account for all workers, in one row; whoever renews it holds the row meanwhile.

WeChat's stable token lives up to two hours, and asking again gives the same one. So normally one process asks once in
two hours, and the others read. A token that WeChat calls invalid before its time is renewed by force, which WeChat
allows twenty times a day and not twice within thirty seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.channels.wechat import accounts, queries
from app.channels.wechat.accounts import Credentials
from app.channels.wechat.api import WORN_TOKEN, Failed, NotReached, Unknown, WeChatApi
from app.core import clock
from app.core.db import Database, Tx

RENEWED_BEFORE = timedelta(minutes=5)
FORCED_EVERY = timedelta(seconds=30)
_TOKEN = "wechat_token.token"  # noqa: S105 (a column)


async def post(database: Database, api: WeChatApi, account: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST with the account's token; once more with a new one if WeChat calls it worn. Raises as `token` does."""
    good = await token(database, api, account)
    try:
        return await api.post(path, good, body)
    except Failed as failure:
        if failure.code not in WORN_TOKEN:
            raise
    return await api.post(path, await token(database, api, account, worn=good), body)


async def token(database: Database, api: WeChatApi, account: str, *, worn: str | None = None) -> str:
    """A token that is good for some minutes at least, and is not `worn`, which WeChat has just refused.

    Raises NotFound, Conflict, Failed or NotReached.
    """
    async with database.transaction() as tx:
        if (kept := _good(tx, account, await queries.token(tx, account), worn)) is not None:
            return kept
    async with database.transaction() as tx:
        known = await accounts.credentials(tx, account)
        row = await queries.held_token(tx, account)
        if (kept := _good(tx, account, row, worn)) is not None:
            return kept
        force = worn is not None and _opened(tx, account, row) == worn
        if force and row["fetched_at"] > clock.now() - FORCED_EVERY:
            raise NotReached("token_just_renewed")
        return await _renewed(tx, api, account, known, force=force)


async def _renewed(tx: Tx, api: WeChatApi, account: str, known: Credentials, *, force: bool) -> str:
    now = clock.now()
    try:
        fresh, lasts_s = await api.stable_token(known.appid, known.secret, force=force)
    except Unknown as failure:  # whatever became of the token: nothing was said with it
        raise NotReached(str(failure)) from None
    sealed = tx.vault.seal(_TOKEN, account, fresh)
    await queries.keep_token(tx, account, sealed, now, now + timedelta(seconds=lasts_s))
    return fresh


def _good(tx: Tx, account: str, row: Any, worn: str | None) -> str | None:
    if row is None or row["token"] is None or not _lasts(row["expires_at"]):
        return None
    kept = _opened(tx, account, row)
    return kept if kept != worn else None


def _lasts(expires_at: datetime) -> bool:
    return expires_at - clock.now() > RENEWED_BEFORE


def _opened(tx: Tx, account: str, row: Any) -> str | None:
    return tx.vault.open(_TOKEN, account, row["token"]) if row["token"] is not None else None
