"""An order's page in every state that looks different, and what lies on it."""

from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace
from typing import Any

from app.elders.card_print import card_svg
from app.elders.schemas import RevealedView
from app.orders import lifecycle
from app.orders.schemas import DeadlineView, WindowView
from app.visits.schemas import PlaceView
from app.web.console.order_views import File, Step
from app.web.console.stories_desk import asked, at, order, part, uuid
from app.web.stories import OPERATOR, Story


def visit(verification: str = "review", *, over: bool = True) -> Any:
    seen = SimpleNamespace(
        verification=verification, manual=verification == "review",
        begin=PlaceView(at=at(-40), method="gps", place="inside", distance_m=22, accuracy_m=18.0),
        end=PlaceView(at=at(-4), method="gps", place="outside", distance_m=640, accuracy_m=35.0) if over else (
            PlaceView(place="cannot_tell")),
    )  # fmt: skip
    return SimpleNamespace(visit=seen, radius_m=200)


MAP = [{"name": "begin", "x": 12, "y": 18, "blur": 18.0}, {"name": "end", "x": 480, "y": -420, "blur": 35.0}]
FILES = [File(uuid(80), "photo", 1, False), File(uuid(81), "signature", 1, False), File(uuid(82), "recording", 1, True)]
STORY = [
    Step(at(-60), "placed", "王静"),
    Step(at(-59), "decided", looked_at=31, left=4),
    Step(at(-59), "offered", "金昌市金川区银龄居家养老服务有限责任公司", deadline=at(-40)),
    Step(at(-58), "fetched", "银龄居家养老"),
    Step(at(-56), "offer.refused", "银龄居家养老", "no_capacity"),
    Step(at(-55), "status.dispatched"),
    Step(at(-50), "status.accepted"),
    Step(at(-48), "status.assigned"),
    Step(at(-46), "noted", "李红", "电话核实过时间，老人午睡到两点半，请晚一点到"),
]
BEGUN = [*STORY, Step(at(-40), "visit.checked_in"), Step(at(-40), "status.in_service")]
IN_DANGER = [
    *BEGUN,
    Step(at(-20), "visit.hazard_reported", reason="gas", note="厨房有燃气味，灶具软管老化开裂，已关总阀、开窗"),
    Step(at(-18), "visit.hazard_reported", reason="neglect"),
]
DONE = "已做：擦洗地面、清洁厨房台面与灶具；未做：整理衣物与床铺"
ENDED = [
    *BEGUN,
    Step(at(-6), "visit.evidence_added", reason="signature_skipped", note="老人不会或不便写字"),
    Step(at(-4), "visit.checked_out", note=DONE),
    Step(at(-4), "status.completed"),
]
CALLED_OFF = [*STORY, Step(at(-5), "status.cancelled", "王静", "elder_in_hospital")]
WAITING = [
    DeadlineView(name="dispatch", due_at=at(-9), late=True),
    DeadlineView(name="arrive", due_at=at(95), late=False),
]
KEPT = [
    DeadlineView(name="dispatch", due_at=at(-50), met_at=at(-55), late=False),
    DeadlineView(name="accept", due_at=at(-52), met_at=at(-50), late=True),
    DeadlineView(name="designate", due_at=at(-40), met_at=at(-48), late=False),
    DeadlineView(name="arrive", due_at=at(-30), met_at=at(-40), late=False),
    DeadlineView(name="complete", due_at=at(50), late=False),
]
TODAY = WindowView(from_=at(-45), to=at(45))


def _order(status: str, flags: tuple[str, ...] = (), **more: Any) -> Story:
    shown = {name: more.pop(name) for name in ("visit", "map", "story", "files", "opened") if name in more}
    values = {
        "may": dict.fromkeys(("orders.change", "orders.watch", "elders.reveal"), True),
        "order": order(1, status, flags=list(flags), **more), "visit": None, "map": [], "files": [],
        "opened": False, "story": STORY,
        "actions": lifecycle.next_actions(lifecycle.Status(status), flags),
    }  # fmt: skip
    return Story("console/order.html", values | shown, OPERATOR, path="/console/orders/1")


def _card(**more: Any) -> Story:
    svg = card_svg("𠮷田秀英", "12345678", "093512349", "https://example.invalid/c/example")
    values = {
        "elder_id": uuid(900), "name": "𠮷**", "shown": False,
        "picture": "data:image/svg+xml;base64," + b64encode(svg.encode()).decode(),
        "may": dict.fromkeys(("elders.write", "elders.reveal"), True),
        "card": {"id": uuid(90), "number": "12345678", "issued_at": at(-3000)},
    }  # fmt: skip
    return Story("console/card.html", values | more, OPERATOR, path="/console")


def stories() -> dict[str, Story]:
    nobody: dict[str, Any] = {"provider": None, "caregiver": None, "delivery": "none"}
    return {
        "order-placed": _order("placed", story=STORY[:1], deadlines=WAITING, **nobody),
        "order-assigned": _order("assigned"),
        "order-suspended": _order("assigned", (lifecycle.SUSPENDED,)),
        "order-in-service": _order("in_service", visit=visit("pending", over=False), map=MAP[:1], story=BEGUN,
                                   deadlines=KEPT, window=TODAY),
        "order-completed": _order("completed", visit=visit(), map=MAP, files=FILES, outcome="partly", rating=4,
                                  rework_of=uuid(7), story=ENDED, deadlines=KEPT[:-1], window=TODAY),
        "order-evidence": _order("completed", visit=visit(), files=FILES[2:], opened=True, story=ENDED, window=TODAY),
        "order-hazard": _order("in_service", visit=visit("pending", over=False), map=MAP[:1], story=IN_DANGER,
                               window=TODAY),
        "order-cancelled": _order("cancelled", deadlines=[], story=CALLED_OFF),
        "order-assign": Story(
            "console/order_assign.html", {"order": order(1, "placed"), "asked": asked()}, OPERATOR,
            path="/console/orders/1",
        ),
        "order-assign-nobody": Story(
            "console/order_assign.html", {"order": order(1, "placed"), "asked": asked(0)}, OPERATOR,
            path="/console/orders/1",
        ),
        "slip": Story(
            "console/slip.html",
            {
                "order": order(1, "assigned"), "points": ["擦洗地面", "清洁厨房台面与灶具", "整理衣物与床铺"],
                "elder": RevealedView(
                    name="𠮷田秀英", phones=["13800000001", "09358220001"], health_note="听力差，请大声敲门；膝盖不好",
                    address="甘肃省金昌市金川区滨河路街道昌宁里社区 12 号楼 3 单元 502 室（从北门进，门禁按 502）",
                ),
            },
            OPERATOR, path="/console/orders/1",
        ),
        "card": _card(shown=True), "card-issued": _card(), "card-none": _card(card=None),
        "viewers": part("_viewers.html", viewers=["李红", "买买提·阿不都热西提"], version=3),
    }  # fmt: skip
