"""What people were promised, and what is stored: the two things an oracle compares."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from typing import Any

from app.core.db import Tx

Row = dict[str, Any]


@dataclass
class Told:
    """What the people outside attempted (before sending it) and were promised (by an answer)."""

    attempted: set[str] = field(default_factory=set)
    placed: dict[str, str] = field(default_factory=dict)
    """Order id by key."""
    answers: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    """Request and first answer by key."""
    accepted: dict[str, str] = field(default_factory=dict)
    """Order id by offer id."""
    cancelled: set[str] = field(default_factory=set)
    events: set[tuple[str, str]] = field(default_factory=set)
    """(provider, event id)."""
    ended: set[str] = field(default_factory=set)
    """Orders whose visit was reported to its end."""
    rated: set[str] = field(default_factory=set)
    issued: set[str] = field(default_factory=set)
    """Statements."""
    fed: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Entries of the feed as a provider read them."""
    owed: set[int] = field(default_factory=set)
    """Entries that were there when the last reading began."""
    odd: list[str] = field(default_factory=list)
    """Answers that nobody should get."""
    acks: list[float] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    replayed: int = 0


@dataclass
class Books:
    """What is stored, as plain rows; ids are text. `oracle_books.read` fills it."""

    orders: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    deadlines: list[Row] = field(default_factory=list)
    offers: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    bookings: list[Row] = field(default_factory=list)
    quotas: list[Row] = field(default_factory=list)
    movements: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    feed: list[Row] = field(default_factory=list)
    statements: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    transfers: list[Row] = field(default_factory=list)
    ratings: list[Row] = field(default_factory=list)
    dead_jobs: list[Row] = field(default_factory=list)
    unanswered_keys: int = 0


QUERIES = {
    "orders": """SELECT id::text, status, outcome, requester_name, care_request_id::text, provider_id::text,
      offer_id::text, payers, version FROM care_order""",
    "requests": "SELECT id::text, order_id::text FROM care_request",
    "history": "SELECT order_id::text, seq, before, after, facts, xmin::text AS written_by FROM order_history",
    "deadlines": "SELECT order_id::text, name, met_at FROM order_deadline",
    "offers": "SELECT id::text, order_id::text, provider_id::text, decision_id::text, status FROM offer",
    "decisions": "SELECT id::text, chosen_provider_id::text AS provider_id FROM decision",
    "bookings": """SELECT caregiver_id::text, order_id::text, status, lower(during) AS begins_at,
      upper(during) AS ends_at FROM booking""",
    "quotas": "SELECT entitlement_id::text, month, granted_fen, reserved_fen, consumed_fen FROM quota_month",
    "movements": "SELECT entitlement_id::text, month, order_id::text, kind, amount_fen FROM quota_movement",
    "events": "SELECT provider_id::text, event_id, order_id::text FROM visit_event",
    "feed": "SELECT id, audience, type, order_id::text, seq FROM feed_entry WHERE audience <> 'desk'",
    "statements": "SELECT id::text, provider_id::text, status, lines, due_fen FROM statement",
    "lines": """SELECT l.statement_id::text, l.order_id::text, l.void, l.due_fen, s.status AS statement_status
      FROM statement_line l JOIN statement s ON s.id = l.statement_id""",
    "transfers": "SELECT debit_account, credit_account, amount_fen, statement_id::text FROM ledger_transfer",
    "ratings": "SELECT order_id::text FROM rating",
    "dead_jobs": """SELECT id, entrypoint, status::text, attempts FROM pgqueuer
      WHERE status::text NOT IN ('queued', 'picked')""",
}
UNANSWERED = "SELECT count(*) FROM idempotency_key WHERE status IS NULL OR answer IS NULL"


async def read(tx: Tx) -> Books:
    """All of it as it is at one moment: the transaction must be repeatable read."""
    assert set(QUERIES) == {one.name for one in fields(Books)} - {"unanswered_keys"}
    found = {name: [dict(row) for row in await tx.fetch(sql)] for name, sql in QUERIES.items()}
    return Books(**found, unanswered_keys=await tx.fetchval(UNANSWERED))


def by(rows: list[Row], column: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found
