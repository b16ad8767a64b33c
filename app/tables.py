"""Every table of the product, for Alembic and the tests: importing this module fills the metadata."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from app.core.db import Base

ROOMS = (
    "messaging", "regions", "accounts", "elders", "catalog", "providers", "knowledge", "benefits", "orders",
    "matching", "calls", "hotline", "intake", "dispatch", "alarms", "visits", "rounds", "followup", "transfers",
    "settlement", "selfpay", "insight", "channels",
)  # fmt: skip

import_module("app.core.idempotency")
import_module("app.jobs.models")
import_module("app.elders.models_cards")
import_module("app.elders.models_devices")
import_module("app.intake.models_booking")
import_module("app.matching.models_derived")
import_module("app.matching.models_travel")
for room in ROOMS:
    if find_spec(f"app.{room}.models"):
        import_module(f"app.{room}.models")

metadata = Base.metadata
