"""SQL of the WeChat accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.channels.models import WechatAccount
from app.core.db import Tx


async def active_accounts(tx: Tx) -> Sequence[Any]:
    return await tx.all(select(WechatAccount.__table__).where(WechatAccount.active))


async def put_account(tx: Tx, account: str, values: dict[str, Any]) -> None:
    """Add the account, or write `values` over it."""
    statement = insert(WechatAccount).values(account=account, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["account"], set_=values))
