"""Follow-ups and complaints as the desk sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core.crypto import Vault
from app.core.json import loads
from app.core.text import masked_name
from app.followup.calling import is_quiet
from app.followup.schemas import AttemptView, ComplaintView, FollowupDetail, FollowupView


def followup(row: Any, actor: str, now: datetime) -> FollowupView:
    return FollowupView(**_followup(row, actor, now))


def followup_detail(row: Any, attempts: list[Any], actor: str, now: datetime, vault: Vault) -> FollowupDetail:
    return FollowupDetail(**_followup(row, actor, now), history=[_attempt(attempt, vault) for attempt in attempts])


def complaint(row: Any, now: datetime, vault: Vault) -> ComplaintView:
    made = {"division", "elder_name", "detail", "reply", "measures", "reply_late", "close_late"}
    plain = {name: row[name] for name in ComplaintView.model_fields if name not in made}
    opened = {
        name: vault.open(f"complaint.{name}", row["id"], row[name]) if row[name] else None
        for name in ("detail", "reply", "measures")
    }
    return ComplaintView(
        **plain,
        **opened,
        division=row["division_code"],
        elder_name=masked_name(row["elder_name"]) if row["elder_name"] else None,
        reply_late=(row["replied_at"] or now) > row["reply_due_at"],
        close_late=(row["decided_at"] or now) > row["close_due_at"],
    )


def _followup(row: Any, actor: str, now: datetime) -> dict[str, Any]:
    made = {"division", "elder_name", "late", "may_call", "own", "history"}
    plain = {name: row[name] for name in FollowupView.model_fields if name not in made}
    own = actor in {row["placed_by"], row["taken_by"]}
    ready = row["status"] == "due" and row["next_call_at"] is not None and row["next_call_at"] <= now
    return plain | {
        "division": row["division_code"],
        "elder_name": masked_name(row["elder_name"]),
        "late": (row["closed_at"] or now) > row["due_at"],
        "own": own,
        "may_call": ready and not own and not is_quiet(now),
    }


def _attempt(row: Any, vault: Vault) -> AttemptView:
    row_id = f"{row['followup_id']}:{row['number']}"
    answers = vault.open("followup_attempt.answers", row_id, row["answers"]) if row["answers"] else "[]"
    return AttemptView(
        **{name: row[name] for name in AttemptView.model_fields if name not in {"answers", "note"}},
        answers=loads(answers),
        note=vault.open("followup_attempt.note", row_id, row["note"]) if row["note"] else None,
    )
