"""The centre's staff through the day: requests into orders, calls back, orders nobody takes, doubtful visits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from scripts.simulate.doors import Doors, Refused, Staff
from scripts.simulate.notebook import Notebook, Wish

MARK = re.compile(r"模拟(\d{5})")
SCORES = ((5, 4, 3, 2, 1), (58, 26, 10, 4, 2))
CLOSED_ELSEWHERE = frozenset(
    {"care_request_closed", "order_state", "order_changed", "order_blocked", "followup_closed", "own_order",
     "nobody_fits", "callback_closed", "complaint_answered", "complaint_decided", "version_stale",
     "visit_not_in_review", "own_entry", "quota_gone", "merge_target_closed", "care_request_move_forbidden"}
)  # fmt: skip
"""Two people worked on the same thing; the service told the second one so."""
GIVE_UP_AFTER = 120.0
"""Minutes."""
HAND_TRIES = 4
OPEN = ("placed", "dispatched", "accepted", "assigned")


@dataclass(slots=True)
class Desk:
    """Operators and a supervisor, each going round their lists."""

    doors: Doors
    operators: list[Staff]
    supervisor: Staff
    book: Notebook
    draw: Random
    tried: dict[str, int] = field(default_factory=dict)
    """How often somebody chose by hand, by order."""

    async def run(self, done: asyncio.Event) -> None:
        """Go round until `done`."""
        rounds: list[Callable[[], Awaitable[None]]] = [
            self.requests, self.callbacks, self.nobody_found, self.cancellations, self.followups, self.supervision,
        ]  # fmt: skip
        while not done.is_set():
            for turn in rounds:
                await self.guarded(turn)
            await self.doors.pace.pause(6)

    async def guarded(self, turn: Callable[[], Awaitable[None]]) -> None:
        try:
            await turn()
        except Refused as refused:
            if refused.code not in CLOSED_ELSEWHERE:
                self.book.failures.append(f"desk: {turn.__name__}: {refused} {refused.body}")
        except Exception as failure:
            self.book.failures.append(f"desk: {turn.__name__}: {type(failure).__name__} {failure}")

    async def requests(self) -> None:
        """What came in through the other doors is confirmed, answered or refused with a reason."""
        operator = self.operators[0]
        for request in await operator.pages("/v1/care-requests", status="new"):
            wish = self._wish(request)
            if wish is not None:
                await self._handle(operator, request["id"], wish)

    async def callbacks(self) -> None:
        """Whoever did not get through is called back."""
        operator = self._operator()
        for task in (await operator.get("/v1/callback-tasks", status="due", limit=20))["items"]:
            result = self.draw.choices(("reached", "no_answer", "called_again"), (75, 15, 10))[0]
            await self._try(operator.post, f"/v1/callback-tasks/{task['id']}/completion", {"result": result})
            self.book.note("caller called back")

    async def nobody_found(self) -> None:
        """Orders that still wait: look at who could come, choose by hand, or tell the caller and cancel."""
        operator = self._operator()
        for order in await operator.pages("/v1/orders", status="placed"):
            waited = self.doors.pace.now() - _at(order["placed_at"])
            if order["flags"] or waited < self.doors.pace.patience(20):
                continue
            tried = self.tried[order["id"]] = self.tried.get(order["id"], 0) + 1
            found = await operator.get(f"/v1/orders/{order['id']}/candidates")
            if found["candidates"] and tried <= HAND_TRIES:
                best = found["candidates"][0]
                body = {"provider_id": best["provider_id"], "caregiver_id": best["caregiver_id"], "reason": "人工派单"}
                if await self._try(operator.post, f"/v1/orders/{order['id']}/assignment", body) is not None:
                    self.book.note("assigned by hand")
            elif waited > self.doors.pace.patience(GIVE_UP_AFTER) or order["urgency"] in {"urgent", "emergency"}:
                await self._cancel(operator, order["id"], "nobody_available", "centre")

    async def cancellations(self) -> None:
        """Now and then somebody changes their mind."""
        operator = self._operator()
        for order in (await operator.get("/v1/orders", status=["dispatched", "assigned"], limit=40))["items"]:
            if self.draw.random() < 0.004:
                await self._cancel(operator, order["id"], "elder_out", "family")

    async def followups(self) -> None:
        """Call those whose time has come; never about an order one took oneself."""
        for operator in self.operators:
            due = await operator.get("/v1/followups", status="due", callable_now=True, limit=20)
            for call in due["items"]:
                if call["own"] or not call["may_call"]:
                    continue
                path = f"/v1/followups/{call['id']}/attempts"
                await self._try(operator.post, path, self._said(call["selected_because"]))
                self.book.note("follow-up call")

    async def supervision(self) -> None:
        """Doubtful visits and complaints."""
        for visit in (await self.supervisor.get("/v1/visits", verification="review", limit=50))["items"]:
            if visit["status"] not in {"ended", "failed"}:
                continue
            verdict = "rejected" if self.draw.random() < 0.15 else "verified"
            body = {"verdict": verdict, "reason": "已致电老人核实"}
            await self._try(self.supervisor.post, f"/v1/visits/{visit['order_id']}/verification", body)
            self.book.note(f"doubtful visit {verdict}")
        for complaint in (await self.supervisor.get("/v1/complaints", status="open", limit=50))["items"]:
            path = f"/v1/complaints/{complaint['id']}"
            await self._try(self.supervisor.post, f"{path}/reply", {"text": "已致歉，正在核实"})
        for complaint in (await self.supervisor.get("/v1/complaints", status="replied", limit=50))["items"]:
            upheld = self.draw.choice(("full", "partly", "no"))
            decision = {"upheld": upheld, "measures": "企业已道歉", "rework": False}
            await self._try(self.supervisor.post, f"/v1/complaints/{complaint['id']}/decision", decision)
            self.book.note("complaint decided")

    async def close_the_day(self, before: datetime) -> None:
        """What was wanted before `before` and never began is cancelled, and the caller told why."""
        operator = self.operators[0]
        for order in await operator.pages("/v1/orders", status=list(OPEN)):
            if _at(order["window"]["from"]) < before:
                await self._cancel(operator, order["id"], "not_served_in_time", "centre")
        for order in await operator.pages("/v1/orders", status="in_service"):
            await self._enter_by_hand(operator, order)

    async def _enter_by_hand(self, operator: Staff, order: dict[str, Any]) -> None:
        """A visit whose end nobody reported: the desk asks the elder and writes it down."""
        begun = order["visit"]["checked_in_at"] if order["visit"] else None
        if begun is None:
            return
        end = min(_at(begun) + timedelta(minutes=order["minutes"]), self.doors.pace.now())
        body = {"type": "checked_out", "occurred_at": end.isoformat(), "reason": "服务人员未签退，已电话核实"}
        await self._try(operator.post, f"/v1/visits/{order['id']}/entries", body)
        self.book.note("end entered by hand")

    async def _handle(self, operator: Staff, request_id: str, wish: Wish) -> None:
        path = f"/v1/care-requests/{request_id}"
        wish.request_id = request_id
        if wish.kind != "service":
            if wish.kind == "suggestion":
                await self._try(operator.post, f"{path}/rejection", {"reason": "已转相关部门研究"})
            else:
                await self._try(operator.post, f"{path}/answer", {"answer": "已电话答复"})
            return
        if self.draw.random() < 0.03:
            await self._try(operator.post, f"{path}/rejection", {"reason": "与来电人核实，老人已自行解决"})
            wish.refusal = "rejected at the desk"
            return
        body = {"elder_id": wish.elder_id, "item_code": wish.item, "wanted": "asap"}
        order = await self._try(operator.post, f"{path}/confirmation", body)
        if order is not None:
            wish.order_id = order["id"]
            self.book.note("request confirmed")

    async def _cancel(self, operator: Staff, order_id: str, reason: str, by: str) -> None:
        body = {"reason_code": reason, "by": by}
        if await self._try(operator.post, f"/v1/orders/{order_id}/cancellation", body) is not None:
            self.book.note(f"cancelled: {reason}")

    async def _try(self, post: Callable[[str, Any], Awaitable[Any]], path: str, body: Any) -> Any:
        """None when somebody else was first."""
        try:
            return await post(path, body)
        except Refused as refused:
            if refused.code not in CLOSED_ELSEWHERE:
                raise
            self.book.note("somebody else was first")
            return None

    def _said(self, because: str) -> dict[str, Any]:
        outcome = self.draw.choices(("reached", "no_answer", "refused", "wrong_number"), (86, 9, 3, 2))[0]
        if outcome != "reached":
            return {"outcome": outcome}
        if because.startswith("outcome_"):
            return {"outcome": outcome, "note": "老人外出，已另约"}
        score = self.draw.choices(*SCORES)[0]
        return {"outcome": outcome, "score": score, "solved": score > 1, "note": "按提纲回访"}

    def _wish(self, request: dict[str, Any]) -> Wish | None:
        found = MARK.search(request.get("note") or "")
        number = int(found.group(1)) if found else 0
        return self.book.wishes[number - 1] if 0 < number <= len(self.book.wishes) else None

    def _operator(self) -> Staff:
        return self.draw.choice(self.operators)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
