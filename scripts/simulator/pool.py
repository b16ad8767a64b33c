"""Orders that wait to be assigned together, and the pressure that says whether they should."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from app.dispatch.batch import Choice, Claim, Switch, assign, batches, pressure
from scripts.simulator.choosing import Choosing, Found
from scripts.simulator.city import Wish
from scripts.simulator.ledger import Case

LOOK = 600
"""Seconds that pressure looks back."""

REACTS = 15
"""Seconds it takes until whoever places an order knows of a new state: measuring every five, and a cache."""


@dataclass(slots=True)
class Look:
    """What came and what was found for one service in one area lately."""

    arrivals: deque[int] = field(default_factory=deque)
    found: deque[tuple[int, int]] = field(default_factory=deque)
    batching: bool = False
    measured: int = -REACTS

    def pressure(self, waiting: int, now: int) -> float:
        while self.arrivals and self.arrivals[0] <= now - LOOK:
            self.arrivals.popleft()
        while self.found and self.found[0][0] <= now - LOOK:
            self.found.popleft()
        free = sum(count for _, count in self.found) / len(self.found) if self.found else float("inf")
        return pressure(max(waiting, len(self.arrivals)), free)


class Pool:
    """The waiting orders of one day."""

    def __init__(self, switch: Switch | None, weight_of: Mapping[str, float]) -> None:
        self._switch, self._weight_of = switch, weight_of
        self._waiting: dict[UUID, Case] = {}
        self._looks: dict[tuple[str, str], Look] = defaultdict(Look)
        self.pressures: list[float] = []

    def arrived(self, wish: Wish, now: int) -> None:
        self._looks[wish.item, wish.area].arrivals.append(now)

    def searched(self, wish: Wish, candidates: int, now: int) -> None:
        self._looks[wish.item, wish.area].found.append((now, candidates))

    def batching(self, wish: Wish, now: int) -> bool:
        """Whether this service competes now; keeps the state that the hysteresis needs."""
        assert self._switch is not None
        look = self._looks[wish.item, wish.area]
        if now - look.measured < REACTS:
            return look.batching
        look.measured = now
        waiting = sum((c.wish.item, c.wish.area) == (wish.item, wish.area) for c in self._waiting.values())
        found = look.pressure(waiting, now)
        self.pressures.append(found)
        look.batching = batches(look.batching, found, self._switch)
        return look.batching

    def add(self, case: Case) -> None:
        self._waiting[case.wish.id] = case

    def overdue(self, still_waits: Callable[[Case], bool]) -> list[Case]:
        """Those who have waited long enough leave."""
        self._drop_closed()
        leaving = [case for case in self._waiting.values() if not still_waits(case)]
        for case in leaving:
            del self._waiting[case.wish.id]
        return leaving

    def assigned(self, choosing: Choosing, now: int) -> Iterator[tuple[Case, Found]]:
        """Assign what can be assigned; whoever goes without at the first begin time tries later ones.

        Each is given back with its one choice, and has left the pool; it must be held before the next is asked for.
        """
        self._drop_closed()
        asking: dict[UUID, tuple[Case, Found]] = {}
        for case in self._waiting.values():
            found = choosing.find(case.wish, case.excluded, now)
            self.searched(case.wish, len(found.choices), now)
            asking[case.wish.id] = (case, found)
        while asking := {key: one for key, one in asking.items() if one[1].choices}:
            chosen = assign([self._claim(case, found) for case, found in asking.values()])
            for order, carer in chosen.items():
                case, found = asking.pop(order)
                del self._waiting[order]
                mine = next(choice for choice in found.choices if choice.carer == carer)
                yield case, Found(found.starts, (mine,))
            asking = {
                key: (case, choosing.find(case.wish, case.excluded, now, found.starts))
                for key, (case, found) in asking.items()
            }

    def _claim(self, case: Case, found: Found) -> Claim[UUID, UUID]:
        end = found.starts + case.wish.minutes * 60
        choices = {c.carer: Choice(c.ranked.score, found.starts - c.begin) for c in found.choices}
        turnaround = found.choices[0].end - end
        weight = self._weight_of.get(case.wish.urgency, 1.0)
        return Claim(case.wish.id, found.starts, end + turnaround, choices, weight)

    def _drop_closed(self) -> None:
        self._waiting = {key: case for key, case in self._waiting.items() if case.open}
