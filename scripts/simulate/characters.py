"""How providers behave: some reliable, some picky, some silent at noon, some without a line for hours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Character:
    """Shares of a provider's behaviour, and the hours it is offline or silent (local hours, from and to)."""

    refuses: float = 0.05
    ignores: float = 0.03
    twice: float = 0.12
    late: float = 0.08
    changes: float = 0.05
    names_later: float = 0.15
    offline: tuple[float, float] | None = None
    silent: tuple[float, float] | None = None


CHARACTERS = (
    Character(), Character(refuses=0.12), Character(twice=0.4), Character(offline=(10.0, 12.5)), Character(late=0.3),
    Character(names_later=0.6), Character(), Character(ignores=0.15), Character(silent=(13.0, 14.5)),
    Character(changes=0.2), Character(offline=(14.0, 16.0), twice=0.3), Character(),
)  # fmt: skip
