"""How the hotline is answered: the figures by GB/T 33358 and by NENA side by side, each defined in one place. Pure.

They count calls that came in during a period and have ended. A call whose end nobody told is counted apart, and in no
share. Sources: GB/T 33358-2016 as reported (answered within 15 s, connect rate of at least 95 %); NENA-STA-020 (90 % of
calls answered within 15 s, 95 % within 20 s). The threshold below which giving up says nothing of the centre is a
house rule; the standards as far as they can be read state none.
"""

from __future__ import annotations

from dataclasses import dataclass

SHORT_S = 5
"""Who gives up before that has dialled wrongly or thought better of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Calls of a period. `within_*`: answered after at most so many seconds of waiting."""

    offered: int
    answered: int
    within_15: int
    within_20: int
    abandoned: int
    abandoned_short: int
    voicemail: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A share, `part` of `whole`, with what is asked for and how it is counted; null when there was nothing to
    count."""

    name: str
    label: str
    standard: str
    part: int
    whole: int
    asked: float | None
    definition: str

    @property
    def share(self) -> float | None:
        return round(self.part / self.whole, 4) if self.whole > 0 else None


def figures(counts: Counts) -> list[Figure]:
    """All of them, in the order they are shown."""
    reached = counts.offered - counts.abandoned_short
    return [
        Figure(
            "answered_within_15s", "15 秒接听率", "GB/T 33358", counts.within_15, counts.offered, None,
            "answered by a person within 15 s of joining the queue / all calls",
        ),
        Figure(
            "connect_rate", "接通率", "GB/T 33358", counts.answered, reached, 0.95,
            f"answered by a person / all calls but those given up within {SHORT_S} s",
        ),
        Figure(
            "abandon_rate", "放弃率", "GB/T 33358", counts.abandoned, counts.offered, None,
            "given up before a person answered / all calls",
        ),
        Figure(
            "nena_within_15s", "NENA 15 s", "NENA-STA-020", counts.within_15, counts.offered, 0.90,
            "answered by a person within 15 s / all calls",
        ),
        Figure(
            "nena_within_20s", "NENA 20 s", "NENA-STA-020", counts.within_20, counts.offered, 0.95,
            "answered by a person within 20 s / all calls",
        ),
    ]  # fmt: skip
