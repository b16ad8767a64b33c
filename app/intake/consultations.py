"""How consultations were answered in a period, each figure defined here. Pure.

"At once" is within ten minutes of being taken: about the length of a call. A house rule; the sources state none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

AT_ONCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Consultations that were taken in a period; those found out to be something else are not among them.

    asked = answered + unanswered + closed_otherwise (rejected as no question of ours, or merged into another).
    """

    asked: int
    answered: int
    answered_at_once: int
    with_article: int
    unanswered: int

    @property
    def closed_otherwise(self) -> int:
        return self.asked - self.answered - self.unanswered

    @property
    def without_article(self) -> int:
        """Answered out of somebody's head: what the knowledge base may lack."""
        return self.answered - self.with_article

    @property
    def at_once_share(self) -> float | None:
        return round(self.answered_at_once / self.asked, 4) if self.asked else None
