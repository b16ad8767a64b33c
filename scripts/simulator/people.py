"""How people and streets behave. Every figure is a plausible guess; a recorded city may teach better ones."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.core.geo import distance_m
from app.routing.travel import DAY, MODES, PEAK, hour_band, travel_minutes
from scripts.simulator.chance import Chance
from scripts.simulator.city import Carer, Wish

HOUR = 3600

NO_ANSWER = 0.05
REFUSAL = (0.02, 0.16)
"""Providers differ: each refuses a share of its offers between these."""
ANSWER_SECONDS = 90.0
ILLNESS = 0.03
NO_SHOW = 0.01
CANCELLED = 0.03
OVERRUN_SIGMA = 0.2
TRAFFIC = {PEAK: (1.0, 1.6), DAY: (1.0, 1.3)}
QUIET_TRAFFIC = (1.0, 1.15)
NOTICED_AFTER = 15 * 60
"""So long after the promised begin it is clear that nobody comes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider says to an offer: None is silence until the deadline."""

    accepts: bool | None
    after: int


@dataclass(frozen=True, slots=True)
class Trip:
    """A way really gone: seconds and kilometres on the road."""

    seconds: int
    km: float


class People:
    """Everybody's behaviour on one day, the same for every policy."""

    def __init__(self, seed: int) -> None:
        self._chance = Chance(seed)

    def answer(self, order: UUID, provider: UUID) -> Answer:
        after = max(5, int(self._chance.lognormal(ANSWER_SECONDS, 0.9, "answers after", order, provider)))
        if self._chance.happens(NO_ANSWER, "silent", order, provider):
            return Answer(None, after)
        refuses = self._chance.between(*REFUSAL, "character", provider)
        return Answer(not self._chance.happens(refuses, "refuses", order, provider), after)

    def falls_ill(self, carer: Carer) -> int | None:
        """The second of the day from which she cannot work; None on most days."""
        if not self._chance.happens(ILLNESS, "ill", carer.id):
            return None
        return self._chance.whole(carer.shift_opens - HOUR, carer.shift_closes - HOUR, "ill from", carer.id)

    def shows_up(self, carer: UUID, order: UUID) -> bool:
        return not self._chance.happens(NO_SHOW, "no show", carer, order)

    def cancels(self, wish: Wish) -> int | None:
        """When the elder changes their mind, if the visit has not begun by then."""
        if not self._chance.happens(CANCELLED, "cancels", wish.id):
            return None
        return self._chance.whole(wish.placed, max(wish.placed, wish.wanted_from), "cancels at", wish.id)

    def trip(self, carer: Carer, origin: tuple[float, float], wish: Wish, leaves: int) -> Trip:
        band = hour_band(leaves // 60 % 1440)
        low, high = TRAFFIC.get(band, QUIET_TRAFFIC)
        usual = travel_minutes(*origin, wish.lng, wish.lat, carer.mode, DAY)
        stretch = self._chance.between(low, high, "traffic", wish.id) * self._chance.lognormal(
            1.0, 0.1, "way", wish.id, carer.id
        )
        road = distance_m(*origin, wish.lng, wish.lat) / 1000 * MODES[carer.mode].detour
        return Trip(int(usual * 60 * stretch), road)

    def stays(self, wish: Wish) -> int:
        """How many seconds the visit really takes."""
        return int(wish.minutes * 60 * self._chance.lognormal(1.0, OVERRUN_SIGMA, "overrun", wish.id))
