"""Outlines of county-level divisions, for maps."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from app.regions.divisions import covers

FILE = Path(__file__).parent / "data" / "boundaries.geojson"


def within(scopes: Iterable[str]) -> dict[str, Any]:
    """GeoJSON (RFC 7946, WGS-84) of the outlines inside `scopes`, or around them; `properties` has code and name."""
    own = list(scopes)
    features = [
        feature
        for feature in _all()
        if any(covers(scope, code := feature["properties"]["code"]) or covers(code, scope) for scope in own)
    ]
    return {"type": "FeatureCollection", "features": features}


@cache
def _all() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(FILE.read_text(encoding="utf-8"))["features"])
