"""What `scripts/bench dispatch` saw, how it is printed, and whether it is what is promised."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass
class Turn:
    """Every order asked once. Times in milliseconds, a figure an order."""

    processor: list[float] = field(default_factory=list)
    rare: list[float] = field(default_factory=list)
    door: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    always_the_same: list[float] = field(default_factory=list)
    widened: int = 0
    nobody: int = 0


@dataclass
class Agreement:
    """The orders that were matched by the full scan, too. Times in milliseconds."""

    processor: list[float] = field(default_factory=list)
    scanned: list[float] = field(default_factory=list)
    compared: int = 0
    same: int = 0
    rare_compared: int = 0
    rare_same: int = 0
    differing: list[str] = field(default_factory=list)


def quantile(values: list[float], part: float) -> float:
    """The value that `part` of them do not exceed; not a number if there are none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def report(turns: list[Turn], quietest: Turn) -> None:
    """Print every turn's figures, and more of the quietest."""
    print(
        f"\n{len(quietest.processor):,} orders a turn, {quietest.widened} widened, {quietest.nobody} without anybody; "
        "milliseconds of processor time in the database:"
    )
    for number, turn in enumerate(turns, start=1):
        print(
            f"  turn {number}: p50 {quantile(turn.processor, 0.5):6.2f}  p99 {quantile(turn.processor, 0.99):6.2f}"
            f"   (what is always the same: p50 {quantile(turn.always_the_same, 0.5):.2f},"
            f" least {min(turn.always_the_same):.2f}){'  the quietest' if turn is quietest else ''}"
        )
    print("the quietest turn:")
    for name, values in (
        ("processor time in the database", quietest.processor),
        ("  of these, rare skills", quietest.rare),
        ("time at the database's door", quietest.door),
        ("whole match, explained", quietest.whole),
    ):
        print(f"  {name:32} p50 {quantile(values, 0.5):8.2f} ms   p99 {quantile(values, 0.99):8.2f} ms")


def judge(quietest: Turn, agreement: Agreement, budget_ms: float) -> int:
    """Print the comparison; 0 when what is promised was seen."""
    p99 = quantile(quietest.processor, 0.99)
    if not agreement.compared:
        return 0 if p99 <= budget_ms else 1
    box, full = statistics.median(agreement.processor), statistics.median(agreement.scanned)
    agreed, rare = agreement.same / agreement.compared, agreement.rare_same / max(1, agreement.rare_compared)
    ends = quantile(agreement.scanned, 0.99) / quantile(agreement.processor, 0.99)
    print(f"\nthe full scan beside it: p50 {full:.0f} ms; {full / box:.1f} times as long (p50), {ends:.1f} times (p99)")
    print(f"  same first choice: {agreement.same} of {agreement.compared} ({agreed:.2%}); rare skills {rare:.2%}")
    for line in agreement.differing[:5]:
        print(f"    differs: {line}")
    kept = agreed >= 0.995 and full / box >= 20 and p99 <= budget_ms
    print("  kept: p99 within the budget, 20 times the scan, 99.5 % the same" if kept else "  NOT KEPT")
    return 0 if kept else 1
