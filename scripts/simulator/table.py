"""Two policies side by side, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scripts.simulator.compare import Difference
from scripts.simulator.ledger import MEASURES


def lines(
    names: Sequence[str], averages: Sequence[dict[str, float]], found: Sequence[dict[str, Difference]]
) -> Iterator[str]:
    """One line per measure: every policy's mean, and after the first each one's difference to the first.

    A star marks a difference whose 95 % interval leaves out zero.
    """
    width = max(34, *(len(name) + 2 for name in names))
    head = f"{'':<{width}}{names[0]:>12}"
    for name in names[1:]:
        head += f"{name:>12}{'difference':>24}"
    yield head
    yield "-" * len(head)
    for name, label, _ in MEASURES:
        row = f"{label:<{width}}{_figure(averages[0][name]):>12}"
        for average, difference in zip(averages[1:], found, strict=True):
            row += f"{_figure(average[name]):>12}{_difference(difference[name]):>24}"
        yield row


def _figure(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"


def _difference(one: Difference) -> str:
    if one.half_width is None:
        return f"{one.mean:+.3f}"
    return f"{one.mean:+.3f} ± {one.half_width:.3f}{' *' if one.certain else '  '}"
