"""From a wish to a ranked list, by the product's rules: begin times, what a booking blocks, objectives, ties."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from app.core.clock import SHANGHAI
from app.matching.rules import Candidate, Ranked, rank
from app.matching.times import LEAD, occupied, possible_starts
from app.providers.ratings import shrunk
from app.routing.travel import hour_band, travel_minutes
from scripts.simulator.city import City, Wish
from scripts.simulator.diary import Diary
from scripts.simulator.policy import Policy

MIDNIGHT = datetime(2026, 3, 3, tzinfo=SHANGHAI)
"""Of the simulated day, a working Tuesday."""

SPECIAL = 0.6
"""A service that fewer than this share of the most ordinary one's caregivers may do takes a specialist."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A ranked caregiver with the seconds her booking would block."""

    ranked: Ranked
    begin: int
    end: int

    @property
    def carer(self) -> UUID:
        return self.ranked.candidate.caregiver_id

    @property
    def provider(self) -> UUID:
        return self.ranked.candidate.provider_id


@dataclass(frozen=True, slots=True)
class Found:
    """Who could come at `starts`, best first; empty if nobody can at any time."""

    starts: int
    choices: tuple[Choice, ...]


class Choosing:
    """Searches over the diaries of one simulated day."""

    def __init__(self, city: City, policy: Policy, diaries: dict[UUID, Diary]) -> None:
        self._known = city.known
        self._policy = policy
        self._able: dict[str, list[Diary]] = {}
        self._teams: dict[UUID, list[Diary]] = {}
        for carer in city.carers:
            self._teams.setdefault(carer.provider, []).append(diaries[carer.id])
            for item in sorted(carer.items):
                self._able.setdefault(item, []).append(diaries[carer.id])

        most = max(map(len, self._able.values()), default=0)
        self._special = frozenset(item for item, able in self._able.items() if len(able) < SPECIAL * most)

    def starts(self, wish: Wish, now: int) -> list[int]:
        """Begin times that are still in time, earliest first; none when the window is over."""
        wanted_to = at(wish.wanted_to) if wish.wanted_to is not None else None
        if wanted_to is not None and at(now) + LEAD[wish.urgency] > wanted_to - timedelta(minutes=wish.minutes):
            return []
        found = possible_starts(at(wish.wanted_from), wanted_to, wish.minutes, wish.urgency, at(now))
        return [int((start - MIDNIGHT).total_seconds()) for start in found]

    def find(self, wish: Wish, excluded: Set[UUID], now: int, after: int | None = None) -> Found:
        """The earliest begin time (later than `after`) with anybody left."""
        for starts in self.starts(wish, now):
            if after is None or starts > after:
                choices = self._at(wish, excluded, starts)
                if choices:
                    return Found(starts, choices)
        return Found(0, ())

    def _at(self, wish: Wish, excluded: Set[UUID], starts: int) -> tuple[Choice, ...]:
        blocked: dict[UUID, tuple[int, int]] = {}
        middles: dict[UUID, float] = {}
        candidates = []
        begin, end = self._blocks(wish, starts, 0)
        band, visit_ends = hour_band(starts // 60), starts + wish.minutes * 60
        for diary in self._able.get(wish.item, ()):
            carer = diary.carer
            if (excluded and carer.provider in excluded) or (wish.gender is not None and carer.sex != wish.gender):
                continue
            if not diary.fits(begin, starts, end, visit_ends):  # not even if she were there already
                continue
            travel = travel_minutes(*diary.origin(starts), wish.lng, wish.lat, carer.mode, band)
            hers = self._blocks(wish, starts, travel)
            if travel <= self._policy.max_travel_minutes and diary.fits(hers[0], starts, hers[1], visit_ends):
                blocked[carer.id] = hers
                middle = middles.get(carer.provider)
                if middle is None:
                    middle = middles[carer.provider] = self._middle(carer.provider)
                candidates.append(self._candidate(wish, diary, travel, hers, middle))
        ranked = rank(candidates, self._policy.weights_for(wish.urgency), str(wish.id))
        return tuple(Choice(one, *blocked[one.candidate.caregiver_id]) for one in ranked)

    def _blocks(self, wish: Wish, starts: int, travel: int) -> tuple[int, int]:
        begin, end = occupied(at(starts), wish.minutes, travel)
        return int((begin - MIDNIGHT).total_seconds()), int((end - MIDNIGHT).total_seconds())

    def _candidate(self, wish: Wish, diary: Diary, travel: int, blocks: tuple[int, int], middle: float) -> Candidate:
        carer = diary.carer
        return Candidate(
            caregiver_id=carer.id,
            provider_id=carer.provider,
            caregiver_name="",
            provider_name="",
            travel_minutes=travel,
            visits=self._known.get((wish.elder, carer.id), 0),
            slack_minutes=min(120, diary.slack(*blocks) // 60),
            ahead_minutes=round(wish.minutes + diary.week_minutes - middle),
            rating=shrunk(carer.score_sum, carer.ratings),
            spare=len((carer.items & self._special) - {wish.item}),
        )

    def _middle(self, provider: UUID) -> float:
        """The week of the middle one of a provider's team, in minutes."""
        return median(diary.week_minutes for diary in self._teams[provider])


def at(second: int) -> datetime:
    """A second of the simulated day as an instant."""
    return MIDNIGHT + timedelta(seconds=second)
