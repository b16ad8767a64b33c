"""A caregiver's day: what is booked, where she comes from, whether she is free. Seconds after midnight."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from uuid import UUID

from scripts.simulator.city import Carer


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A booking: `begin` to `end` is blocked, travel and turnaround included; the visit begins at `starts`."""

    begin: int
    end: int
    starts: int
    order: UUID = field(compare=False)
    place: tuple[float, float] = field(compare=False)
    minutes: int = field(compare=False)


@dataclass(slots=True)
class Diary:
    """One caregiver's entries in order of time, and what really happened so far."""

    carer: Carer
    entries: list[Entry] = field(default_factory=list)
    absent_from: int | None = None
    at: tuple[float, float] = (0.0, 0.0)
    free_from: int = 0
    worked: int = 0
    booked: int = 0

    def __post_init__(self) -> None:
        self.at = (self.carer.lng, self.carer.lat)

    def origin(self, starts: int) -> tuple[float, float]:
        """Where she comes from to a visit at `starts`: the last place booked before it, else home."""
        place = (self.carer.lng, self.carer.lat)
        for entry in self.entries:
            if entry.starts >= starts:
                break
            place = entry.place
        return place

    def fits(self, begin: int, starts: int, end: int, visit_ends: int) -> bool:
        """Within the shift, not absent, and nothing booked from `begin` to `end`."""
        if starts < self.carer.shift_opens or visit_ends > self.carer.shift_closes:
            return False
        if self.absent_from is not None and end > self.absent_from:
            return False
        for entry in self.entries:  # they stand in the order of time and never overlap
            if entry.begin >= end:
                return True
            if entry.end > begin:
                return False
        return True

    def slack(self, begin: int, end: int) -> int:
        """Seconds free before `begin` or after `end`, whichever is less; the shift's ends count."""
        before, after = self.carer.shift_opens, self.carer.shift_closes
        for entry in self.entries:
            if entry.end <= begin:
                before = entry.end
            elif entry.begin >= end:
                after = entry.begin
                break
        return max(0, min(begin - before, after - end))

    @property
    def week_minutes(self) -> int:
        return self.carer.week_minutes + self.booked

    def add(self, entry: Entry) -> None:
        insort(self.entries, entry)
        self.booked += entry.minutes

    def drop(self, order: UUID) -> None:
        self.booked -= sum(entry.minutes for entry in self.entries if entry.order == order)
        self.entries = [entry for entry in self.entries if entry.order != order]
