"""The cockpit's chooser of places in a city of real size."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.core.db import Tx
from app.core.http import Caller
from app.regions import queries
from app.web.cockpit import reading

DISTRICTS, STREETS, COMMUNITIES = 12, 30, 25


def of(code: str, parent: str | None, kind: str) -> dict[str, Any]:
    return {
        "code": code, "name": code, "kind": kind, "parent_code": parent, "lng": None, "lat": None, "urban": True,
        "valid_from": date(2000, 1, 1), "valid_to": None,
    }  # fmt: skip


def big_city() -> list[dict[str, Any]]:
    rows = [of("990100", None, "city")]
    for d in range(1, DISTRICTS + 1):
        district = f"9901{d:02d}"
        rows.append(of(district, "990100", "district"))
        for s in range(1, STREETS + 1):
            street = f"{district}{s:03d}"
            rows.append(of(street, district, "street"))
            rows += [of(f"{street}{c:03d}", street, "community") for c in range(1, COMMUNITIES + 1)]
    return rows


async def test_every_street_and_county_of_a_big_city_may_be_chosen(tx: Tx) -> None:
    rows = big_city()
    await queries.add_divisions(tx, rows)
    asked = Caller(kind="staff", id="1", name="李", divisions=("990100",))
    found = (await reading.choices(tx, asked))["divisions"]
    assert [one.code for one in found] == sorted(row["code"] for row in rows if row["kind"] != "community")
    assert len(found) == 1 + DISTRICTS + DISTRICTS * STREETS
