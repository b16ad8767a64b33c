"""What other rooms learn about an elder, and what registration needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from app.core.geo import Location


@dataclass(frozen=True, slots=True)
class ElderFacts:
    """Plain facts for decisions: no phone, no address. `tags` are those in force today, by their present names."""

    id: UUID
    name: str
    sex: str
    birth_date: date | None
    division_code: str
    lng: float | None
    lat: float | None
    gender_wish: str | None
    status: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Door:
    """What whoever comes to the door must know, in plain text. `phone` is E.164."""

    address: str | None
    phone: str | None
    lng: float | None
    lat: float | None
    notes: str | None


class PhoneMatch(NamedTuple):
    """Somebody behind a number: the elder, and who the number belongs to (`self`, `child`, ...)."""

    elder_id: UUID
    name: str
    relation: str


@dataclass(frozen=True, slots=True)
class NewPhone:
    """`number` as typed. `owner` is a name when the phone is not the elder's own."""

    number: str
    relation: str = "self"
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class NewTag:
    tag: str
    valid_from: date
    source: str
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class NewFamilyMember:
    """`approved`: the elder has agreed, so the member may see the elder's orders."""

    name: str
    relation: str
    phone: str
    approved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewElder:
    """An elder to register. What is not known stays None; birth date and sex are read from the ID number."""

    name: str
    division_code: str
    phones: tuple[NewPhone, ...] = ()
    address: str | None = None
    location: Location | None = None
    id_number: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    health_note: str | None = None
    gender_wish: str | None = None
    dialect: str | None = None
    tags: tuple[NewTag, ...] = ()
    family: tuple[NewFamilyMember, ...] = ()
    source: str = "desk"
