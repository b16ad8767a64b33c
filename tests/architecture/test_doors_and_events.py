"""No door without a lock, no event without a hearer, no hearer for what nobody says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app import main, web, wiring
from app.accounts import checks
from app.accounts.policy import ACTIONS
from app.core.config import Settings
from app.core.db import Database
from app.core.events import Bus, Event
from app.core.http import MUTATING, Route, Router, allow, routes_of

APP = Path(__file__).resolve().parents[2] / "app"


REPEATABLE = frozenset(
    {
        # Signing in and out, and looking: each time is a new one by right.
        "/sign-in",
        "/sign-out",
        "/caregiver/employer",
        "/caregiver/sign-in",
        "/caregiver/sign-in/code",
        "/v1/sessions",
        "/v1/sessions/current",
        "/v1/family/sessions/codes",
        "/v1/family/sessions",
        "/family/sign-in",
        "/family/sign-in/code",
        "/family/elders/{elder_id}/request/quote",
        "/v1/family/wechat/{account}/sessions",
        "/v1/elders/{elder_id}/reveals",
        "/v1/care-requests/{request_id}/reveals",
        "/v1/quotes",
        "/v1/family/quotes",
        "/console/elders/search",
        "/console/elders/{elder_id}/reveals",
        "/console/incidents/{incident_id}/door",
        "/console/incidents/{incident_id}/elder/search",
        "/console/queues/followups/{followup_id}/phone",
        "/console/queues/callbacks/{task_id}/phone",
        # Stored under a natural key of their own.
        "/console/orders/{order_id}/slip",
        "/console/orders/{order_id}/viewers",
        "/console/orders/{order_id}/viewers/leave",
        "/v1/family/wechat-bindings",
        "/v1/app/care-requests",
        "/v1/provider/events",
        "/v1/caregiver/events",
        "/v1/caregiver/sessions/codes",
        "/v1/caregiver/sessions",
        "/channels/wechat/{account}",
        "/channels/phone/events",
        "/channels/devices/{vendor}",
        "/channels/devices/{vendor}/heartbeats",
        "/channels/devices/{vendor}/push",
        "/channels/sms/{vendor}/{secret}",
        "/channels/wechatpay/{merchant}",
        # An order has one open payment.
        "/v1/family/orders/{token}/payments",
        "/v1/family/elders/{elder_id}/orders/{order_id}/payments",
        # Given away once, and settled once.
        "/channels/phone/dials/taken",
        "/channels/phone/dials/{dial_id}/outcome",
        # The same run gives the same result, the same menu the same menu.
        "/v1/wechat-accounts/{account}/menu",
        "/v1/family/wechat/{account}/binding",
        "/v1/settlement-runs",
    }
)


@pytest.fixture
def app(settings: Settings, shared_database: Database) -> FastAPI:
    return main.create_app(settings, shared_database)


def test_every_door_has_a_lock(app: FastAPI) -> None:
    assert checks.undeclared(app, also_fine=web.OPEN_PAGES) == []
    doors = [route for route in routes_of(app) if isinstance(route, Route)]
    assert len(doors) > 60
    assert {door.policy.action for door in doors} <= ACTIONS.keys()


def test_a_door_without_a_lock_is_reported() -> None:
    app = FastAPI()

    @app.get("/open")
    async def forgotten() -> None: ...

    router = Router()

    @router.get("/unknown")
    @allow("nobody.knows")
    async def unknown() -> None: ...

    app.include_router(router)
    assert [problem.split(":")[0] for problem in checks.undeclared(app)] == ["GET /open", "GET /unknown"]


def test_the_application_does_not_start_with_an_open_door(
    settings: Settings, shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ACTIONS, "regions.read")
    with pytest.raises(RuntimeError, match="without a known policy"):
        main.create_app(settings, shared_database)


def test_changes_need_a_key(app: FastAPI) -> None:
    """A change that may be asked for twice without harm is listed here; every other needs a key."""
    without = {
        route.path
        for route in routes_of(app)
        if isinstance(route, Route) and route.methods & MUTATING and not route.policy.keyed
    }
    assert without == REPEATABLE


def event_classes() -> Iterator[type[Event]]:
    for file in sorted(APP.glob("*/events.py")):
        if file.parent.name == "core":
            continue
        module = import_module(f"app.{file.parent.name}.events")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, Event)
                and value.__module__ == module.__name__ != Event.__module__
            ):
                yield value


def unheard(events: list[type[Event]], bus: Bus) -> list[str]:
    """Events that wake nobody and are not listed for that."""
    return [one.__qualname__ for one in events if not bus.hearers(one) and one.name not in wiring.UNHEARD]


def malformed(events: list[type[Any]]) -> list[str]:
    """Events that are not frozen dataclasses with slots and a dotted name of their own."""
    found, seen = [], set()
    for one in events:
        name = vars(one).get("name", "")
        frozen = is_dataclass(one) and one.__dataclass_params__.frozen
        if not frozen or "__slots__" not in vars(one) or name.count(".") != 1 or name in seen:
            found.append(one.__qualname__)
        seen.add(name)
    return found


def test_every_event_is_heard() -> None:
    events = list(event_classes())
    assert len(events) > 15
    assert unheard(events, wiring.bus()) == []
    names = {one.name for one in events}
    assert names >= wiring.UNHEARD, "an event listed as unheard does not exist"
    heard = {one.name for one in events if wiring.bus().hearers(one)}
    assert not heard & wiring.UNHEARD, "an event listed as unheard is heard"


def test_events_are_facts() -> None:
    assert malformed(list(event_classes())) == []


def test_an_unheard_or_malformed_event_is_reported() -> None:
    class Shouted(Event):
        name = "test.shouted"

    assert unheard([Shouted], wiring.bus()) == [Shouted.__qualname__]
    assert malformed([Shouted]) == [Shouted.__qualname__]


def test_only_events_of_the_product_are_wired() -> None:
    assert set(wiring.bus()._hearers) <= set(event_classes())


def test_periodic_tasks_have_names_of_their_own() -> None:
    names = [one.name for one in wiring.periodic(Settings())]
    assert len(names) == len(set(names))
