"""Who may come to an order at all: the providers' items, areas and standing, and what the elder asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.geo import distance_m
from app.regions.divisions import lineage
from app.rounds.facts import DayCaregiver, DayOrder, DayProvider, Place


class Eligible:
    """Answers for the caregivers and providers of one day; certificates aside, equal answers are one set."""

    def __init__(self, caregivers: Iterable[DayCaregiver], providers: Iterable[DayProvider]) -> None:
        self.caregivers = tuple(caregivers)
        self.providers = {one.id: one for one in providers}
        self.team: dict[str, frozenset[str]] = {}
        for one in self.caregivers:
            self.team[one.provider] = self.team.get(one.provider, frozenset()) | {one.id}
        self.men_and_women = {
            wish: frozenset(one.id for one in self.caregivers if one.sex != wish) for wish in ("female", "male")
        }
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def never(self, order: DayOrder) -> frozenset[str]:
        """Those whom the elder does not want, or who shall not meet the elder."""
        unwanted = self.men_and_women[order.gender_wish] if order.gender_wish else frozenset()
        return unwanted | order.blocked

    def who(self, order: DayOrder) -> frozenset[str] | None:
        """Caregivers of the providers that may come; where two come together of one provider, None if none has two."""
        may = self._providers(order)
        if order.hands == 1:
            return self._team(may)
        pairs = {name: able for name in may if len(able := self._fit(order, name)) >= order.hands}
        if not pairs:
            return None
        nearest = min(pairs, key=lambda name: (name != order.asked, self._far(order, pairs[name]), name))
        return self.team[nearest]

    def _providers(self, order: DayOrder) -> list[str]:
        if order.provider is not None:
            return [order.provider]
        around = lineage(order.division)
        return [
            one.id
            for one in self.providers.values()
            if (one.open or one.id == order.asked)
            and one.id not in order.refused
            and order.item in one.items
            and not one.areas.isdisjoint(around)
        ]

    def _team(self, providers: Iterable[str]) -> frozenset[str]:
        key = frozenset(providers)
        if key not in self._sets:
            self._sets[key] = frozenset().union(*(self.team.get(name, frozenset()) for name in key))
        return self._sets[key]

    def _fit(self, order: DayOrder, provider: str) -> list[DayCaregiver]:
        never = self.never(order)
        return [
            one
            for one in self.caregivers
            if one.provider == provider
            and one.id not in never
            and (order.certificate is None or order.certificate in one.certificates)
        ]

    @staticmethod
    def _far(order: DayOrder, able: Iterable[DayCaregiver]) -> float:
        """How far the two nearest live, together; far for unknown places."""
        return sum(sorted(_metres(one.home, order.place) for one in able)[:2])


def _metres(one: Place, other: Place) -> float:
    if one[0] is None or one[1] is None or other[0] is None or other[1] is None:
        return 1e6
    return distance_m(one[0], one[1], other[0], other[1])
