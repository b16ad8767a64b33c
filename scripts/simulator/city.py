"""What a day is made of: caregivers, wishes, who knows whom. Generated or recorded, it is one JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Carer:
    """A caregiver of the day. Times in seconds after midnight; `items` what she may do; `week_minutes` before today."""

    id: UUID
    provider: UUID
    lng: float
    lat: float
    mode: str
    sex: str
    items: frozenset[str]
    shift_opens: int
    shift_closes: int
    week_minutes: int
    ratings: int
    score_sum: int


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as it will be placed. Seconds after midnight; `wanted_to` None leaves the end open."""

    id: UUID
    elder: UUID
    item: str
    area: str
    urgency: str
    placed: int
    wanted_from: int
    wanted_to: int | None
    minutes: int
    lng: float
    lat: float
    gender: str | None


@dataclass(frozen=True)
class City:
    """One day. `known` counts earlier visits by (elder, caregiver)."""

    name: str
    carers: tuple[Carer, ...]
    wishes: tuple[Wish, ...]
    known: dict[tuple[UUID, UUID], int]

    @cached_property
    def familiar(self) -> frozenset[UUID]:
        """Elders who know any caregiver."""
        return frozenset(elder for elder, _ in self.known)


def save(city: City, file: Path) -> None:
    """Write `city` to a file, the same bytes for the same city."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "name": city.name,
        "carers": [{**asdict(one), "items": sorted(one.items)} for one in city.carers],
        "wishes": [asdict(one) for one in city.wishes],
        "known": sorted([str(elder), str(carer), visits] for (elder, carer), visits in city.known.items()),
    }
    file.write_text(json.dumps(content, default=str, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load(file: Path) -> City:
    """Read what `save` wrote. Raises ValueError for a file of another kind."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{file} is not a recorded day")
    return City(
        content["name"],
        tuple(
            Carer(**{**one, "id": UUID(one["id"]), "provider": UUID(one["provider"]), "items": frozenset(one["items"])})
            for one in content["carers"]
        ),
        tuple(Wish(**{**one, "id": UUID(one["id"]), "elder": UUID(one["elder"])}) for one in content["wishes"]),
        {(UUID(elder), UUID(carer)): visits for elder, carer, visits in content["known"]},
    )
