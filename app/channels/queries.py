"""The edge's own reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.channels.models import WechatAccount
from app.core.db import Tx

HAS_FAMILY = """SELECT EXISTS (SELECT 1 FROM family_member m JOIN care_order o ON o.elder_id = m.elder_id
WHERE o.id = $1 AND m.approved_at IS NOT NULL)"""


async def has_approved_family(tx: Tx, order_id: UUID) -> bool:
    return bool(await tx.fetchval(HAS_FAMILY, order_id))


async def active_wechat_accounts(tx: Tx) -> Sequence[Any]:
    """Every account that is in use; token and key sealed."""
    return await tx.all(select(WechatAccount.__table__).where(WechatAccount.active))


async def put_wechat_account(tx: Tx, account: str, values: dict[str, Any]) -> None:
    """Add the account, or write `values` over it."""
    statement = insert(WechatAccount).values(account=account, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["account"], set_=values))
