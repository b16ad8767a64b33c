"""Events: facts in the past tense that travel upward.

A room publishes inside its transaction; the bus, filled by `app/wiring.py`, calls whoever listens in that
same transaction. A hearer that must not hold the transaction up enqueues a job instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from app.core.db import Tx


class Event:
    """Base of all events; subclasses are frozen dataclasses with a dotted `name`, e.g. "order.placed"."""

    name: ClassVar[str]


E = TypeVar("E", bound=Event)
Hearer = Callable[["Tx", Any], Awaitable[None]]


class Bus:
    """Which event wakes which hearer, in the order of registration."""

    def __init__(self) -> None:
        self._hearers: dict[type[Event], list[Hearer]] = defaultdict(list)

    def on(self, event: type[E], *hearers: Callable[[Tx, E], Awaitable[None]]) -> None:
        self._hearers[event].extend(hearers)

    def hearers(self, event: type[Event]) -> list[Hearer]:
        return self._hearers.get(event, [])
