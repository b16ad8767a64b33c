"""What the simulation knows by itself: what it asked for, what was acknowledged, what it saw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Wish:
    """Something somebody wanted. `mark` stands in the note, so that it can be found again."""

    number: int
    channel: str
    kind: str
    elder_id: str
    item: str
    urgency: str
    acknowledged: bool = False
    request_id: str | None = None
    order_id: str | None = None
    refusal: str | None = None

    @property
    def mark(self) -> str:
        return f"（模拟{self.number:05d}）"


@dataclass(frozen=True, slots=True)
class FeedSighting:
    """One entry of a provider's feed as it was first seen."""

    id: str
    seq: int
    type: str
    order_id: str | None


@dataclass(slots=True)
class Notebook:
    """Everything written down during the day."""

    wishes: list[Wish] = field(default_factory=list)
    feeds: dict[str, list[FeedSighting]] = field(default_factory=dict)
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By order: the offer that was accepted, as the provider saw it."""
    acts: Counter[str] = field(default_factory=Counter)
    event_results: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    heard_after: list[float] = field(default_factory=list)
    """Seconds of the world between an offer and its provider's hearing of it, for offers still open then."""
    failures: list[str] = field(default_factory=list)
    """What should not have happened: unexpected refusals, crashed actors."""

    def note(self, act: str) -> None:
        self.acts[act] += 1

    def wish(self, channel: str, kind: str, elder_id: str, item: str, urgency: str) -> Wish:
        made = Wish(len(self.wishes) + 1, channel, kind, elder_id, item, urgency)
        self.wishes.append(made)
        return made
