"""The seeds' own SQL: is anybody here, one at a time, and nothing said about what is long over."""

from __future__ import annotations

from app.channels.notices import TELL_FAMILY
from app.core.db import Tx


async def one_at_a_time(tx: Tx) -> None:
    """Two services may start on one empty database; the second waits and then finds it furnished."""
    await tx.fetchval("SELECT pg_advisory_xact_lock(12349, 1)")


async def inhabited(tx: Tx) -> bool:
    return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM elder)"))


async def anybody_can_sign_in(tx: Tx) -> bool:
    return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM staff)"))


async def tell_nobody(tx: Tx) -> None:
    """Families are not told today of visits of last month."""
    await tx.run("DELETE FROM pgqueuer WHERE entrypoint = $1", TELL_FAMILY)
