"""What waits to be done: all queues on one page, and for each thing a small page with the one form that settles it."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import fastapi
from fastapi import Request, Response
from pydantic import Field, model_validator

from app.accounts import audit, scope
from app.accounts.policy import SUPERVISOR
from app.calls import callbacks
from app.core import clock
from app.core.errors import NotFound
from app.core.http import CallerDep, TxDep, allow
from app.elders import service as elders
from app.followup import complaints, queries_complaints
from app.followup import queries as followups
from app.followup import service as followup
from app.followup import views as followup_views
from app.followup.schemas import Attempt
from app.web.console import queues
from app.web.pages import Form, Pages, see
from app.web.rendering import page

router = Pages()

HOME = "/console/queues"
FIRST = 6
"""Lines of each queue on the page of all."""
FOLLOWUP = HOME + "/followups/{followup_id}"
CALLBACK = HOME + "/callbacks/{task_id}"
COMPLAINT = HOME + "/complaints/{complaint_id}"
DECLINED = "declined"
"""Instead of a score: the elder does not wish to rate."""
Said = Annotated[str, Field(min_length=1, max_length=4000)]


class AttemptForm(Form, Attempt):
    """One call of the centre."""

    version: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _rated_or_declined(cls, given: Any) -> Any:
        """Having reached somebody closes the follow-up for good: that there is no rating is said, not forgotten."""
        if isinstance(given, dict) and given.get("outcome") == "reached" and not given.get("score"):
            raise ValueError("a rating, or that none is given")
        return {name: value for name, value in given.items() if (name, value) != ("score", DECLINED)}


class CallbackForm(Form):
    result: Literal["reached", "no_answer", "wrong_number", "number_withheld", "called_again"]
    note: Said | None = None


class ReplyForm(Form):
    text: Annotated[str, Field(min_length=1, max_length=200)]
    version: int | None = None


class DecisionForm(Form):
    upheld: Literal["full", "partly", "no"]
    measures: Said
    rework: bool = False
    version: int | None = None


@router.get(HOME)
@allow("requests.read")
async def show_all(request: Request, tx: TxDep, caller: CallerDep) -> Response:
    waiting = await queues.all_of(tx, caller)
    late = queues.late_count(waiting)
    return page(request, "console/queues.html", waiting=waiting, first=FIRST, most=queues.MOST, late=late)


@router.get(HOME + "/{name}")
@allow("requests.read")
async def show_one(request: Request, tx: TxDep, caller: CallerDep, name: str) -> Response:
    ask = queues.QUEUES.get(name)
    if ask is None:
        raise NotFound("queue_not_found")
    lines = await ask(tx, caller, clock.now(), queues.MOST)
    return page(request, "console/queue.html", name=name, lines=lines, most=queues.MOST)


@router.get(FOLLOWUP)
@allow("followups.read")
async def show_followup(request: Request, tx: TxDep, caller: CallerDep, followup_id: UUID) -> Response:
    return await _followup(request, tx, caller, followup_id, reveal=False)


@router.post(FOLLOWUP + "/phone")
@allow("elders.reveal", keyed=False)
async def reveal_followup(request: Request, tx: TxDep, caller: CallerDep, followup_id: UUID) -> Response:
    """Whom to call, in plain text; leaves an audit row each time."""
    return await _followup(request, tx, caller, followup_id, reveal=True)


@router.post(FOLLOWUP + "/attempts")
@allow("followups.work")
async def add_attempt(
    tx: TxDep, caller: CallerDep, followup_id: UUID, form: Annotated[AttemptForm, fastapi.Form()]
) -> Response:
    await followup.attempt(tx, caller, followup_id, form, form.version)
    return see(HOME)


@router.get(CALLBACK)
@allow("requests.read")
async def show_callback(request: Request, tx: TxDep, caller: CallerDep, task_id: UUID) -> Response:
    task = await callbacks.seen(tx, caller, task_id)
    return page(request, "console/queue_callback.html", task=callbacks.view(tx, task, clock.now()), plain=False)


@router.post(CALLBACK + "/phone")
@allow("elders.reveal", keyed=False)
async def reveal_callback(request: Request, tx: TxDep, caller: CallerDep, task_id: UUID) -> Response:
    """Whom to call and what to say, in plain text; leaves an audit row each time."""
    task = await callbacks.seen(tx, caller, task_id)
    await audit.record(tx, caller, "requests.reveal", "callback_task", task_id, ("phone",), "call back")
    shown = callbacks.view(tx, task, clock.now(), plain=True)
    return page(request, "console/queue_callback.html", task=shown, plain=True)


@router.post(CALLBACK + "/completion")
@allow("requests.write")
async def complete_callback(
    tx: TxDep, caller: CallerDep, task_id: UUID, form: Annotated[CallbackForm, fastapi.Form()]
) -> Response:
    await callbacks.complete(tx, caller, task_id, form.result, form.note)
    return see(HOME)


@router.get(COMPLAINT)
@allow("complaints.read")
async def show_complaint(request: Request, tx: TxDep, caller: CallerDep, complaint_id: UUID) -> Response:
    place = await queries_complaints.place(tx, complaint_id)
    if place is None:
        raise NotFound("complaint_not_found")
    if place["division_code"] is not None:
        scope.see(caller, place["division_code"])
    shown = followup_views.complaint(await queries_complaints.shown(tx, complaint_id), clock.now(), tx.vault)
    return page(request, "console/queue_complaint.html", complaint=shown, decides=SUPERVISOR in caller.roles)


@router.post(COMPLAINT + "/reply")
@allow("followups.work")
async def reply_complaint(
    tx: TxDep, caller: CallerDep, complaint_id: UUID, form: Annotated[ReplyForm, fastapi.Form()]
) -> Response:
    await complaints.reply(tx, caller, complaint_id, form.text, form.version)
    return see(HOME)


@router.post(COMPLAINT + "/decision")
@allow("complaints.decide")
async def decide_complaint(
    tx: TxDep, caller: CallerDep, complaint_id: UUID, form: Annotated[DecisionForm, fastapi.Form()]
) -> Response:
    await complaints.decide(
        tx,
        caller,
        complaint_id,
        upheld=form.upheld,
        measures=form.measures,
        rework=form.rework,
        version=form.version,
    )
    return see(HOME)


async def _followup(request: Request, tx: TxDep, caller: CallerDep, followup_id: UUID, *, reveal: bool) -> Response:
    row = await followups.shown(tx, followup_id)
    if row is None:
        raise NotFound("followup_not_found")
    scope.see(caller, row["division_code"])
    door = None
    if reveal:
        await audit.record(tx, caller, "elders.reveal", "elder", row["elder_id"], ("phone",), "follow-up call")
        door = await elders.door(tx, row["elder_id"])
    attempts = await followups.attempts(tx, followup_id)
    shown = followup_views.followup_detail(row, attempts, caller.actor, clock.now(), tx.vault)
    return page(request, "console/queue_followup.html", followup=shown, door=door)
