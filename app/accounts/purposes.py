"""What an elder may be asked to consent to: one table, and when a consent stands. Pure.

What is given to the family is asked about wherever it is used, so that a withdrawal stops it at once. "service" is
proof alone: orders do not ask about it, and whoever hears it withdrawn cancels what is open. A part
("family_page.times") stands also while its whole does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

FAMILY, PROVIDER = "family", "provider"


@dataclass(frozen=True, slots=True)
class Purpose:
    """`words` are read out to the elder. `by_approval`: an elder who approved a relative and never spoke about this
    has agreed; one word about it, and only the word counts."""

    words: str
    granted_to: str
    by_approval: bool = False


SERVICE = "service"
FAMILY_PAGE = "family_page"
FAMILY_NOTICES = "family_notices"

PURPOSES: dict[str, Purpose] = {
    SERVICE: Purpose("为安排上门服务，把姓名、住址、电话和注意事项告知承接企业", PROVIDER),
    FAMILY_PAGE: Purpose("家属可查看我的服务订单的全部内容", FAMILY, by_approval=True),
    "family_page.people": Purpose("家属可查看谁来服务", FAMILY, by_approval=True),
    "family_page.times": Purpose("家属可查看到达和离开时间", FAMILY, by_approval=True),
    "family_page.work": Purpose("家属可查看做了什么服务", FAMILY, by_approval=True),
    "family_page.costs": Purpose("家属可查看费用", FAMILY, by_approval=True),
    FAMILY_NOTICES: Purpose("安排和完成服务时短信告知家属", FAMILY, by_approval=True),
}


class Given(Protocol):
    """One consent as it was written down."""

    @property
    def purpose(self) -> str: ...

    @property
    def stands(self) -> bool: ...


def whole_of(purpose: str) -> str:
    """family_page.times → family_page."""
    return purpose.partition(".")[0]


def standing_because(purpose: str, history: Sequence[Given], *, approved: bool) -> str | None:
    """Why it stands: "consent" or "approval" (a relative is, and nothing else was said); None when it does not."""
    whole = whole_of(purpose)
    if any(one.stands and one.purpose in {purpose, whole} for one in history):
        return "consent"
    spoken = any(whole_of(one.purpose) == whole for one in history)
    return "approval" if PURPOSES[purpose].by_approval and approved and not spoken else None
