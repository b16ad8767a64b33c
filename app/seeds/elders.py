"""Four hundred elders of Jinchang: where they live, what is known of them, who belongs to them, what they get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.accounts.models import Consent
from app.benefits import queries as benefits
from app.benefits.models import Entitlement
from app.core import clock
from app.core.db import Tx
from app.core.geo import Crs, Location
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.elders import id_numbers, importing
from app.elders.facts import NewElder, NewFamilyMember, NewPhone, NewTag
from app.regions import service as regions
from app.regions.service import DivisionFacts
from app.seeds import queries
from app.seeds.chance import chance, phone
from app.seeds.names import RARE, name

COUNT = 400
OWN, FAMILY_BLOCK = 1, 2
"""Blocks of telephone numbers."""

TAG_SHARES = (
    ("living_alone", 0.16), ("empty_nest", 0.22), ("low_income", 0.08), ("extreme_poverty", 0.03),
    ("semi_incapacitated", 0.12), ("incapacitated", 0.06), ("dementia", 0.04), ("severely_disabled", 0.04),
    ("left_behind", 0.03), ("bereaved_single_child", 0.015), ("childless", 0.02), ("low_income_edge", 0.03),
    ("entitled_group", 0.01),
)  # fmt: skip
"""特殊困难老年人: shares of elders; 高龄 follows from the birth date."""

HEALTH = ("高血压，按时服药", "糖尿病，饮食少糖", "膝关节置换术后，行走需扶", "听力差，请大声说话", "对青霉素过敏",
          "冠心病，随身带药", "轻度认知障碍，请先说明来意", "白内障，视力差")  # fmt: skip

SCHEMES = (
    ("gov_special", "特殊困难老年人政府购买服务", 10_000, 40_000, True, (
        "meal_delivery", "bath_home", "clean_home", "personal_care", "personal_hygiene", "toileting_care",
        "turning_care", "medication_care", "escort_medical", "walk_escort", "laundry", "vital_signs")),
    ("gov_advanced_age", "高龄老年人居家服务补贴", 8_000, 30_000, False, (
        "bath_home", "clean_home", "meal_home", "nail_hair", "escort_medical", "companionship", "errand")),
    ("meal_subsidy", "老年助餐补贴", 5_000, 9_000, False, ("meal_delivery",)),
)  # fmt: skip
"""Code, name, basis points of the price, fen a month, needs an assessment, items. Figures to look at."""


IN_NEED = frozenset({"low_income", "extreme_poverty", "incapacitated", "severely_disabled", "childless"})
"""Circumstances whose services the city buys in full."""


@dataclass(frozen=True, slots=True)
class Person:
    """An elder of the demo world, as its stories need one."""

    id: UUID
    division: str
    lng: float
    lat: float
    phone: str
    family: tuple[str, str] | None
    """Name and telephone of an approved child."""


async def load(tx: Tx) -> list[Person]:
    """Register everybody, with what they are entitled to and what they have agreed to."""
    draw, homes = chance("elders"), await _homes(tx)
    schemes = await _schemes(tx)
    taken: set[str] = set()
    register = [_elder(draw, number, place, *spot, taken) for number, (place, spot) in enumerate(homes)]
    ids = await importing.bring_in(tx, SYSTEM, register)
    entitled: list[dict[str, Any]] = []
    consented: list[dict[str, Any]] = []
    people = []
    for elder_id, new, (_, spot) in zip(ids, register, homes, strict=True):
        member = next((m for m in new.family if m.approved), None)
        family = (member.name, member.phone) if member else None
        entitled += _entitlements(draw, elder_id, new, schemes)
        consented += _consents(elder_id, with_family=member is not None)
        people.append(Person(elder_id, new.division_code, *spot, new.phones[0].number, family))
    await queries.add_many(tx, {Entitlement: entitled, Consent: consented})
    return people


def _consents(elder_id: UUID, *, with_family: bool) -> list[dict[str, Any]]:
    given = [("service", "provider"), *([("family_page", "family")] if with_family else [])]
    return [
        {
            "id": new_id(), "elder_id": elder_id, "purpose": purpose, "granted_to": to, "channel": "paper",
            "evidence": None, "granted_at": clock.now(), "granted_by": SYSTEM.actor,
        }
        for purpose, to in given
    ]  # fmt: skip


async def _homes(tx: Tx) -> list[tuple[DivisionFacts, tuple[float, float]]]:
    """A division and a point for everybody: half in the six urban streets, the rest in the county and villages."""
    draw = chance("homes")
    city = ["620300"]
    streets = {s.code: s for s in await regions.divisions(tx, city, kind="street")}
    places = [p for kind in ("community", "village") for p in await regions.divisions(tx, city, kind=kind, limit=300)]
    weights = [_weight(place) for place in places]
    chosen = draw.choices(places, weights, k=COUNT)
    return [(place, _near(draw, streets[place.code[:9]], 0.006 if place.urban else 0.015)) for place in chosen]


def _weight(place: DivisionFacts) -> float:
    if place.kind == "community":
        return 8.0 if place.code.startswith("620302") else 6.0
    return 1.0 if place.code.startswith("620302") else 0.6


def _near(draw: Random, street: DivisionFacts, spread: float) -> tuple[float, float]:
    lng, lat = street.lng or 102.19, street.lat or 38.52
    return round(lng + draw.uniform(-spread, spread), 6), round(lat + draw.uniform(-spread, spread), 6)


def _elder(draw: Random, number: int, place: DivisionFacts, lng: float, lat: float, taken: set[str]) -> NewElder:
    born = date(draw.choices((1928, 1935, 1942, 1949, 1956, 1962), (1, 6, 20, 34, 30, 9))[0], 1, 1)
    born += timedelta(days=draw.randrange(7 * 365))
    sex = draw.choice(("male", "female"))
    called = name(draw, sex, born.year)
    if number % 25 == 7:
        called, sex = RARE[number // 25 % len(RARE)]
    alone = draw.random() < 0.25
    first = NewPhone(phone(OWN, number))
    return NewElder(
        name=called,
        division_code=place.code,
        phones=(first,) if draw.random() < 0.8 else (first, NewPhone(f"0935-0{number:06d}")),
        address=f"{place.name.removesuffix('居委会').removesuffix('村委会')}示例楼 {1 + number % 30} 号",
        location=Location(lng=lng, lat=lat, crs=Crs.WGS84),
        id_number=_id_number(draw, place.code[:6], born, sex, taken),
        health_note=draw.choice(HEALTH) if draw.random() < 0.4 else None,
        gender_wish="female" if sex == "female" and draw.random() < 0.12 else None,
        dialect=draw.choice(("金昌话", "永昌话", "凉州话")) if draw.random() < 0.3 else None,
        tags=_tags(draw, born),
        family=() if alone else _family(draw, number, born),
        source="demo",
    )


def _id_number(draw: Random, district: str, born: date, sex: str, taken: set[str]) -> str:
    """A number with a right check digit and a birth order nobody gets: the last ten of the day."""
    orders = [n for n in range(990, 1000) if (n % 2 == 1) == (sex == "male")]
    draw.shuffle(orders)
    for order in orders:
        first17 = f"{district}{born:%Y%m%d}{order}"
        if first17 not in taken:
            taken.add(first17)
            return first17 + id_numbers.check_digit(first17)
    raise LookupError("more than five elders of one sex were born in one district on one day")


def _tags(draw: Random, born: date) -> tuple[NewTag, ...]:
    since = clock.today() - timedelta(days=draw.randrange(200, 1500))
    found = [NewTag(tag, since, "demo") for tag, share in TAG_SHARES if draw.random() < share]
    turned_80 = date(born.year + 80, born.month, min(born.day, 28))
    if turned_80 <= clock.today():
        found.append(NewTag("advanced_age", turned_80, "demo"))
    return tuple(found)


def _family(draw: Random, number: int, born: date) -> tuple[NewFamilyMember, ...]:
    sex = draw.choice(("male", "female"))
    child = name(draw, sex, min(born.year + 27, 1999))
    return (NewFamilyMember(child, "child", phone(FAMILY_BLOCK, number), approved=draw.random() < 0.7),)


async def _schemes(tx: Tx) -> dict[str, UUID]:
    made = {}
    for position, (code, title, share_bp, _, assessed, items) in enumerate(SCHEMES, start=1):
        made[code] = new_id()
        await benefits.add_scheme(
            tx,
            {
                "id": made[code], "code": code, "name": title, "payer": "government", "division_code": "620300",
                "share_bp": share_bp, "item_codes": list(items), "requires_assessment": assessed,
                "position": position, "valid_from": date(2024, 1, 1), "valid_to": None,
            },
        )  # fmt: skip
    return made


def _entitlements(draw: Random, elder_id: UUID, new: NewElder, schemes: dict[str, UUID]) -> list[dict[str, Any]]:
    """About half of everybody: who is in special difficulty, who is over eighty, and some who eat at the centre."""
    tags = {tag.tag for tag in new.tags}
    gets = {
        "gov_special": bool(tags & IN_NEED),
        "gov_advanced_age": "advanced_age" in tags,
        "meal_subsidy": draw.random() < 0.15,
    }
    rows = []
    for code, _, _, quota, assessed, _ in SCHEMES:
        if not gets[code]:
            continue
        until = clock.today() + timedelta(days=draw.randrange(60, 700)) if assessed else None
        if assessed and draw.random() < 0.06:
            until = clock.today() - timedelta(days=120)  # an assessment that has run out
        rows.append({
            "id": new_id(), "elder_id": elder_id, "scheme_id": schemes[code], "monthly_quota_fen": quota,
            "assessed_until": until, "valid_from": date(2025, 1, 1), "valid_to": None,
        })  # fmt: skip
    return rows
