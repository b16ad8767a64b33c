"""What `scripts/bench dispatch` saw, how it is printed, and whether it is what is promised."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One order asked once. Times in milliseconds."""

    around_it: float
    """What the statement that always does the same took, the slower of before and after."""
    processor: float
    door: float
    whole: float
    is_rare: bool
    circles: int
    nobody: bool


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


def quietest(turns: list[list[Asked]]) -> list[Asked]:
    """Of every order the turn in which the machine was quietest around it. The order's own time does not choose."""
    return [min(times, key=lambda asked: asked.around_it) for times in zip(*turns, strict=True)]


def _quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def report(turns: list[list[Asked]], quiet: list[Asked]) -> None:
    """Print every turn's figures, and more of the quiet ones."""
    widened, nobody = sum(asked.circles > 1 for asked in quiet), sum(asked.nobody for asked in quiet)
    print(
        f"\n{len(quiet):,} orders a turn, {widened} widened, {nobody} without anybody; milliseconds of processor time"
    )
    named = [(f"turn {number}", turn) for number, turn in enumerate(turns, start=1)]
    for name, turn in [*named, ("the quietest of each", quiet)]:
        taken, same = [asked.processor for asked in turn], [asked.around_it for asked in turn]
        print(
            f"  {name:21} p50 {_quantile(taken, 0.5):6.2f}  p99 {_quantile(taken, 0.99):6.2f}"
            f"   (what is always the same: p50 {_quantile(same, 0.5):.2f}, p99 {_quantile(same, 0.99):.2f})"
        )
    for name, values in (
        ("of these, rare skills", [asked.processor for asked in quiet if asked.is_rare]),
        ("time at the database's door", [asked.door for asked in quiet]),
        ("whole match, explained", [asked.whole for asked in quiet]),
    ):
        print(f"    {name:30} p50 {_quantile(values, 0.5):6.2f}  p99 {_quantile(values, 0.99):6.2f}")


def judge(quiet: list[Asked], agreement: Agreement, budget_ms: float) -> int:
    """Print the comparison; 0 when what is promised was seen."""
    p99 = _quantile([asked.processor for asked in quiet], 0.99)
    if not agreement.compared:
        return 0 if p99 <= budget_ms else 1
    box, full = statistics.median(agreement.processor), statistics.median(agreement.scanned)
    agreed, rare = agreement.same / agreement.compared, agreement.rare_same / max(1, agreement.rare_compared)
    ends = _quantile(agreement.scanned, 0.99) / _quantile(agreement.processor, 0.99)
    print(f"\nthe full scan beside it: p50 {full:.0f} ms; {full / box:.1f} times as long (p50), {ends:.1f} times (p99)")
    print(f"  same first choice: {agreement.same} of {agreement.compared} ({agreed:.2%}); rare skills {rare:.2%}")
    for line in agreement.differing[:5]:
        print(f"    differs: {line}")
    kept = agreed >= 0.995 and full / box >= 20 and p99 <= budget_ms
    print("  kept: p99 within the budget, 20 times the scan, 99.5 % the same" if kept else "  NOT KEPT")
    return 0 if kept else 1
