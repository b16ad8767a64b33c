"""One call to one statement, through the real doors: the order's way as the README draws it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from app.core import clock
from app.core.db import Database
from app.jobs.worker import run_once
from tests.world.accounts import make_app_key, signed_headers, staff_token
from tests.world.benefits import make_entitlement
from tests.world.orders import TUESDAY_TEN, Town, make_town
from tests.world.settlement import make_contract


@dataclass
class City:
    """The people of the flow and how each of them speaks to the service."""

    api: httpx.AsyncClient
    town: Town
    keys: dict[str, tuple[str, str]]
    telephony: tuple[str, str]
    staff: dict[str, str] = field(default_factory=dict)

    async def desk(self, method: str, path: str, body: Any = None, *, who: str = "operator", expect: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {self.staff[who]}", "Idempotency-Key": str(uuid4())}
        return _read(await self.api.request(method, path, headers=headers, json=body), expect)

    async def provider(self, provider: str, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        return await self._signed(self.keys[provider], method, path, body, expect)

    async def phone(self, *events: dict[str, Any]) -> Any:
        return await self._signed(self.telephony, "POST", "/channels/phone/events", {"events": list(events)}, 200)

    async def family(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        headers = {"Idempotency-Key": str(uuid4())}
        return _read(await self.api.request(method, path, headers=headers, json=body), expect)

    async def _signed(self, key: tuple[str, str], method: str, path: str, body: Any, expect: int) -> Any:
        raw = orjson.dumps(body) if body is not None else b""
        headers = signed_headers(*key, method, path, raw, **{"Idempotency-Key": str(uuid4())})
        return _read(await self.api.request(method, path, headers=headers, content=raw), expect)


def _read(answer: httpx.Response, expect: int) -> Any:
    assert answer.status_code == expect, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
async def city(api: httpx.AsyncClient, clean_database: Database) -> City:
    async with clean_database.transaction() as tx:
        town = await make_town(tx)
        await make_entitlement(tx, town.elder)
        keys = {}
        for provider in town.providers:
            keys[str(provider)] = await make_app_key(tx, provider_id=provider)
            await make_contract(tx, provider)
        telephony = await make_app_key(tx, kind="telephony", name="交换机")
    found = City(api, town, keys, telephony)
    with clock.hold(TUESDAY_TEN):
        for role in ("operator", "supervisor", "settlement_clerk", "finance_approver"):
            found.staff[role] = await staff_token(clean_database, (role,))
        found.staff["second_clerk"] = await staff_token(clean_database, ("settlement_clerk",))
    return found


async def offer_for(city: City, order: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    provider = order["provider"]["id"]
    page = await city.provider(provider, "GET", "/v1/provider/feed?limit=200")
    made = [e["offer"] for e in page["events"] if e["type"] == "offer.made" and e["order_id"] == order["id"]]
    return provider, made[-1]


def at_the_door(kind: str, order: dict[str, Any], caregiver: str, at: datetime) -> dict[str, Any]:
    place = {"lng": 102.19, "lat": 38.52, "crs": "wgs84", "accuracy_m": 15}
    return {
        "event_id": f"{order['id']}-{kind}", "type": kind, "order_id": order["id"], "caregiver_id": caregiver,
        "occurred_at": at.isoformat(), "method": "gps", "location": place,
    }  # fmt: skip


async def ordered(city: City, **more: Any) -> dict[str, Any]:
    body = {"elder_id": str(city.town.elder), "item_code": "clean_home", "urgency": "normal", **more}
    return await city.desk("POST", "/v1/orders", body, expect=201)


async def served(city: City, order: dict[str, Any], begin: datetime) -> None:
    """The provider accepts with the suggested caregiver, who comes, works two hours and leaves."""
    provider, offer = await offer_for(city, order)
    caregiver = offer["caregiver_id"]
    with clock.hold(begin - timedelta(minutes=35)):
        path = f"/v1/provider/offers/{offer['id']}/acceptance"
        assert (await city.provider(provider, "POST", path, {"caregiver_id": caregiver}))["status"] == "assigned"
    with clock.hold(begin + timedelta(hours=2, minutes=5)):
        events = [
            at_the_door("checked_out", order, caregiver, begin + timedelta(hours=2)),
            at_the_door("checked_in", order, caregiver, begin),
            at_the_door("checked_in", order, caregiver, begin),
        ]
        answer = await city.provider(provider, "POST", "/v1/provider/events", {"events": events})
    assert [result["result"] for result in answer["results"]][2] == "duplicate"


async def test_one_call_to_one_statement(city: City) -> None:
    with clock.hold(TUESDAY_TEN):
        ring = {"source": "freeswitch", "source_instance": "pbx1", "call_id": "c-1", "at": TUESDAY_TEN.isoformat()}
        await city.phone(
            {**ring, "type": "call.queued", "event_id": "1", "caller": "09358210001", "queue": "12349"},
            {**ring, "type": "agent.offered", "event_id": "2", "agent": "8001"},
            {**ring, "type": "call.answered", "event_id": "3", "agent": "8001"},
        )
        quote = await city.desk(
            "POST", "/v1/quotes",
            {"elder_id": str(city.town.elder), "item_code": "clean_home", "starts_at": TUESDAY_TEN.isoformat()},
        )  # fmt: skip
        order = await ordered(city, caller={"name": "女儿", "phone": "13800000001", "relation": "child"})
        assert sum(payer["amount_fen"] for payer in order["payers"]) == order["price_fen"] == quote["price_fen"]
        assert order["status"] == "dispatched"
    await served(city, order, TUESDAY_TEN + timedelta(minutes=40))
    with clock.hold(TUESDAY_TEN + timedelta(hours=4)):
        after = await city.desk("GET", f"/v1/orders/{order['id']}")
        assert (after["status"], after["visit"]["verification"]) == ("completed", "verified")
        link = await city.desk("POST", f"/v1/orders/{order['id']}/family-links", expect=201)
        page = await city.family("GET", f"/v1/family/orders/{link['token']}")
        assert "曾德明" not in str(page)
        await city.family("POST", f"/v1/family/orders/{link['token']}/rating", {"score": 5, "tags": []}, expect=201)
        closed = await city.desk("GET", f"/v1/orders/{order['id']}")
        assert (closed["status"], closed["rating"]) == ("closed", 5)
    with clock.hold(datetime(2026, 4, 2, 2, 0, tzinfo=TUESDAY_TEN.tzinfo)):
        await _renew(city)
        statement = await _paid(city, closed)
        books = await city.desk("GET", "/v1/ledger/accounts", who="settlement_clerk")
    assert statement["status"] == "paid"
    assert sum(account["balance_fen"] for account in books) == 0


async def _renew(city: City) -> None:
    """A month later everybody has signed in again."""
    database: Database = city.api._transport.app.state.database  # type: ignore[attr-defined]
    for role in ("settlement_clerk", "finance_approver"):
        city.staff[role] = await staff_token(database, (role,))
    city.staff["second_clerk"] = await staff_token(database, ("settlement_clerk",))


async def _paid(city: City, order: dict[str, Any]) -> dict[str, Any]:
    """The month's statement from the run to the payment; every step by whoever may take it."""
    run = await city.desk("POST", "/v1/settlement-runs", {"period": "2026-03"}, who="settlement_clerk")
    again = await city.desk("POST", "/v1/settlement-runs", {"period": "2026-03"}, who="second_clerk")
    assert again["content_hash"] == run["content_hash"]
    mine = next(s for s in run["statements"] if s["provider_id"] == order["provider"]["id"])
    path = f"/v1/statements/{mine['id']}"
    shown = await city.desk("GET", path, who="settlement_clerk")
    assert [line["order_id"] for line in shown["items"]] == [order["id"]]
    await city.desk("POST", f"{path}/issue", {}, who="settlement_clerk")
    provider = order["provider"]["id"]
    await city.provider(provider, "POST", f"/v1/provider/statements/{mine['id']}/confirmation")
    await city.desk("POST", f"{path}/review", who="second_clerk")
    await city.desk("POST", f"{path}/approval", who="finance_approver")
    paid = await city.desk("POST", f"{path}/payment", {"reference": "20260402-1"}, who="finance_approver")
    recomputed = await city.desk("GET", f"{path}/recomputation", who="settlement_clerk")
    assert recomputed["content_hash"] == recomputed["stored_hash"]
    return paid


async def test_a_declined_offer_goes_on(city: City) -> None:
    with clock.hold(TUESDAY_TEN):
        order = await ordered(city)
        provider, offer = await offer_for(city, order)
        refusal = {"reason_code": "no_capacity", "note": "人手不足"}
        await city.provider(provider, "POST", f"/v1/provider/offers/{offer['id']}/refusal", refusal, expect=204)
        now = await city.desk("GET", f"/v1/orders/{order['id']}")
        assert now["status"] == "dispatched"
        assert now["provider"]["id"] != provider
        await city.provider(provider, "GET", f"/v1/provider/orders/{order['id']}", expect=404)
        late = await city.provider(provider, "POST", f"/v1/provider/offers/{offer['id']}/acceptance", {}, expect=409)
        assert late["code"] == "offer_refused"


async def test_the_feed_shows_the_door_only_to_who_has_the_order(city: City) -> None:
    with clock.hold(TUESDAY_TEN):
        order = await ordered(city)
        provider, offer = await offer_for(city, order)
        masked = await city.provider(provider, "GET", f"/v1/provider/orders/{order['id']}")
        assert masked["elder"]["address"] is None
        await city.provider(provider, "POST", f"/v1/provider/offers/{offer['id']}/acceptance", {})
        plain = await city.provider(provider, "GET", f"/v1/provider/orders/{order['id']}")
        assert "龙集里" in plain["elder"]["address"]
        assert plain["delivery"] == "fetched"


async def test_a_dissatisfied_family_is_heard(city: City) -> None:
    with clock.hold(TUESDAY_TEN):
        order = await ordered(city)
    await served(city, order, TUESDAY_TEN + timedelta(minutes=40))
    with clock.hold(TUESDAY_TEN + timedelta(hours=4)):
        link = await city.desk("POST", f"/v1/orders/{order['id']}/family-links", expect=201)
        await city.family("POST", f"/v1/family/orders/{link['token']}/rating", {"score": 1, "tags": []}, expect=201)
        flagged = await city.desk("GET", f"/v1/orders/{order['id']}")
        assert flagged["flags"] == ["complaint"]
        complaints = await city.desk("GET", "/v1/complaints", who="supervisor")
        decision = {"upheld": "full", "measures": "重新服务并培训"}
        await city.desk("POST", f"/v1/complaints/{complaints['items'][0]['id']}/decision", decision, who="supervisor")
        assert (await city.desk("GET", f"/v1/orders/{order['id']}"))["flags"] == []


async def test_a_repeated_request_is_answered_the_same(city: City) -> None:
    with clock.hold(TUESDAY_TEN):
        headers = {"Authorization": f"Bearer {city.staff['operator']}", "Idempotency-Key": "the same"}
        body = {"elder_id": str(city.town.elder), "item_code": "clean_home", "urgency": "normal"}
        first = await city.api.post("/v1/orders", headers=headers, json=body)
        second = await city.api.post("/v1/orders", headers=headers, json=body)
        assert second.headers["Idempotency-Replayed"] == "true"
        assert first.content == second.content
        other = await city.api.post("/v1/orders", headers=headers, json={**body, "urgency": "urgent"})
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        listed = await city.desk("GET", "/v1/orders")
        assert len(listed["items"]) == 1


async def test_two_operators_change_one_version(city: City) -> None:
    with clock.hold(TUESDAY_TEN):
        order = await ordered(city)
        version = (await city.desk("GET", f"/v1/orders/{order['id']}"))["version"]
        headers = {"Authorization": f"Bearer {city.staff['operator']}", "If-Match": f'"{version}"'}
        path, reason = f"/v1/orders/{order['id']}/suspension", {"reason": "住院"}
        answers = [
            await city.api.post(path, headers=headers | {"Idempotency-Key": str(uuid4())}, json=reason)
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [200, 412]


async def test_relatives_are_told_who_comes(city: City, clean_database: Database) -> None:
    """The message job runs as the worker runs it; the link in it opens the page."""
    from app import wiring
    from app.core.config import Settings

    async with clean_database.transaction() as tx:
        phone, index = tx.vault, b"0" * 16
        member = uuid4()
        await tx.run(
            """INSERT INTO family_member (id, elder_id, name, relation, phone, phone_index, approved_at)
            VALUES ($1, $2, '王芳', 'child', $3, $4, $5)""",
            member, city.town.elder, phone.seal("family_member.phone", member, "+861009900001"), index, TUESDAY_TEN,
        )  # fmt: skip
    with clock.hold(TUESDAY_TEN):
        order = await ordered(city)
        provider, offer = await offer_for(city, order)
        body = {"caregiver_id": offer["caregiver_id"]}
        await city.provider(provider, "POST", f"/v1/provider/offers/{offer['id']}/acceptance", body)
        settings: Settings = city.api._transport.app.state.settings  # type: ignore[attr-defined]
        task = wiring.tasks(clean_database, settings)["channels.tell_family"]
        payload = orjson.dumps({"order_id": UUID(order["id"]), "template": "caregiver_named"})
        assert await run_once(clean_database, task, 1, payload)
        assert not await run_once(clean_database, task, 1, payload)
    async with clean_database.transaction() as tx:
        rows = await tx.fetch(
            "SELECT recipient_id, status FROM outgoing_message WHERE template_code = 'caregiver_named'"
        )
    assert [(row["recipient_id"], row["status"]) for row in rows] == [(str(member), "queued")]
