"""The present day: orders at every station of the line, and what lies on the operators' desks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from uuid import UUID

from app.calls import service as calls
from app.calls.record import CallEventFacts, EventType
from app.calls.service import Reported
from app.core import clock
from app.core.db import Tx
from app.core.errors import Error
from app.core.http import Caller
from app.dispatch import queries as dispatch_queries
from app.dispatch import service as dispatch
from app.intake import service as intake
from app.intake.queries import RequestRow
from app.intake.requests import Channel, Kind, Urgency
from app.intake.service import NewRequest, Requester
from app.orders import flags
from app.orders import service as orders
from app.orders.lifecycle import Status
from app.orders.queries import OrderRow
from app.seeds.chance import chance, phone
from app.seeds.plots import Plot
from app.seeds.story import Stage, place, report
from app.visits.journal import Kind as EventKind

STATIONS = (
    ("dispatched", 5), ("accepted", 2), ("assigned", 5), ("in_service", 3), ("completed", 3), ("doubtful", 2),
    ("suspended", 1), ("nobody", 2), ("cancelled", 1),
)  # fmt: skip
"""How many orders stand where."""
STRANGER_BLOCK = 5
PAST_THE_DOOR = frozenset({"in_service", "completed", "doubtful"})
SPECIALTY = "psychological_comfort"
"""Offered in one district only: elsewhere nobody is found, and the funnel says why."""


async def live(tx: Tx, stage: Stage) -> None:
    """Bring a few orders to every station, and leave requests and missed calls to be worked on."""
    draw, busy_at = chance("present"), busy_hour(clock.now())
    tomorrow = datetime.combine(clock.today() + timedelta(days=1), time(9), clock.SHANGHAI)
    people = list(range(len(stage.people)))
    draw.shuffle(people)
    free = iter(people)
    for station, count in STATIONS:
        for number in range(count):
            before = busy_at if station in PAST_THE_DOOR else clock.now()
            placed_at = before - timedelta(minutes=150 if before is busy_at else 3 + number)
            begin = placed_at + timedelta(minutes=40) if before is busy_at else tomorrow + timedelta(hours=number)
            for person in free:
                town = stage.people[person].division.startswith("620302")
                if town == (station == "nobody"):
                    continue
                item = SPECIALTY if station == "nobody" else "clean_home"
                plot = Plot(placed_at, begin, begin + timedelta(hours=5), person, item, "hotline", "open", 0, None)
                if await _bring(tx, stage, plot, station):
                    break
    await _requests(tx, stage)
    await _missed_calls(tx)


def busy_hour(now: datetime) -> datetime:
    """Now if it is a working hour, otherwise the evening before: visits happen by day."""
    local = now.astimezone(clock.SHANGHAI)
    if time(11) <= local.time() <= time(19):
        return now
    day = local.date() if local.time() > time(19) else local.date() - timedelta(days=1)
    return datetime.combine(day, time(18), clock.SHANGHAI)


async def _bring(tx: Tx, stage: Stage, plot: Plot, station: str) -> bool:
    """Place an order and take it to its station; False when the rules do not allow it for this elder."""
    try:
        async with tx.savepoint():
            with clock.hold(plot.placed_at):
                order = await place(tx, stage, plot, stage.people[plot.person])
                order = await orders.get(tx, order.id)
            if station == "cancelled":
                await orders.cancel(tx, stage.operator, order.id, "asked_twice", "centre")
            elif station == "suspended":
                await flags.suspend(tx, stage.operator, order.id, "老人住院，暂缓服务")
            elif station == "nobody":
                return order.status == Status.PLACED
            elif order.offer_id is None:
                raise _NotToday
            elif station != "dispatched":
                await _onward(tx, stage, plot, order, station)
    except (Error, _NotToday):
        return False
    return True


class _NotToday(Exception):
    """Nobody could be found for an order that should have gone on; it is not placed at all."""


async def _onward(tx: Tx, stage: Stage, plot: Plot, order: OrderRow, station: str) -> None:
    assert order.provider_id is not None and order.offer_id is not None  # noqa: S101, PT018 (it is offered)
    offer = await dispatch_queries.offer(tx, order.offer_id)
    by = stage.provider(order.provider_id)
    with clock.hold(plot.placed_at + timedelta(minutes=2)):
        named = None if station == "accepted" else offer["caregiver_id"]
        order = await dispatch.accept(tx, by, order.offer_id, named)
    if station in ("accepted", "assigned"):
        return
    begin = offer["starts_at"]
    told = [(EventKind.ARRIVED, begin), (EventKind.CHECKED_IN, begin + timedelta(minutes=2))]
    if station != "in_service":
        told.append((EventKind.CHECKED_OUT, begin + timedelta(minutes=100)))
    person = stage.people[plot.person]
    away = 0.03 if station == "doubtful" else 0.0002
    await report(tx, by, order, (person.lng + away, person.lat), begin, told, 1)


async def _requests(tx: Tx, stage: Stage) -> None:
    """Questions, wishes and a complaint as they lie on the desk."""
    people, desk = stage.people, stage.operator
    said: Sequence[tuple[Kind, Channel, Urgency, UUID | None, str | None, str]] = (
        (Kind.SERVICE, Channel.WECHAT, Urgency.NORMAL, None, None, "想给我妈订明天中午的饭"),
        (Kind.SERVICE, Channel.WEB, Urgency.APPOINTMENT, people[11].id, "bath_home", "周末上门助浴"),
        (Kind.SERVICE, Channel.APP, Urgency.NORMAL, people[23].id, None, "家里灯不亮了"),
        (Kind.CONSULTATION, Channel.HOTLINE, Urgency.NORMAL, people[31].id, None, "高龄津贴怎么办理"),
        (Kind.CONSULTATION, Channel.WECHAT, Urgency.NORMAL, None, None, "助浴一次多少钱"),
        (Kind.SUGGESTION, Channel.HOTLINE, Urgency.NORMAL, people[7].id, None, "希望周日也能送餐"),
        (Kind.COMPLAINT, Channel.HOTLINE, Urgency.NORMAL, people[42].id, None, "昨天打扫的人态度不好"),
    )
    taken: list[RequestRow] = []
    for kind, channel, urgency, elder_id, item, note in said:
        asked = NewRequest(
            channel=channel, kind=kind, urgency=urgency, requester=Requester(None, phone(STRANGER_BLOCK, len(taken)),
            "child"), elder_id=elder_id, item_code=item, note=note,
        )  # fmt: skip
        taken.append(await intake.take_request(tx, desk, asked))
    await intake.answer(tx, desk, taken[3].id, "由户籍所在街道办理，带身份证和户口簿")
    await intake.reject(tx, desk, taken[5].id, "已转餐饮企业研究，不产生工单")


async def _missed_calls(tx: Tx) -> None:
    """Three callers who did not get through: the desk owes them a call."""
    now = clock.now()
    for number in range(3):
        at = now - timedelta(minutes=9 + 7 * number)
        call = ("demo-pbx", "1", f"missed-{number}")
        await calls.record(
            tx,
            [
                Reported(*call, CallEventFacts(EventType.QUEUED, "1", at, phone(STRANGER_BLOCK, 50 + number), "12349")),
                Reported(*call, CallEventFacts(EventType.ABANDONED, "2", at + timedelta(seconds=55))),
            ],
        )


def operators(staff: dict[str, Caller]) -> tuple[Caller, Caller]:
    """Who takes the calls, and who calls back: never the same person about one order."""
    return staff["zuoxi1"], staff["zuoxi2"]
