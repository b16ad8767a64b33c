"""Everybody who asks for something: by telephone, WeChat, app, family page, device, or through another hotline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from scripts.simulate import wechat
from scripts.simulate.doors import Doors, Keyed, Refused, Staff
from scripts.simulate.families import Families
from scripts.simulate.notebook import Notebook, Wish
from scripts.simulate.telephone import Telephone

ITEMS = {
    "meal_delivery": 22, "clean_home": 18, "bath_home": 10, "personal_care": 9, "errand": 8, "companionship": 6,
    "nail_hair": 5, "medication_care": 5, "walk_escort": 4, "escort_medical": 3, "vital_signs": 3, "meal_home": 3,
    "laundry": 2, "appliance_help": 1, "psychological_comfort": 1,
}  # fmt: skip
CHANNELS = {"hotline": 62, "wechat": 12, "app": 12, "family": 7, "station": 4, "transfer_12345": 3}
URGENCIES = {"normal": 70, "appointment": 20, "urgent": 10}
ALARM_STEP = 7
"""Numbers of the demo city's 40 bound devices are the lowest: five alarms come from those, the others from nobody's."""
EXPECTED = frozenset({"quota_gone", "elder_not_active", "price_not_set", "window_impossible", "window_empty"})


@dataclass(slots=True)
class Callers:
    """Lets wishes come in over the day, each through its own door."""

    doors: Doors
    operators: list[Staff]
    credentials: dict[str, Any]
    families: Families
    elders: list[dict[str, Any]]
    book: Notebook
    draw: Random
    _telephone: Telephone = field(init=False)
    _alarms: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._telephone = Telephone(self.doors, self.credentials["telephony"], self.book, self.draw)

    async def run(self, orders: int, until: datetime) -> None:
        """`orders` wishes for a service, and what else a hotline hears, spread over the time until `until`."""
        pace = self.doors.pace
        begin = pace.now()
        length = (until - begin).total_seconds()
        moments = sorted(self.draw.triangular(0.0, 0.92, 0.3) for _ in range(orders))
        others = [(self.draw.uniform(0, 0.95), act) for act, share in self._others().items() for _ in range(
            max(1, round(orders * share)))]  # fmt: skip
        agenda: list[tuple[float, Callable[[], Awaitable[None]]]] = [(m, self._service) for m in moments]
        agenda += [(moment, act) for moment, act in others]
        for moment, act in sorted(agenda, key=lambda entry: entry[0]):
            await pace.until(begin + timedelta(seconds=length * moment))
            self._spawn(act())
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _others(self) -> dict[Callable[[], Awaitable[None]], float]:
        return {
            self._telephone.lost_call: 0.08, self._consultation: 0.06, self._complaint: 0.015, self._alarm: 0.012,
            self._suggestion: 0.01,
        }  # fmt: skip

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Refused as refused:
            self.book.failures.append(f"caller: {refused} {refused.body}")
        except Exception as failure:
            self.book.failures.append(f"caller: {type(failure).__name__} {failure}")

    async def _service(self) -> None:
        channel = self._pick(CHANNELS)
        wish = self.book.wish(channel, "service", self._elder(), self._pick(ITEMS), self._pick(URGENCIES))
        if channel == "family":
            return await self._from_family(wish)
        await {"hotline": self._by_phone, "wechat": self._by_wechat, "app": self._by_app}.get(
            channel, self._by_request
        )(wish)  # fmt: skip

    async def _by_phone(self, wish: Wish) -> None:
        """The exchange reports the call, the operator places the order while talking."""
        agent, operator = await self._operator(wish.elder_id)
        call = self._telephone.call(agent)
        await self._telephone.report(call, "call.queued", "agent.offered", "call.answered")
        await self.doors.pace.pause(self.draw.uniform(0.5, 2))
        await self.place(operator, wish)
        await self._telephone.report(call, "call.ended", "recording.ready")

    async def place(self, operator: Staff, wish: Wish) -> None:
        """Request and confirmation in one step."""
        body = {
            "elder_id": wish.elder_id, "item_code": wish.item, "urgency": wish.urgency, "note": wish.mark,
            "channel": "hotline", "wanted": self._wanted(wish), "caller": {"relation": "self"},
        }  # fmt: skip
        try:
            order = await operator.post("/v1/orders", body)
        except Refused as refused:
            if refused.code not in EXPECTED:
                raise
            wish.refusal = refused.code
            return
        wish.acknowledged, wish.order_id, wish.request_id = True, order["id"], order["care_request_id"]
        self.book.note("order placed at the desk")

    async def _by_wechat(self, wish: Wish) -> None:
        account = self.credentials["wechat"][0]
        stamp = int(self.doors.pace.now().timestamp())
        words = f"想给老人约{wish.item} {wish.mark}"
        message = wechat.text_message(f"o-demo-{wish.number}", account["account"], words, 10**9 + wish.number, stamp)
        copies = 3 if self.draw.random() < 0.2 else 1
        await asyncio.gather(*(wechat.push(self.doors, account, message) for _ in range(copies)))
        wish.acknowledged = True
        self.book.note("WeChat message" if copies == 1 else "WeChat message sent three times")

    async def _by_app(self, wish: Wish) -> None:
        app = self.credentials["apps"][0]
        door = Keyed(self.doors, (app["app_key"], app["secret"]))
        body = {
            "external_id": f"A-{wish.number}", "elder_id": wish.elder_id, "kind": "service", "item_code": wish.item,
            "urgency": wish.urgency, "wanted": self._wanted(wish), "note": wish.mark, "caller": {"relation": "child"},
        }  # fmt: skip
        taken = await door.post("/v1/app/care-requests", body, keyed=False)
        if self.draw.random() < 0.2:
            again = await door.post("/v1/app/care-requests", body, keyed=False)
            if again["id"] != taken["id"]:
                self.book.failures.append("the same external_id made two requests")
            self.book.note("app request sent twice")
        wish.acknowledged, wish.request_id = True, taken["id"]

    async def _from_family(self, wish: Wish) -> None:
        family = await self.families.somebody(self.draw)
        if family is None:
            wish.channel = "station"
            return await self._by_request(wish)
        wish.elder_id = family.elder_id
        body = {
            "elder_id": wish.elder_id, "item_code": wish.item, "urgency": wish.urgency, "note": wish.mark,
            "wanted": self._wanted(wish),
        }  # fmt: skip
        taken = await family.post("/v1/family/care-requests", body)
        wish.acknowledged, wish.request_id = True, taken["id"]

    async def _by_request(self, wish: Wish) -> None:
        """A station or the 12345 hotline hands a request over; the desk takes it and confirms later."""
        await self._take(wish, {"item_code": wish.item, "wanted": self._wanted(wish)})

    async def _consultation(self) -> None:
        await self._take(self.book.wish("hotline", "consultation", self._elder(), "", "normal"), {})

    async def _suggestion(self) -> None:
        await self._take(self.book.wish("hotline", "suggestion", self._elder(), "", "normal"), {})

    async def _complaint(self) -> None:
        await self._take(self.book.wish("hotline", "complaint", self._elder(), "", "normal"), {})

    async def _take(self, wish: Wish, more: dict[str, Any]) -> None:
        body = {
            "channel": wish.channel, "kind": wish.kind, "urgency": wish.urgency, "elder_id": wish.elder_id,
            "note": wish.mark, "caller": {"relation": "relative"}, **more,
        }  # fmt: skip
        if wish.channel == "transfer_12345":
            body["external_id"] = f"12345-{wish.number}"
        taken = await (await self._operator(wish.elder_id))[1].post("/v1/care-requests", body)
        wish.acknowledged, wish.request_id = True, taken["id"]
        self.book.note(f"{wish.kind} taken at the desk")

    async def _alarm(self) -> None:
        """An SOS button, pressed twice; the operator sends help and writes down what was done."""
        device = self.credentials["devices"][0]
        door = Keyed(self.doors, (device["app_key"], device["secret"]))
        self._alarms += 1
        device_id = f"86{self._alarms * ALARM_STEP:013d}"
        body = {"device_id": device_id, "msg_id": f"m{self._alarms}", "type": "sos", "battery": 71}
        path = f"/channels/devices/{device['vendor']}"
        receipt = await door.post(path, body, keyed=False)
        again = await door.post(path, body, keyed=False)
        if again["fresh"] or again["care_request_id"] != receipt["care_request_id"]:
            self.book.failures.append("a repeated alarm made a second emergency")
        operator, elder_id = await self._at_the_alarm(receipt["care_request_id"])
        wish = self.book.wish("device", "emergency", elder_id, "urgent_help", "emergency")
        wish.acknowledged, wish.request_id = True, receipt["care_request_id"]
        help_ = self.book.wish("hotline", "service", wish.elder_id, "urgent_help", "emergency")
        await self.place(operator, help_)
        answer = {"answer": f"已派人上门并通知家属 {wish.mark}"}
        await operator.post(f"/v1/care-requests/{wish.request_id}/answer", answer)
        self.book.note("alarm handled")

    async def _at_the_alarm(self, request_id: str) -> tuple[Staff, str]:
        """Who works on an alarm and whom they help: a bound device names its elder, and only the desks of that elder's
        division see the alarm; one bound to nobody is everybody's."""
        for operator in self.draw.sample(self.operators, len(self.operators)):
            try:
                request = await operator.get(f"/v1/care-requests/{request_id}")
            except Refused as refused:
                if refused.status != 404:
                    raise
                continue
            if request["elder"] is not None:
                return operator, request["elder"]["id"]
            elder_id = self._elder()
            return (await self._operator(elder_id))[1], elder_id
        raise AssertionError(f"nobody at the desk sees the alarm {request_id}")

    def _wanted(self, wish: Wish) -> Any:
        """As soon as possible, or a window that still lies within the working day."""
        local = self.doors.pace.local()
        if self.doors.pace.rush or wish.urgency == "urgent" or (wish.urgency == "normal" and self.draw.random() < 0.4):
            return "asap"
        begin = local + timedelta(minutes=self.draw.choice((45, 90, 150, 240)))
        if begin.hour >= 17 or begin.date() != local.date():
            return "asap"
        return {"from": begin.isoformat(), "to": (begin + timedelta(hours=4)).isoformat()}

    def _elder(self) -> str:
        return str(self.draw.choice(self.elders)["id"])

    async def _operator(self, elder_id: str) -> tuple[str, Staff]:
        """An extension and who sits at it: somebody whose divisions hold the elder's."""
        division = next(elder["division_code"] for elder in self.elders if elder["id"] == elder_id)
        fit = [(f"80{n:02d}", one) for n, one in enumerate(self.operators) if await one.sees(division)]
        return self.draw.choice(fit)

    def _pick(self, parts: dict[str, int]) -> str:
        return self.draw.choices(list(parts), list(parts.values()))[0]
