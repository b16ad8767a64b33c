"""The figures of a division for judging visits. Rows of `visit_policy` override these defaults from a date on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class VisitPolicy:
    """No national number exists for any of these; they are parameters, not findings."""

    radius_m: int = 200
    """How far from the registered door still counts as there, before the device's own accuracy is added."""
    coarse_m: int = 300
    """A fix less accurate than this proves nothing."""
    back_fill_hours: int = 24
    """Events that reach us later than this after they happened count as entered by hand."""

    @property
    def back_fill_after(self) -> timedelta:
        return timedelta(hours=self.back_fill_hours)


DEFAULT = VisitPolicy()
