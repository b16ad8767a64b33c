"""A city day out of a seed: people around a few centres, orders with a busy morning.

The shares are chosen for a plausible day, not measured anywhere; record a day of the city to replace them.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

from app.core.geo import distance_m
from scripts.simulator.chance import Chance
from scripts.simulator.city import Carer, City, Wish

HOUR = 3600
CENTRE = (102.19, 38.52)
AREA = "620302"
PROVIDERS = 12
CAREGIVER, ELDER, ORDER, PROVIDER = (UUID(int=kind << 64) for kind in (1, 2, 3, 4))


@dataclass(frozen=True, slots=True)
class Service:
    """A service item: its share of the orders, its minutes, and the share of caregivers who may do it."""

    item: str
    orders: float
    minutes: tuple[int, ...]
    able: float


SERVICES = (
    Service("clean_home", 0.34, (45, 60), 0.9),
    Service("meal_home", 0.22, (30,), 0.9),
    Service("bath_home", 0.18, (45, 60), 0.45),
    Service("escort_clinic", 0.12, (60, 90), 0.35),
    Service("nurse_home", 0.14, (30, 45), 0.18),
)
URGENCIES = (("emergency", 0.02), ("urgent", 0.08), ("normal", 0.40), ("appointment", 0.50))
MODES = (("ebike", 0.7), ("walk", 0.1), ("bus", 0.1), ("car", 0.1))
SHIFTS = ((7, 15), (8, 17), (8, 17), (9, 18), (11, 20))


def generate(seed: int, orders: int, carers: int, *, scarce: bool = False) -> City:
    """A day. `scarce` halves the certificates beyond cleaning and meals, and 40 % of the orders, placed at eight in
    one minute, want the same morning: a cold snap, or the first day of a subsidy."""
    chance = Chance(seed)
    people = tuple(_carer(chance, i, scarce) for i in range(carers))
    elders = max(1, orders * 2)
    wishes = sorted(
        (_wish(chance, i, chance.whole(0, elders - 1, "elder", i), scarce) for i in range(orders)),
        key=lambda wish: (wish.placed, wish.id),
    )
    known = {key: visits for wish in wishes for key, visits in _known(chance, wish, people)}
    name = f"generated: seed {seed}, {orders} orders, {carers} caregivers{', scarce' if scarce else ''}"
    return City(name, people, tuple(wishes), known)


def _carer(chance: Chance, number: int, scarce: bool) -> Carer:
    opens, closes = SHIFTS[chance.whole(0, len(SHIFTS) - 1, "shift", number)]
    lng, lat = _place(chance, "home", number)
    items = frozenset(s.item for s in SERVICES if chance.happens(_able(s, scarce), "able", s.item, number))
    ratings = chance.whole(0, 60, "ratings", number)
    return Carer(
        id=_name(CAREGIVER, number), provider=_name(PROVIDER, number % PROVIDERS), lng=lng, lat=lat,
        mode=_pick(chance, MODES, "mode", number), sex="male" if chance.happens(0.12, "sex", number) else "female",
        items=items or frozenset({SERVICES[0].item}), shift_opens=opens * HOUR, shift_closes=closes * HOUR,
        week_minutes=chance.whole(0, 1500, "week", number), ratings=ratings,
        score_sum=round(ratings * chance.between(4.0, 5.0, "score", number)),
    )  # fmt: skip


def _able(service: Service, scarce: bool) -> float:
    return service.able / 2 if scarce and service.able < 0.5 else service.able


def _wish(chance: Chance, number: int, elder: int, scarce: bool) -> Wish:
    service = SERVICES[_index(chance, [s.orders for s in SERVICES], "item", number)]
    urgency = _pick(chance, URGENCIES, "urgency", number)
    placed = _placed(chance, number, scarce)
    pile = scarce and _of_the_pile(chance, number, scarce)
    wanted_from, wanted_to = _wanted(chance, number, urgency, placed, pile)
    lng, lat = _place(chance, "door", elder)
    return Wish(
        id=_name(ORDER, number), elder=_name(ELDER, elder), item=service.item, area=AREA, urgency=urgency,
        placed=placed, wanted_from=wanted_from, wanted_to=wanted_to, lng=lng, lat=lat,
        minutes=service.minutes[chance.whole(0, len(service.minutes) - 1, "minutes", number)],
        gender="female" if chance.happens(0.1, "gender", elder) else None,
    )  # fmt: skip


def _known(chance: Chance, wish: Wish, people: tuple[Carer, ...]) -> list[tuple[tuple[UUID, UUID], int]]:
    """Up to two caregivers who came before: of a few who may do it, the one who lives nearest."""
    found = []
    for i in range(chance.whole(0, 2, "known", wish.elder)):
        drawn = [people[chance.whole(0, len(people) - 1, "knows", wish.elder, i, j)] for j in range(8)]
        able = [one for one in drawn if wish.item in one.items]
        if able:
            nearest = min(able, key=lambda one: (distance_m(one.lng, one.lat, wish.lng, wish.lat), one.id))
            found.append(((wish.elder, nearest.id), chance.whole(1, 8, "visits", wish.elder, i)))
    return found


def _of_the_pile(chance: Chance, number: int, scarce: bool) -> bool:
    return chance.happens(0.4 if scarce else 0.1, "pile", number)


def _placed(chance: Chance, number: int, scarce: bool) -> int:
    """Seven to half past four, busiest in the morning; what came overnight is placed as the line opens at eight."""
    if _of_the_pile(chance, number, scarce):
        return 8 * HOUR + chance.whole(0, 60, "placed", number)
    early = min(chance.uniform("placed", number, 1), chance.uniform("placed", number, 2))
    return int(7 * HOUR + early * 9.5 * HOUR)


def _wanted(chance: Chance, number: int, urgency: str, placed: int, pile: bool) -> tuple[int, int | None]:
    """When: at once, within some hours, or at an appointed time. A pile is about one and the same morning."""
    if urgency in ("emergency", "urgent"):
        return placed, None
    if pile:
        begin = int(chance.between(9.5, 11.5, "wanted", number) * HOUR)
        window = 2 * HOUR
    elif urgency == "normal":
        begin = placed + int(chance.between(0.5, 3.0, "wanted", number) * HOUR)
        window = 3 * HOUR
    else:
        begin = int(chance.between(placed + 1.5 * HOUR, max(placed + 2.0 * HOUR, 17 * HOUR), "wanted", number))
        window = int(chance.between(1.5, 2.5, "window", number) * HOUR)
    begin = begin // 900 * 900
    return begin, begin + window


def _place(chance: Chance, *names: object) -> tuple[float, float]:
    """Two thirds live around one of three centres, the others anywhere within eleven kilometres by nine."""
    if chance.happens(0.67, *names, "town"):
        middle = chance.whole(0, 2, *names, "which")
        lng = CENTRE[0] + (-0.03, 0.0, 0.035)[middle] + 0.009 * chance.normal(*names, "x")
        return lng, CENTRE[1] + (0.01, -0.012, 0.018)[middle] + 0.007 * chance.normal(*names, "y")
    return CENTRE[0] + chance.between(-0.065, 0.065, *names, "x"), CENTRE[1] + chance.between(-0.04, 0.04, *names, "y")


def _pick(chance: Chance, shares: tuple[tuple[str, float], ...], *names: object) -> str:
    return shares[_index(chance, [share for _, share in shares], *names)][0]


def _index(chance: Chance, shares: list[float], *names: object) -> int:
    until = list(accumulate(shares))
    return min(bisect_left(until, chance.uniform(*names) * until[-1]), len(until) - 1)


def _name(kind: UUID, number: int) -> UUID:
    return UUID(int=kind.int + number + 1)
