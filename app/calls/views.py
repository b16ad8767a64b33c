"""Calls as the desk sees them."""

from __future__ import annotations

from typing import Any

from app.calls import queries
from app.calls.record import CallbackReason
from app.calls.schemas import CallView
from app.core import clock
from app.core.db import Tx
from app.core.text import masked_phone


def call(tx: Tx, row: Any) -> CallView:
    """A call's row for the desk, the number masked."""
    number = number_of(tx, row)
    answered, ended = row["answered_at"], row["ended_at"] or row["abandoned_at"] or row["voicemail_at"]
    waited = (answered or ended or clock.now()) - (row["queued_at"] or row["first_at"])
    return CallView(
        **{name: row[name] for name in queries.SHOWN},
        caller=masked_phone(number) if number else None,
        waited_s=max(0, int(waited.total_seconds())),
        recorded=row["recording_ref"] is not None,
        callback=CallbackReason(row["reason"]) if row["reason"] else None,
    )


def number_of(tx: Tx, row: Any) -> str | None:
    """The caller's number in plain text, E.164; None when it was withheld."""
    return tx.vault.open("call.caller", row["id"], row["caller"]) if row["caller"] is not None else None
