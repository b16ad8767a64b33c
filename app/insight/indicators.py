"""The indicators: one table, each with its definition in words. Pure.

A share is `part` out of `whole`, a mean is a sum over a number of cases, a count and an amount have no whole. All are
made of whole numbers that add up: the sum over divisions, providers or days is the city's figure. An order belongs to
the service day (Asia/Shanghai) on which its wanted window begins, whenever it was placed; contacts, calls, requests
and incidents to the day they came in.

Sources are named where a standard is known. Where it says "house", no source that could be read states a definition
or a figure for home care; the words here are common practice, and no target is made of them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.insight.intervals import ENOUGH, wilson

Counts = Mapping[str, tuple[int, int]]
"""(part, whole) by the indicator's code. What is missing is (0, 0)."""


class Unit(StrEnum):
    COUNT = "count"
    SHARE = "share"
    MINUTES = "minutes"
    """A mean of durations; its part is a sum of seconds."""
    FEN = "fen"


class Good(StrEnum):
    """Which direction is the better one."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


class About(StrEnum):
    """What is counted. Calls and contacts belong to the whole city: they have no division and no provider."""

    ORDERS = "orders"
    REQUESTS = "requests"
    INCIDENTS = "incidents"
    CONTACTS = "contacts"
    CALLS = "calls"
    MONEY = "money"


EVERYWHERE = frozenset(About)
IN_A_DIVISION = EVERYWHERE - {About.CONTACTS, About.CALLS}
OF_A_PROVIDER = frozenset({About.ORDERS, About.MONEY})
PRACTICE, HOUSE = "通行做法（无国家指标）", "本系统口径"
HOTLINE = "GB/T 33358—2016（据公开报道）"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator. `part` and `whole` say in words what is counted above and below the line."""

    code: str
    name: str
    group: str
    about: About
    unit: Unit
    good: Good
    part: str
    whole: str | None
    source: str
    funnel: bool = False

    @property
    def listed(self) -> bool:
        """Whether the orders behind it can be listed."""
        return self.about is About.ORDERS


@dataclass(frozen=True, slots=True)
class Figure:
    """An indicator with its numbers. `value` is null where there was nothing to divide by; `low` and `high` are the
    95 % interval of a share; `enough` is whether it may be judged."""

    indicator: Indicator
    part: int
    whole: int
    value: float | None
    low: float | None
    high: float | None
    enough: bool


def _count(code: str, name: str, group: str, about: About, part: str, *, funnel: bool = False) -> Indicator:
    return Indicator(code, name, group, about, Unit.COUNT, Good.NEITHER, part, None, HOUSE, funnel)


def _share(
    code: str, name: str, group: str, part: str, whole: str, good: Good = Good.UP, source: str = PRACTICE,
    about: About = About.ORDERS,
) -> Indicator:  # fmt: skip
    return Indicator(code, name, group, about, Unit.SHARE, good, part, whole, source)


_FINISHED = "服务已结束（已完成或已办结）的工单"

INDICATORS: tuple[Indicator, ...] = (
    # What came in, and how far it got. Each step counts by itself: an order closed without proof shows as such.
    _count("contacts", "联系", "funnel", About.CONTACTS, "期内收到的微信、应用、网页、设备等联系", funnel=True),
    _count("calls", "来电", "funnel", About.CALLS, "期内呼入且已结束、结果已知的电话", funnel=True),
    _count("requests", "诉求", "funnel", About.REQUESTS, "期内登记的诉求，不含并入其他诉求的", funnel=True),
    _count("orders", "工单", "funnel", About.ORDERS, "期望服务日在期内的工单，含已取消", funnel=True),
    _count("dispatched", "已派单", "funnel", About.ORDERS, "现处于已派单或之后状态，不含已取消", funnel=True),
    _count("accepted", "已接单", "funnel", About.ORDERS, "现处于已接单或之后状态，不含已取消", funnel=True),
    _count("assigned", "已指定", "funnel", About.ORDERS, "现处于已指定人员或之后状态，不含已取消", funnel=True),
    _count("arrived", "已到门", "funnel", About.ORDERS, "上门记录有到达、签到或敲门未果的时间", funnel=True),
    _count("completed", "已服务", "funnel", About.ORDERS, "已结束且结果为完成或部分完成", funnel=True),
    _count("verified", "已核实", "funnel", About.ORDERS, "已服务且上门凭证核实通过", funnel=True),
    _count("followed_up", "已回访", "funnel", About.ORDERS, "回访或家属评价已有结果，不含到期自动通过", funnel=True),
    _count("closed", "已办结", "funnel", About.ORDERS, "状态为已办结", funnel=True),
    # Dispatch.
    _share("dispatch_on_time", "派单及时率", "dispatch", "在时限内派出", "派单时限已到或已派出的工单，不含已取消"),
    _share("accept_on_time", "接单及时率", "dispatch", "企业在时限内接单", "接单时限已到或已接单的工单，不含已取消"),
    _share("designate_on_time", "指派及时率", "dispatch", "企业在时限内指定人员",
           "指派时限已到或已指定的工单，不含已取消"),
    Indicator("accept_minutes", "平均接单时长", "dispatch", About.ORDERS, Unit.MINUTES, Good.DOWN,
              "从派单到企业接单的时长之和", "有企业接单的工单", HOUSE),
    _share("refused", "拒单率", "dispatch", "至少一家企业拒单", "派出过的工单", Good.DOWN),
    _share("unfilled", "未落实率", "dispatch", "仍无服务人员", "期望服务时间已到、未取消的工单", Good.DOWN),
    _share("cancelled", "取消率", "dispatch", "已取消", "全部工单", Good.DOWN),
    # At the door.
    _share("arrive_on_time", "上门准时率", "visit", "首次到达、签到或敲门不晚于上门时限",
           "上门时限已到或已上门的工单，不含已取消"),
    _share("done", "服务完成率", "visit", "结果为完成", _FINISHED),
    _share("verified_share", "凭证核实率", "visit", "上门凭证核实通过", "结果为完成或部分完成的工单"),
    _share("manual_share", "补录率", "visit", "上门记录全部或部分由人工补录", "上门已结束或已失败的工单", Good.DOWN),
    # Afterwards.
    _share("follow_up_share", "回访率", "after", "回访或评价已有结果，含多次未接通，不含到期自动通过", _FINISHED),
    _share("follow_up_on_time", "回访及时率", "after", "在时限内办结", "回访时限已到或已办结的工单，不含已取消"),
    _share("reached_share", "回访成功率", "after", "已接通或家属已评价", "回访已有结果的工单"),
    _share("satisfied", "满意率", "after", "评分 4 或 5（满意、很满意）", "有有效评分（1—5 分）的工单"),
    _share("complained", "投诉率", "after", "有投诉", _FINISHED, Good.DOWN),
    _share("upheld", "投诉属实率", "after", "投诉认定全部或部分属实", "有已认定投诉的工单", Good.DOWN),
    _share("closed_share", "办结率", "after", "已办结", _FINISHED),
    # Emergencies.
    _count("incidents", "紧急呼叫事件", "alarms", About.INCIDENTS, "期内首次收到的紧急呼叫事件"),
    _share("incidents_in_time", "紧急响应及时率", "alarms", "坐席接手早于告知家属等下一级的时限",
           "有上报时限、已接手或时限已到的事件", Good.UP, HOUSE, About.INCIDENTS),
    # The telephone: as `calls.figures` counts it.
    _share("answered_within_15s", "15 秒接听率", "hotline", "排队后 15 秒内由人接听", "全部来电", Good.UP, HOTLINE,
           About.CALLS),
    _share("connect_rate", "接通率", "hotline", "由人接听", "全部来电，不含 5 秒内挂断的", Good.UP,
           HOTLINE + "，不低于 95%", About.CALLS),
    _share("abandon_rate", "放弃率", "hotline", "接听前挂断", "全部来电", Good.DOWN, HOTLINE, About.CALLS),
    # Money, by who pays.
    Indicator("paid_government", "政府购买应付", "money", About.MONEY, Unit.FEN, Good.NEITHER,
              "工单在未作废结算单中由政府承担的应付金额", None, HOUSE),
    Indicator("paid_family", "家庭自付", "money", About.MONEY, Unit.FEN, Good.NEITHER,
              "工单在未作废结算单中由家庭承担的应付金额", None, HOUSE),
)  # fmt: skip

BY_CODE = {one.code: one for one in INDICATORS}
GROUPS = tuple(dict.fromkeys(one.group for one in INDICATORS))


def figure(indicator: Indicator, counts: Counts) -> Figure:
    """One indicator's figure."""
    part, whole = counts.get(indicator.code, (0, 0))
    if indicator.unit in {Unit.COUNT, Unit.FEN}:
        return Figure(indicator, part, whole, float(part), None, None, True)
    if whole == 0:
        return Figure(indicator, part, whole, None, None, None, False)
    if indicator.unit is Unit.MINUTES:
        return Figure(indicator, part, whole, part / whole / 60, None, None, whole >= ENOUGH)
    low, high = wilson(part, whole)
    return Figure(indicator, part, whole, part / whole, low, high, whole >= ENOUGH)


def figures(counts: Counts, about: Container[About] = EVERYWHERE) -> list[Figure]:
    """All figures of these things, in the order of the table."""
    return [figure(one, counts) for one in INDICATORS if one.about in about]


def added(tallies: Iterable[Counts]) -> dict[str, tuple[int, int]]:
    """The sum of several: parts and wholes add up."""
    total: dict[str, tuple[int, int]] = {}
    for tally in tallies:
        for code, (part, whole) in tally.items():
            before = total.get(code, (0, 0))
            total[code] = (before[0] + part, before[1] + whole)
    return total
