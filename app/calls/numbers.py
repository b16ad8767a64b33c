"""Numbers that a telephone shows, and the one index under which callers, requesters and call-backs are found."""

from __future__ import annotations

from app.core.db import Tx
from app.core.errors import Invalid
from app.core.phones import parse_phone


def known(number: str | None) -> str | None:
    """E.164 of what an exchange shows; None for a withheld number, which is legal and never refused."""
    try:
        return parse_phone(number).e164 if number else None
    except Invalid:
        return None


def index(tx: Tx, e164: str) -> bytes:
    return tx.vault.blind("intake.phone", e164)
