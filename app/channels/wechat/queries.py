"""SQL of WeChat's accounts, followers, consents, templates and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.channels.models import WechatAccount, WechatTemplate
from app.core.db import Tx

OPENNESS = """SELECT appid, kind, secret FROM wechat_account WHERE account = $1 AND active"""

# Events may come late and out of order: the newest one counts.
FOLLOW = """INSERT INTO wechat_follower (account, sender_index, following, changed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (account, sender_index) DO UPDATE SET following = excluded.following, changed_at = excluded.changed_at
WHERE wechat_follower.changed_at <= excluded.changed_at"""
FOLLOWS = "SELECT following FROM wechat_follower WHERE account = $1 AND sender_index = $2"

CONSENT = """INSERT INTO wechat_consent (account, sender_index, template_id, left_over, changed_at)
VALUES ($1, $2, $3, 1, $4) ON CONFLICT (account, sender_index, template_id)
DO UPDATE SET left_over = wechat_consent.left_over + 1, changed_at = excluded.changed_at"""
USE_CONSENT = """UPDATE wechat_consent SET left_over = left_over - 1, changed_at = $4
WHERE account = $1 AND sender_index = $2 AND template_id = $3 AND left_over > 0"""
HAS_CONSENT = """SELECT EXISTS (SELECT FROM wechat_consent
WHERE account = $1 AND sender_index = $2 AND template_id = $3 AND left_over > 0)"""
WITHDRAW = """UPDATE wechat_consent SET left_over = 0, changed_at = $4
WHERE account = $1 AND sender_index = $2 AND template_id = $3"""

TEMPLATE = "SELECT template_id, way, page FROM wechat_template WHERE account = $1 AND code = $2"

TOKEN = "SELECT token, fetched_at, expires_at FROM wechat_token WHERE account = $1"  # noqa: S105 (a name)
TOKEN_ROW = "INSERT INTO wechat_token (account) VALUES ($1) ON CONFLICT DO NOTHING"  # noqa: S105 (a name)
KEEP_TOKEN = "UPDATE wechat_token SET token = $2, fetched_at = $3, expires_at = $4 WHERE account = $1"  # noqa: S105
FORGET_TOKEN = "UPDATE wechat_token SET token = NULL, fetched_at = NULL, expires_at = NULL WHERE account = $1"  # noqa: S105

USE_STATE = """INSERT INTO wechat_used_state (state_hash, expires_at) VALUES ($1, $2)
ON CONFLICT DO NOTHING RETURNING true"""
FORGET_STATES = "DELETE FROM wechat_used_state WHERE expires_at < $1"


async def active_accounts(tx: Tx) -> Sequence[Any]:
    """Every account that is in use; token and key sealed."""
    return await tx.all(select(WechatAccount.__table__).where(WechatAccount.active))


async def put_account(tx: Tx, account: str, values: dict[str, Any]) -> None:
    """Add the account, or write `values` over it."""
    statement = insert(WechatAccount).values(account=account, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["account"], set_=values))


async def account(tx: Tx, name: str) -> Any:
    """appid, kind and sealed secret of an active account; None without one."""
    return await tx.fetchrow(OPENNESS, name)


async def follow(tx: Tx, account: str, sender_index: bytes, following: bool, at: datetime) -> None:
    await tx.run(FOLLOW, account, sender_index, following, at)


async def follows(tx: Tx, account: str, sender_index: bytes) -> bool | None:
    """None when no event has told."""
    told: bool | None = await tx.fetchval(FOLLOWS, account, sender_index)
    return told


async def consent(tx: Tx, account: str, sender_index: bytes, template_id: str, now: datetime) -> None:
    """One message more."""
    await tx.run(CONSENT, account, sender_index, template_id, now)


async def use_consent(tx: Tx, account: str, sender_index: bytes, template_id: str, now: datetime) -> bool:
    """One message less; False when none is left."""
    return await tx.run(USE_CONSENT, account, sender_index, template_id, now) == 1


async def has_consent(tx: Tx, account: str, sender_index: bytes, template_id: str) -> bool:
    return bool(await tx.fetchval(HAS_CONSENT, account, sender_index, template_id))


async def withdraw_consent(tx: Tx, account: str, sender_index: bytes, template_id: str, now: datetime) -> None:
    await tx.run(WITHDRAW, account, sender_index, template_id, now)


async def template(tx: Tx, account: str, code: str) -> Any:
    """template_id, way and page; None where WeChat has no template for this message."""
    return await tx.fetchrow(TEMPLATE, account, code)


async def put_template(tx: Tx, account: str, code: str, values: dict[str, Any]) -> None:
    statement = insert(WechatTemplate).values(account=account, code=code, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["account", "code"], set_=values))


async def token(tx: Tx, account: str) -> Any:
    return await tx.fetchrow(TOKEN, account)


async def held_token(tx: Tx, account: str) -> Any:
    """The token's row, which nobody else may touch until this transaction ends."""
    await tx.run(TOKEN_ROW, account)
    return await tx.fetchrow(f"{TOKEN} FOR UPDATE", account)


async def keep_token(tx: Tx, account: str, sealed: bytes, fetched_at: datetime, expires_at: datetime) -> None:
    await tx.run(KEEP_TOKEN, account, sealed, fetched_at, expires_at)


async def forget_token(tx: Tx, account: str) -> None:
    await tx.run(FORGET_TOKEN, account)


async def use_state(tx: Tx, state_hash: bytes, expires_at: datetime) -> bool:
    """False when this state has been used."""
    return bool(await tx.fetchval(USE_STATE, state_hash, expires_at))


async def forget_states(tx: Tx, now: datetime) -> int:
    return await tx.run(FORGET_STATES, now)
