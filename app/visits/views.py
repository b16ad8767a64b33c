"""Visits as the desk sees them."""

from __future__ import annotations

from typing import Any

from app.core.crypto import Vault
from app.visits.inbox import note_row
from app.visits.schemas import PlaceView, VisitDetail, VisitEventView, VisitView


def view(row: Any) -> VisitView:
    return VisitView(**_fields(row))


def detail(row: Any, events: list[Any], vault: Vault) -> VisitDetail:
    """One visit with everything that was ever said about it."""
    return VisitDetail(**_fields(row), events=[_event(event, vault) for event in events])


def _fields(row: Any) -> dict[str, Any]:
    plain = {name: row[name] for name in VisitView.model_fields if name not in {"division", "begin", "end"}}
    return plain | {
        "division": row["division_code"],
        "begin": _place(row, "begin", row["began_at"]),
        "end": _place(row, "end", row["ended_at"]),
    }


def _place(row: Any, end: str, at: Any) -> PlaceView:
    return PlaceView(
        at=at,
        method=row[f"{end}_method"],
        place=row[f"{end}_place"],
        distance_m=row[f"{end}_distance_m"],
        accuracy_m=row[f"{end}_accuracy_m"],
    )


def _event(row: Any, vault: Vault) -> VisitEventView:
    plain = {name: row[name] for name in VisitEventView.model_fields if name != "note"}
    sealed = row["note"]
    place = note_row(row["provider_id"], row["event_id"])
    return VisitEventView(**plain, note=vault.open("visit_event.note", place, sealed) if sealed else None)
