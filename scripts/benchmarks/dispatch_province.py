"""A province to match in: 200 by 200 km, towns and open country, caregivers with everything that decides about them.

Every provider may work in the whole province, so that nothing but the place narrows a search. Made from one seed by
COPY; orders of bookings and offers are ids only, which matching does not look at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg

from app.core import clock
from app.orders.queries import NAMES, OrderRow
from app.providers.credit_codes import check_character

PROVINCE, DISTRICT, HOME = "620000", "620302", "620302001001"
WEST, SOUTH = 101.0, 37.6
KM = 200.0
LAT_KM = 1 / 111.195
LNG_KM = LAT_KM / math.cos(math.radians(SOUTH + KM * LAT_KM / 2))
TOWNS = 90
RURAL = 0.25
PROVIDERS_PER_CAREGIVER = 1 / 250

# Share of caregivers with each certificate; the last five are the rare ones.
CERTIFICATES = {
    "health_certificate": 0.9, "insurance": 0.6, "nursing_assistant": 0.45, "nurse": 0.04, "social_worker": 0.012,
    "rehabilitation_therapist": 0.01, "home_adaptation_assessor": 0.006, "psychological_counsellor": 0.004,
}  # fmt: skip
ITEMS = {
    "clean_home": 26, "personal_care": 16, "bath_home": 14, "meal_home": 12, "escort_medical": 8, "urgent_help": 6,
    "wound_care": 6, "rehab_home": 4, "home_assessment": 3, "psychological_comfort": 3, "emotional_support": 2,
}  # fmt: skip
RARE = frozenset({"wound_care", "rehab_home", "home_assessment", "psychological_comfort", "emotional_support"})
MINUTES = {"clean_home": 120, "escort_medical": 180, "urgent_help": 60, "home_assessment": 90, "wound_care": 45}
DIALECTS = (None, None, None, "兰州话", "金昌话", "武威话")


@dataclass(frozen=True)
class Province:
    """The day that is matched, and the orders to match."""

    day: date
    orders: list[OrderRow]


async def fill(dsn: str, caregivers: int, orders: int, day: date, seed: int) -> Province:
    """Fill an empty, migrated database that has the base data; `dsn` is a superuser's, because rows without their
    orders are not what the product's own role may write."""
    chance = Random(seed)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET session_replication_role = replica")
        towns = _towns(chance)
        providers = await _providers(connection, chance, max(2, int(caregivers * PROVIDERS_PER_CAREGIVER)))
        people = await _caregivers(connection, chance, towns, providers, caregivers, day)
        elders = await _elders(connection, chance, towns, people)
        await connection.execute(
            "INSERT INTO provider_month (month, division_code, provider_id, orders) "
            "SELECT date_trunc('month', $1::date)::date, $2, provider_id, count(*) FROM offer GROUP BY provider_id",
            day, DISTRICT,
        )  # fmt: skip
    finally:
        await connection.close()
    return Province(day, [_order(chance, elders, day) for _ in range(orders)])


@dataclass(frozen=True)
class _Person:
    id: UUID
    lng: float
    lat: float


def _id(chance: Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


def _towns(chance: Random) -> list[tuple[float, float, float, float]]:
    """Middle in km, spread in km, weight: a few cities, many small towns."""
    return [
        (chance.uniform(10, KM - 10), chance.uniform(10, KM - 10), chance.uniform(1.5, 5), 1 / (place + 4))
        for place in range(TOWNS)
    ]


def _place(chance: Random, towns: list[tuple[float, float, float, float]]) -> tuple[float, float]:
    if chance.random() < RURAL:
        x, y = chance.uniform(0, KM), chance.uniform(0, KM)
    else:
        middle_x, middle_y, spread, _ = chance.choices(towns, [town[3] for town in towns])[0]
        x, y = chance.gauss(middle_x, spread), chance.gauss(middle_y, spread)
    return WEST + x * LNG_KM, SOUTH + y * LAT_KM


async def _copy(connection: asyncpg.Connection, table: str, columns: str, rows: Any) -> None:
    await connection.copy_records_to_table(table, columns=columns.split(), records=rows)


async def _providers(connection: asyncpg.Connection, chance: Random, count: int) -> list[UUID]:
    now, ids = clock.now(), [_id(chance) for _ in range(count)]
    rows, items, shares = [], [], []
    for number, provider_id in enumerate(ids):
        code = f"91620000MC{number:07d}"
        status = "suspended" if chance.random() < 0.03 else "active"
        limit = chance.choice([None, None, chance.randint(100, 2000)])
        quota = chance.choice([None, None, chance.randint(2000, 40_000)])
        rows.append((provider_id, f"测速企业{number}", code + check_character(code), "company", status, "+8693500000",
                     DISTRICT, limit, quota, 1, now, now))  # fmt: skip
        items += [(provider_id, item) for item in ITEMS if chance.random() < 0.85]
        if chance.random() < 0.5:
            shares.append(
                (_id(chance), provider_id, PROVINCE, 10_000 // count, "测速合同", date(2020, 1, 1), "bench", now)
            )
    await _copy(connection, "provider", "id name uscc kind status phone division_code daily_capacity monthly_quota "
                "version created_at updated_at", rows)  # fmt: skip
    await _copy(connection, "provider_area", "provider_id division_code", [(one, PROVINCE) for one in ids])
    await _copy(connection, "provider_item", "provider_id item_code", items)
    await _copy(connection, "contract_share",
                "id provider_id division_code share_bp source valid_from made_by made_at", shares)  # fmt: skip
    return ids


async def _caregivers(
    connection: asyncpg.Connection, chance: Random, towns: Any, providers: list[UUID], count: int, day: date
) -> list[_Person]:
    now, people = clock.now(), []
    rows: dict[str, list[Any]] = {name: [] for name in ("caregiver", "certificate", "shift", "absence", "card")}
    bookings, offers = [], []
    midnight = clock.day_bounds(day)[0]
    for number in range(count):
        person = _Person(_id(chance), *_place(chance, towns))
        provider = chance.choice(providers)
        people.append(person)
        sex = "female" if chance.random() < 0.85 else "male"
        mode = chance.choices(("ebike", "bus", "walk", "car"), (55, 20, 10, 15))[0]
        status = "inactive" if chance.random() < 0.02 else "active"
        rows["caregiver"].append((person.id, provider, f"测{number}", sex, b"", b"", person.lng, person.lat, DISTRICT,
                                  mode, chance.choice(DIALECTS), status, now, now))  # fmt: skip
        for kind, part in CERTIFICATES.items():
            if chance.random() < part:
                until = day - timedelta(days=5) if chance.random() < 0.04 else None
                rows["certificate"].append((_id(chance), person.id, kind, date(2020, 1, 1), until))
        begin, end = chance.choices(((480, 1200), (480, 1080), (840, 1320), (0, 1440), (1200, 1440)),
                                    (50, 25, 12, 5, 8))[0]  # fmt: skip
        off = chance.randint(1, 7)
        rows["shift"] += [(person.id, weekday, begin, end) for weekday in range(1, 8) if weekday != off]
        if chance.random() < 0.03:
            rows["absence"].append(
                (_id(chance), person.id, midnight - timedelta(days=1), midnight + timedelta(days=1), "病假")
            )
        if chance.random() < 0.8:
            ratings = chance.randint(1, 200)
            score = min(5 * ratings, max(ratings, round(ratings * chance.gauss(4.6, 0.25))))
            rows["card"].append((person.id, provider, ratings, score, ratings))
        for ahead, busy in ((-1, 0.5), (0, 1.0)):
            for from_at, to_at, starts_at, minutes in _visits(
                chance, midnight + timedelta(days=ahead), begin, end, busy
            ):
                order, made = _id(chance), midnight - timedelta(days=3)
                during = asyncpg.Range(from_at, to_at)
                bookings.append((_id(chance), person.id, order, "lead", "booked", during, starts_at, minutes, made))
                offers.append((_id(chance), order, provider, person.id, _id(chance), "ranked", 1, "accepted",
                               day + timedelta(days=ahead), starts_at, made, made, "fetched"))  # fmt: skip
    await _copy(connection, "caregiver", "id provider_id name sex phone phone_index home_lng home_lat division_code "
                "travel_mode dialect status created_at updated_at", rows["caregiver"])  # fmt: skip
    await _copy(connection, "caregiver_certificate", "id caregiver_id kind valid_from valid_to", rows["certificate"])
    await _copy(connection, "caregiver_shift", "caregiver_id weekday starts_minute ends_minute", rows["shift"])
    await _copy(connection, "caregiver_absence", "id caregiver_id starts_at ends_at reason", rows["absence"])
    await _copy(connection, "scorecard", "caregiver_id provider_id ratings score_sum completed", rows["card"])
    await _copy(
        connection, "booking", "id caregiver_id order_id role status during starts_at minutes made_at", bookings
    )
    await _copy(connection, "offer", "id order_id provider_id caregiver_id decision_id mode attempt status "
                "service_day starts_at made_at deadline_at delivery", offers)  # fmt: skip
    return people


def _visits(
    chance: Random, midnight: datetime, begin: int, end: int, busy: float
) -> Iterator[tuple[datetime, datetime, datetime, int]]:
    """A day's visits one after the other: the interval with the way and the turnaround, begin, minutes."""
    minute = begin + chance.randint(0, 180)
    while minute < end - 120 and chance.random() < 0.85 * busy:
        way, length = chance.randint(5, 35), chance.choice((30, 45, 60, 60, 90, 120))
        starts_at = midnight + timedelta(minutes=minute + way)
        yield (starts_at - timedelta(minutes=way), starts_at + timedelta(minutes=length + 5), starts_at, length)
        minute += way + length + 5 + chance.choice((0, 10, 25, 60, 120))


async def _elders(connection: asyncpg.Connection, chance: Random, towns: Any, people: list[_Person]) -> list[_Person]:
    now = clock.now()
    elders = [_Person(_id(chance), *_place(chance, towns)) for _ in range(max(200, len(people) // 20))]
    rows, known, blocked = [], [], []
    grid: dict[tuple[int, int], list[_Person]] = {}
    for person in people:
        grid.setdefault((int(person.lng * 10), int(person.lat * 10)), []).append(person)
    for number, elder in enumerate(elders):
        wish = chance.choices((None, "female", "male"), (80, 17, 3))[0]
        rows.append((elder.id, f"测{number}", "ce", "c", "female", HOME, elder.lng, elder.lat, "wgs84", wish,
                     chance.choice(DIALECTS), "active", "bench", 1, now, now))  # fmt: skip
        near = grid.get((int(elder.lng * 10), int(elder.lat * 10)), people[:50])
        friends = chance.sample(near, min(len(near), chance.choice((0, 1, 2, 3))))
        if chance.random() < 0.1:
            friends.append(chance.choice(people))
        known += [(elder.id, one, chance.randint(1, 8), now) for one in {friend.id for friend in friends}]
        if chance.random() < 0.2:
            blocked.append((elder.id, chance.choice(near).id, "bench", "不再见面", now))
    await _copy(connection, "elder", "id name name_pinyin name_initials sex division_code lng lat source_crs "
                "gender_wish dialect status source version created_at updated_at", rows)  # fmt: skip
    await _copy(connection, "continuity", "elder_id caregiver_id visits last_at", known)
    await _copy(connection, "blocked_pair", "elder_id caregiver_id asked_by reason since", blocked)
    return elders


def _order(chance: Random, elders: list[_Person], day: date) -> OrderRow:
    """An order as matching sees it; what it does not look at is empty."""
    elder, item = chance.choice(elders), chance.choices(list(ITEMS), list(ITEMS.values()))[0]
    begin = clock.day_bounds(day)[0] + timedelta(minutes=chance.randrange(8 * 60, 19 * 60, 5))
    empty: dict[str, Any] = dict.fromkeys(NAMES)
    return OrderRow(**empty | {
        "id": _id(chance), "item_code": item, "elder_id": elder.id, "division_code": HOME, "lng": elder.lng,
        "lat": elder.lat, "wanted_from": begin, "minutes": MINUTES.get(item, 60), "status": "placed", "flags": [],
        "urgency": "emergency" if item == "urgent_help" else "appointment", "version": 1,
    })  # fmt: skip
