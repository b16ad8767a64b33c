"""The closing report, in plain lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from scripts.simulate.doors import Tally
from scripts.simulate.facts import Facts


def lines(facts: Facts, breaches: dict[str, list[str]], tally: Tally) -> Iterator[str]:
    """Everything worth knowing about the day."""
    ours = {wish.order_id for wish in facts.book.wishes if wish.order_id}
    orders = [order for order in facts.orders if order["id"] in ours]
    wishes = [wish for wish in facts.book.wishes if wish.kind == "service"]
    acknowledged = sum(wish.acknowledged for wish in facts.book.wishes)
    yield f"Wishes: {len(facts.book.wishes)}, acknowledged {acknowledged}"
    yield f"  for a service {len(wishes)}, of which became orders {len(orders)}"
    yield _counted("  by channel", Counter(wish.channel for wish in facts.book.wishes))
    refused = Counter(wish.refusal for wish in wishes if wish.refusal)
    if refused:
        yield _counted("  not ordered because", refused)
    yield _counted("Orders by status", Counter(order["status"] for order in orders))
    yield _counted("  by outcome", Counter(order["outcome"] or "none" for order in orders))
    yield _counted("  cancelled because", _cancellations(facts, orders))
    yield "On time:"
    yield from _on_time(orders)
    yield from _funnels(facts)
    yield _counted("Offers", _offers(facts, ours))
    if facts.book.heard_after:
        lags = sorted(facts.book.heard_after)
        late = lags[len(lags) * 95 // 100]
        yield f"  heard after: {lags[len(lags) // 2]:.1f} s, 95 % within {late:.1f} s, all within {lags[-1]:.1f} s"
    yield _counted("Visits by verdict", Counter(v["verification"] for v in facts.visits if v["order_id"] in ours))
    yield _counted("  events answered", facts.book.event_results)
    yield _counted("Follow-ups", Counter(f["outcome"] or f["status"] for f in facts.followups if f["order_id"] in ours))
    yield _counted("Ratings", Counter(str(order["rating"]) for order in orders if order["rating"]))
    yield _counted("Complaints", Counter(complaint["status"] for complaint in facts.complaints))
    yield from _statements(facts)
    yield _counted("Calls", facts.book.calls)
    yield _counted("Acts", facts.book.acts)
    yield _counted("HTTP answers", tally.statuses)
    yield _counted("  refusals and pauses", tally.codes)
    yield f"  lines broken {tally.broken}, first answers given again {tally.repeated}"
    yield ""
    yield "Audit:"
    for rule, broken in breaches.items():
        yield f"  {'BROKEN' if broken else 'ok    '}  {rule}" + (f" ({len(broken)})" if broken else "")
        for breach in broken[:8]:
            yield f"            {breach}"


def _counted(title: str, counts: Counter[Any]) -> str:
    said = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda e: (-e[1], str(e[0]))))
    return f"{title}: {said or 'none'}"


def _cancellations(facts: Facts, orders: list[dict[str, Any]]) -> Counter[str]:
    return Counter(
        str(facts.histories[order["id"]][-1]["reason"]) for order in orders if order["status"] == "cancelled"
    )


def _on_time(orders: list[dict[str, Any]]) -> Iterator[str]:
    counted: dict[str, list[bool]] = {}
    for order in orders:
        for deadline in order["deadlines"]:
            if deadline["met_at"] is not None:
                counted.setdefault(deadline["name"], []).append(not deadline["late"])
    for name, met in counted.items():
        yield f"  {name}: {sum(met)} of {len(met)} ({100 * sum(met) / len(met):.0f} %)"


def _funnels(facts: Facts) -> Iterator[str]:
    """Why nobody could be found, where nobody was found."""
    empty = [d for found in facts.decisions.values() for d in found if d["chosen_provider_id"] is None]
    reasons: Counter[str] = Counter()
    for decision in empty:
        for step in decision["funnel"]:
            if step["refused"]:
                reasons[step["label"]] += step["refused"]
    yield f"Searches that found nobody: {len(empty)}"
    if reasons:
        yield _counted("  caregivers refused by rule", reasons)


def _offers(facts: Facts, ours: set[str]) -> Counter[str]:
    """How the offers of our orders ended, as the providers heard it."""
    told = [entry.type for seen in facts.book.feeds.values() for entry in seen if entry.order_id in ours]
    counts = Counter(type_.removeprefix("offer.") for type_ in told if type_.startswith("offer."))
    return counts + Counter({"accepted": len(ours & set(facts.book.accepted))})


def _statements(facts: Facts) -> Iterator[str]:
    by_period: dict[str, list[dict[str, Any]]] = {}
    for statement in facts.statements:
        by_period.setdefault(statement["period"], []).append(statement)
    for period, found in sorted(by_period.items()):
        due, paid = sum(s["due_fen"] for s in found), sum(s["paid_fen"] or 0 for s in found)
        counts = _counted("", Counter(s["status"] for s in found)).removeprefix(": ")
        lines_ = sum(s["lines"] for s in found)
        yield f"Statements {period}: {counts}; {lines_} lines, due {due / 100:.2f}, paid {paid / 100:.2f} yuan"
    if facts.unsettled:
        reasons = Counter(reason for entry in facts.unsettled for reason in entry["reasons"])
        yield _counted("  not settled because", reasons)
