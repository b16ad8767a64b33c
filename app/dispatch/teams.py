"""Who comes together: one caregiver, or for some services two of the same provider. Pure.

Of two, the lead answers for the visit: the lead's check-in and check-out prove it. Both pass every work rule, both
are booked or neither is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from app.matching.rules import Ranked

ROLES = ("lead", "second")


@dataclass(frozen=True, slots=True)
class Team:
    """Named caregivers by id; `second` None where one is enough. Raises ValueError for one person named twice."""

    lead: UUID
    second: UUID | None = None

    def __post_init__(self) -> None:
        if self.lead == self.second:
            raise ValueError("one caregiver cannot come twice")

    @property
    def members(self) -> tuple[UUID, ...]:
        """The lead first, in the order of ROLES."""
        return (self.lead,) if self.second is None else (self.lead, self.second)

    def with_lead(self, caregiver_id: UUID) -> Team:
        """The lead replaced, the other kept; a second who becomes the lead changes places with the lead."""
        return Team(caregiver_id, self.lead if caregiver_id == self.second else self.second)

    def with_second(self, caregiver_id: UUID) -> Team:
        """The second replaced, the other kept; a lead who becomes the second changes places with the second."""
        if self.second is None:
            raise ValueError("nobody comes second")
        return Team(self.second if caregiver_id == self.lead else self.lead, caregiver_id)


@dataclass(frozen=True, slots=True)
class RankedTeam:
    """Candidates who would come together, the better one first; one provider's."""

    members: tuple[Ranked, ...]

    @property
    def score(self) -> float:
        """Of two, the sum."""
        return round(sum(one.score for one in self.members), 3)

    @property
    def provider_id(self) -> UUID:
        return self.members[0].candidate.provider_id

    @property
    def team(self) -> Team:
        return Team(*(one.candidate.caregiver_id for one in self.members))


def teams(ranked: Sequence[Ranked], size: int) -> list[RankedTeam]:
    """Every team of `size` (1 or 2) that one provider can send, best first.

    Pairs are ordered by the sum of both scores; equal sums keep the order of the ranking.
    """
    if size == 1:
        return [RankedTeam((one,)) for one in ranked]
    pairs = [
        RankedTeam(both)
        for both in combinations(ranked, 2)
        if both[0].candidate.provider_id == both[1].candidate.provider_id
    ]
    return sorted(pairs, key=lambda pair: -pair.score)


def of_each_provider(choices: Iterable[RankedTeam], breadth: int) -> list[RankedTeam]:
    """The best team of each of the best `breadth` providers."""
    best: dict[UUID, RankedTeam] = {}
    for one in choices:
        best.setdefault(one.provider_id, one)
    return list(best.values())[:breadth]
