"""Makers for the elders' register."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.geo import Crs, Location
from app.core.http import SYSTEM, Caller
from app.elders import registration
from app.elders.facts import NewElder, NewPhone

DIVISION = "620302001001"


def new_elder(**overrides: Any) -> NewElder:
    """曾德明 of Longjili in Jinchang, with a landline and a place, without an ID number."""
    usual = NewElder(
        name="曾德明",
        division_code=DIVISION,
        phones=(NewPhone("0935-8210001"),),
        address="龙集里小区 3 号楼 2 单元 401",
        location=Location(lng=102.19, lat=38.52, crs=Crs.WGS84),
    )
    return replace(usual, **overrides)


async def make_elder(tx: Tx, *, caller: Caller = SYSTEM, **overrides: Any) -> UUID:
    """Register `new_elder(**overrides)`; returns the id."""
    return (await registration.register(tx, caller, new_elder(**overrides))).id
