"""What the worker clears away."""

from __future__ import annotations

from datetime import timedelta

from app.accounts import queries_records
from app.accounts.links import OPENINGS_KEPT
from app.accounts.signing import WINDOW
from app.core import clock
from app.core.db import Tx


async def forget_expired(tx: Tx) -> int:
    """Delete nonces no timestamp can bring back, old codes, ended sessions and links; returns how many rows."""
    now = clock.now()
    before = {
        # A request may be stamped WINDOW ahead of us and is good until WINDOW after its stamp.
        "nonces": now - 3 * WINDOW,
        "codes": now - timedelta(days=1),
        "sessions": now,
        "links": now - timedelta(days=30),
        "openings": now - OPENINGS_KEPT,
    }
    return await queries_records.forget(tx, before)
