"""Twelve providers and their ninety-six caregivers, with what they offer, where, when, and under which contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.ids import new_id
from app.providers import credit_codes, queries
from app.providers.models import (
    Caregiver,
    CaregiverAbsence,
    CaregiverCertificate,
    CaregiverShift,
    Provider,
    ProviderArea,
    ProviderItem,
)
from app.providers.service import PHONE, phone_index
from app.regions import service as regions
from app.seeds.chance import chance, phone
from app.seeds.names import name

CAREGIVER_BLOCK, OFFICE_BLOCK = 3, 4
CAREGIVERS_EACH = 8

LIVING = ("meal_home", "clean_home", "laundry", "nail_hair", "walk_escort", "companionship", "errand", "paperwork",
          "bill_payment", "visit_home")  # fmt: skip
CARE = ("bath_home", "bath_station", "personal_hygiene", "personal_care", "toileting_care", "turning_care",
        "medication_care")  # fmt: skip
MEAL = ("meal_delivery", "meal_home", "errand")
HEALTH = ("vital_signs", "health_record", "wound_care", "rehab_home", "medication_care")
URGENT = ("urgent_help", "emergency_check", "appliance_help", "visit_home")
COMFORT = ("companionship", "emotional_support", "psychological_comfort", "visit_home", "walk_escort", "paperwork")
ADAPTATION = ("home_assessment", "adaptation_basic", "adaptation_special", "appliance_help")
ESCORT = ("escort_medical", "walk_escort", "errand", "paperwork")


@dataclass(frozen=True, slots=True)
class Plan:
    """A provider before it exists: `base` is the street its office and most of its caregivers are in."""

    name: str
    kind: str
    base: str
    areas: tuple[str, ...]
    items: tuple[str, ...]
    daily_capacity: int | None = None
    monthly_quota: int | None = None


PLANS = (
    Plan("金川暖邻家政（演示）", "company", "620302001", ("620302",), LIVING + MEAL + ESCORT),
    Plan("金川安康护理站（演示）", "institution", "620302002", ("620302",),
         (*CARE, *HEALTH, *URGENT, "nail_hair", "companionship")),
    Plan("北京路社区养老服务站（演示）", "station", "620302003",
         ("620302001", "620302003", "620302005"), LIVING + CARE + MEAL, 40),
    Plan("桂林路助餐中心（演示）", "company", "620302002", ("620302",), (*MEAL, "laundry", "clean_home"), 60),
    Plan("金川银龄社会工作服务社（演示）", "nonprofit", "620302004", ("620302",), (*COMFORT, "errand", "nail_hair")),
    Plan("金昌应急居家服务队（演示）", "company", "620302005", ("620300",), URGENT + LIVING[:3] + CARE),
    Plan("永昌和顺养老服务（演示）", "company", "620321100", ("620321",), LIVING + CARE + URGENT + MEAL),
    Plan("永昌城关镇养老服务站（演示）", "station", "620321100",
         ("620321100", "620321104", "620321107"), LIVING + MEAL, 40),
    Plan("河西堡康乐护理（演示）", "institution", "620321101", ("620321", "620302"), CARE + HEALTH + URGENT),
    Plan("永昌乡村助老社（演示）", "nonprofit", "620321108", ("620321",), LIVING + ESCORT + MEAL, None, 900),
    Plan("金昌陪诊服务部（演示）", "individual", "620302006", ("620300",), (*ESCORT, "companionship", "clean_home")),
    Plan("金昌适老化改造（演示）", "company", "620302004", ("620300",), (*ADAPTATION, "clean_home", "laundry")),
)  # fmt: skip

SHIFTS = (
    ((1, 2, 3, 4, 5, 6), (6 * 60, 16 * 60)),
    ((1, 2, 3, 4, 5), (8 * 60, 18 * 60)),
    ((2, 3, 4, 5, 6, 7), (11 * 60, 21 * 60 + 30)),
    ((1, 3, 5, 6, 7), (7 * 60, 20 * 60)),
    ((1, 2, 3, 4, 5, 6, 7), (17 * 60, 24 * 60)),
    ((1, 2, 4, 6, 7), (7 * 60, 19 * 60)),
    ((1, 2, 3, 4, 5, 6, 7), (9 * 60, 17 * 60)),
    ((2, 3, 5, 6, 7), (8 * 60, 20 * 60)),
)
"""Weekdays (1 is Monday) and minutes after midnight; every provider has one caregiver of each."""


@dataclass(frozen=True, slots=True)
class Helper:
    """A caregiver of the demo world."""

    id: UUID
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Company:
    """A provider of the demo world."""

    id: UUID
    name: str
    caregivers: tuple[Helper, ...] = field(default=())


async def load(tx: Tx) -> list[Company]:
    """Providers with their caregivers; contracts are settlement's and come later."""
    places = {s.code: s for s in await regions.divisions(tx, ["620300"], kind="street")}
    rows = _Rows()
    companies = []
    for number, plan in enumerate(PLANS):
        place = places[plan.base]
        provider_id = _provider(rows, number, plan, place.lng, place.lat)
        helpers = [_caregiver(tx, rows, provider_id, plan, number, index, places) for index in range(CAREGIVERS_EACH)]
        companies.append(Company(provider_id, plan.name, tuple(helpers)))
    await rows.write(tx)
    return companies


class _Rows:
    """Rows gathered by table, written together: twelve tables' worth of single inserts would take seconds."""

    def __init__(self) -> None:
        self._by_table: dict[Any, list[dict[str, Any]]] = {
            table: []
            for table in (
                Provider, ProviderArea, ProviderItem, Caregiver, CaregiverCertificate, CaregiverShift, CaregiverAbsence,
            )
        }  # fmt: skip

    def add(self, table: Any, **values: Any) -> None:
        self._by_table[table].append(values)

    async def write(self, tx: Tx) -> None:
        for table, rows in self._by_table.items():
            await queries.add(tx, table, rows)


def uscc(district: str, number: int) -> str:
    """A credit code with a right check character; the serial of zeros belongs to nobody."""
    first17 = f"91{district}MA00000{number:02d}"
    return first17 + credit_codes.check_character(first17)


def _provider(rows: _Rows, number: int, plan: Plan, lng: float | None, lat: float | None) -> UUID:
    provider_id, now = new_id(), clock.now()
    rows.add(
        Provider, id=provider_id, name=plan.name, uscc=uscc(plan.base[:6], number + 1), kind=plan.kind,
        status="active", phone=phone(OFFICE_BLOCK, number), division_code=plan.base, lng=lng, lat=lat,
        daily_capacity=plan.daily_capacity, monthly_quota=plan.monthly_quota, version=1, created_at=now,
        updated_at=now,
    )  # fmt: skip
    for area in plan.areas:
        rows.add(ProviderArea, provider_id=provider_id, division_code=area)
    for item in sorted(set(plan.items)):
        rows.add(ProviderItem, provider_id=provider_id, item_code=item)
    return provider_id


def _caregiver(tx: Tx, rows: _Rows, provider_id: UUID, plan: Plan, number: int, index: int, places: Any) -> Helper:
    draw = chance(f"caregiver {number} {index}")
    caregiver_id, now = new_id(), clock.now()
    sex = "male" if draw.random() < 0.25 else "female"
    called = name(draw, sex, draw.randrange(1968, 1998))
    number_of_phone = phone(CAREGIVER_BLOCK, number * 100 + index)
    lives_in = places[_street(draw, plan, places)]
    rows.add(
        Caregiver, id=caregiver_id, provider_id=provider_id, name=called, sex=sex,
        phone=tx.vault.seal(PHONE, caregiver_id, number_of_phone), phone_index=phone_index(tx, number_of_phone),
        home_lng=round(lives_in.lng + draw.uniform(-0.008, 0.008), 6),
        home_lat=round(lives_in.lat + draw.uniform(-0.008, 0.008), 6), division_code=lives_in.code,
        travel_mode=_travel(draw, plan), dialect=None, status="active", created_at=now, updated_at=now,
    )  # fmt: skip
    _certify(rows, caregiver_id, plan, index)
    weekdays, (begins, ends) = SHIFTS[index]
    for weekday in weekdays:
        rows.add(CaregiverShift, caregiver_id=caregiver_id, weekday=weekday, starts_minute=begins, ends_minute=ends)
    if draw.random() < 0.06:
        begin = datetime.combine(clock.today() + timedelta(days=3), time(8), clock.SHANGHAI)
        rows.add(
            CaregiverAbsence, id=new_id(), caregiver_id=caregiver_id, starts_at=begin,
            ends_at=begin + timedelta(days=2), reason="事假",
        )  # fmt: skip
    return Helper(caregiver_id, called, number_of_phone)


def _street(draw: Random, plan: Plan, places: Any) -> str:
    """Most live around the office; of a provider for a whole district, some live elsewhere in it."""
    served = sorted(code for code in places if any(code.startswith(area.rstrip("0")) for area in plan.areas))
    return draw.choice(served) if len(plan.areas) == 1 and draw.random() < 0.4 and served else plan.base


def _travel(draw: Random, plan: Plan) -> str:
    if plan.base.startswith("620321") or plan.areas == ("620300",):
        return "car"
    return draw.choice(("ebike", "ebike", "ebike", "bus", "walk", "car"))


def _certify(rows: _Rows, caregiver_id: UUID, plan: Plan, index: int) -> None:
    kinds = ["health_certificate", "background_check", "insurance"]
    if set(plan.items) & set(CARE):
        kinds.append("nursing_assistant")
    if "wound_care" in plan.items:
        kinds.append("nurse" if index % 2 == 0 else "rehabilitation_therapist")
    if "emotional_support" in plan.items:
        kinds.append("social_worker" if index % 2 == 0 else "psychological_counsellor")
    if "home_assessment" in plan.items:
        kinds.append("home_adaptation_assessor")
    for kind in kinds:
        expired = kind == "nursing_assistant" and plan.base == "620302003" and index == 4
        until = clock.today() + (timedelta(days=-20) if expired else timedelta(days=400 + 30 * index))
        rows.add(
            CaregiverCertificate, id=new_id(), caregiver_id=caregiver_id, kind=kind, number=f"演示-{kind[:2]}-{index}",
            valid_from=date(2024, 1, 1), valid_to=until,
        )  # fmt: skip
