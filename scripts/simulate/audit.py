"""Is what came of the day right? Pure: facts in, breaches out. Every rule says what it would mean to break it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from app.orders.lifecycle import Status, may_move
from app.settlement import calculation
from app.settlement.inputs import read
from scripts.simulate.desk import MARK
from scripts.simulate.facts import Facts

TERMINAL = frozenset({"closed", "cancelled"})
WAITING = frozenset({"due", "watching"})


def audit(facts: Facts) -> dict[str, list[str]]:
    """Breaches by rule; a rule without any is kept, so that the report can say it was looked at."""
    return {name: list(rule(facts)) for name, rule in RULES.items()}


def acknowledged_once(facts: Facts) -> Iterator[str]:
    """Nothing that was acknowledged is lost, and nothing exists twice."""
    yield from _twice("order", (order["id"] for order in facts.orders))
    yield from _twice("request", (request["id"] for request in facts.requests))
    yield from _twice("order of one request", (o["care_request_id"] for o in facts.orders if o["care_request_id"]))
    requests, orders = {r["id"] for r in facts.requests}, {o["id"] for o in facts.orders}
    marks = Counter(mark for r in facts.requests for mark in _marks(r.get("note")))
    for wish in facts.book.wishes:
        if not wish.acknowledged:
            continue
        if wish.request_id is not None and wish.request_id not in requests:
            yield f"wish {wish.number} ({wish.channel}): its request is gone"
        if wish.order_id is not None and wish.order_id not in orders:
            yield f"wish {wish.number} ({wish.channel}): its order is gone"
        if wish.kind != "emergency" and marks[wish.mark] != 1:
            yield f"wish {wish.number} ({wish.channel}): {marks[wish.mark]} requests instead of one"


def ended_explained(facts: Facts) -> Iterator[str]:
    """Every order is at an end, or somebody can say what it waits for; every end has a reason."""
    followed = {f["order_id"]: f for f in facts.followups}
    for order in facts.orders:
        history = facts.histories.get(order["id"], [])
        if order["status"] == "cancelled" and not (history and history[-1]["reason"]):
            yield f"{order['number']} was cancelled without a reason"
        elif order["status"] == "completed":
            waits = followed.get(order["id"], {}).get("status") in WAITING
            if not (waits or order["flags"]):
                yield f"{order['number']} is completed and nobody follows up"
        elif order["status"] not in TERMINAL | {"completed"}:
            ahead = datetime.fromisoformat(order["window"]["from"]) > facts.now
            if not (order["flags"] or ahead):
                yield f"{order['number']} is {order['status']} and nobody says why"


def histories_follow_the_table(facts: Facts) -> Iterator[str]:
    """Replaying an order's history leads, by allowed moves only, to where it stands."""
    for order in facts.orders:
        stands, last = None, 0
        for entry in facts.histories.get(order["id"], []):
            before, after = entry["before"], entry["after"]
            if before != stands or entry["seq"] <= last:
                yield f"{order['number']}: history breaks at {entry['seq']}"
            elif before is None and after != "placed":
                yield f"{order['number']}: began as {after}"
            elif before is not None and before != after and not may_move(Status(before), Status(after)):
                yield f"{order['number']}: moved from {before} to {after}"
            stands, last = after, entry["seq"]
        if stands != order["status"]:
            yield f"{order['number']}: history ends at {stands}, the order is {order['status']}"


def nobody_in_two_places(facts: Facts) -> Iterator[str]:
    """No caregiver is with two elders at once, neither in the plan nor in what happened."""
    planned, happened = defaultdict(list), defaultdict(list)
    for order in facts.orders:
        offer = facts.book.accepted.get(order["id"])
        if offer is None or order["caregiver"] is None or order["status"] in {"cancelled", "placed"}:
            continue
        if order["caregiver"]["id"] == offer["caregiver_id"]:
            begin = datetime.fromisoformat(offer["starts_at"])
            planned[order["caregiver"]["id"]].append(
                (begin, begin + timedelta(minutes=order["minutes"]), order["number"])
            )
    for visit in facts.visits:
        begin, end = visit["begin"]["at"], visit["end"]["at"]
        if begin and end and visit["caregiver_id"]:
            span = (datetime.fromisoformat(begin), datetime.fromisoformat(end), visit["order_number"])
            happened[visit["caregiver_id"]].append(span)
    for what, spans in (("is planned for", planned), ("was at", happened)):
        for caregiver, taken in spans.items():
            ordered = sorted(taken)
            for (_, end, first), (begin, _, second) in pairwise(ordered):
                if begin < end:
                    yield f"caregiver {caregiver} {what} {first} and {second} at once"


def payers_add_up(facts: Facts) -> Iterator[str]:
    """The parts of all payers are the price, and the copay is the family's part."""
    for order in facts.orders:
        total = sum(part["amount_fen"] for part in order["payers"])
        family = sum(part["amount_fen"] for part in order["payers"] if part["payer"] == "family")
        if total != order["price_fen"]:
            yield f"{order['number']}: payers give {total}, the price is {order['price_fen']}"
        if family != order["copay_fen"]:
            yield f"{order['number']}: the family gives {family}, the copay is {order['copay_fen']}"


def ledger_balances(facts: Facts) -> Iterator[str]:
    """Debits and credits of all accounts are equal, and the bank gave what statements say was paid."""
    total = sum(account["balance_fen"] for account in facts.accounts)
    if total != 0:
        yield f"the ledger is off by {total} fen"
    for account in facts.accounts:
        if account["balance_fen"] != account["debit_fen"] - account["credit_fen"]:
            yield f"account {account['code']} does not add up"
    bank = -sum(account["balance_fen"] for account in facts.accounts if account["kind"] == "bank")
    paid = sum(statement["paid_fen"] or 0 for statement in facts.statements)
    if bank != paid:
        yield f"the bank gave {bank}, statements say {paid}"


def settled_once(facts: Facts) -> Iterator[str]:
    """No order is paid twice; what is settled was served and proven; what is not has a stated reason."""
    lines = [line for s in facts.statements for line in s["items"] if line["kind"] == "service"]
    yield from _twice("order on statements", (line["order_id"] for line in lines))
    verdicts = {visit["order_id"]: visit["verification"] for visit in facts.visits}
    for line in lines:
        if verdicts.get(line["order_id"]) != "verified":
            yield f"order {line['order_id']} is paid and its visit is {verdicts.get(line['order_id'])}"
    for entry in facts.unsettled:
        if not entry["reasons"]:
            yield f"{entry['number']} is on no statement and nobody says why"


def statements_recompute(facts: Facts) -> Iterator[str]:
    """Every statement comes out of its frozen inputs again, byte for byte, here and in the service."""
    for statement in facts.statements:
        made = []
        for line in statement["items"]:
            inputs = read(line["kind"], line["inputs"])
            amounts = calculation.amounts(inputs)
            made.append((inputs, amounts))
            stored = {name: line[name] for name in calculation.amounts_json(amounts)}
            if stored != calculation.amounts_json(amounts):
                yield f"{statement['number']} line {line['position']} does not follow from its inputs"
        content = calculation.content(statement["provider_id"], statement["period"], made)
        if calculation.digest(content).hex() != statement["content_hash"]:
            yield f"{statement['number']} does not recompute to its hash"
        if not facts.recomputations.get(statement["id"], {}).get("same"):
            yield f"{statement['number']} recomputes differently in the service"


def feeds_complete(facts: Facts) -> Iterator[str]:
    """A feed replayed from the beginning holds all that was seen live, in the same order, and nothing was skipped."""
    for provider, seen in facts.book.feeds.items():
        replayed = [entry.id for entry in facts.feeds.get(provider, [])]
        live = [entry.id for entry in seen]
        yield from _twice(f"feed entry of {provider}", replayed)
        if replayed[: len(live)] != live:
            missing, extra = set(live) - set(replayed), set(replayed[: len(live)]) - set(live)
            yield f"provider {provider}: {len(missing)} seen entries are gone, {len(extra)} were skipped"
        known = set(replayed)
        if len(known) < len(set(live)):
            yield f"provider {provider}: the feed has become shorter"


def nothing_unexpected(facts: Facts) -> Iterator[str]:
    """No actor met an answer that its door does not promise."""
    yield from facts.book.failures


RULES: dict[str, Callable[[Facts], Iterator[str]]] = {
    "every acknowledged request exists once": acknowledged_once,
    "every order ended explained": ended_explained,
    "histories are paths of the lifecycle": histories_follow_the_table,
    "no caregiver in two places": nobody_in_two_places,
    "payers add up to the price": payers_add_up,
    "the ledger balances": ledger_balances,
    "each order settled at most once": settled_once,
    "statements recompute byte for byte": statements_recompute,
    "feeds are complete": feeds_complete,
    "no unexpected answers": nothing_unexpected,
}


def _twice(what: str, ids: Any) -> Iterator[str]:
    for value, count in Counter(ids).items():
        if count > 1:
            yield f"{what} {value} exists {count} times"


def _marks(note: str | None) -> Iterator[str]:
    for number in MARK.findall(note or ""):
        yield f"（模拟{number}）"
