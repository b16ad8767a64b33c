"""The end of the month: run, issue, the providers' answers, review, approval by another person, payment."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from scripts.simulate.companies import Company
from scripts.simulate.doors import Refused, Staff
from scripts.simulate.notebook import Notebook


@dataclass(slots=True)
class Closing:
    """Clerk, approver, and the providers who have to agree."""

    clerk: Staff
    approver: Staff
    companies: list[Company]
    book: Notebook
    draw: Random

    async def run(self, period: str, *, early: bool) -> str:
        """Settle `period` and pay it; returns the run's id. `early`: the month is not over yet."""
        run = await self.clerk.post("/v1/settlement-runs", {"period": period}, keyed=False)
        again = await self.clerk.post("/v1/settlement-runs", {"period": period}, keyed=False)
        if run["id"] != again["id"] or run.get("content_hash") != again.get("content_hash"):
            self.book.failures.append("the same settlement run twice gave two results")
        for number, statement in enumerate(await self.clerk.pages("/v1/statements", period=period, status="draft")):
            await self._settle(statement, number, early)
        return str(run["id"])

    async def _settle(self, statement: dict[str, Any], number: int, early: bool) -> None:
        path = f"/v1/statements/{statement['id']}"
        await self.clerk.post(f"{path}/issue", {"early": early})
        company = next(one for one in self.companies if one.id == statement["provider_id"])
        if number == 0:
            await self._dispute(company, statement["id"])
        else:
            await company.door.post(f"/v1/provider/statements/{statement['id']}/confirmation")
        await self.clerk.post(f"{path}/review")
        if number == 1:
            await self._must_be_refused(statement["id"])
        await self.approver.post(f"{path}/approval")
        await self.approver.post(f"{path}/payment", {"reference": f"SIM-{statement['number']}"})
        self.book.note("statement paid")

    async def _dispute(self, company: Company, statement_id: str) -> None:
        """One provider objects to a line; the clerk decides."""
        detail = await company.door.get(f"/v1/provider/statements/{statement_id}")
        line = next(entry for entry in detail["items"] if entry["kind"] == "service")
        objection = {"lines": [{"line_id": line["id"], "reason": "实际服务时间更长", "evidence": []}]}
        await company.door.post(f"/v1/provider/statements/{statement_id}/dispute", objection)
        detail = await self.clerk.get(f"/v1/statements/{statement_id}")
        disputed = next(entry for entry in detail["items"] if entry["id"] == line["id"])
        decision = {"upheld": False, "amount_fen": 0, "note": "签到签退记录无误"}
        path = f"/v1/statements/{statement_id}/disputes/{disputed['dispute']['id']}/decision"
        await self.clerk.post(path, decision)
        self.book.note("objection decided")

    async def _must_be_refused(self, statement_id: str) -> None:
        """Who prepared a payment does not release it."""
        try:
            await self.clerk.post(f"/v1/statements/{statement_id}/approval")
        except Refused as refused:
            if refused.status == 403:
                self.book.note("clerk may not approve")
                return
        self.book.failures.append("the clerk approved a statement")
