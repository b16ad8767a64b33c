"""Rules about who is sent where, and who was told of it: bookings, offers, feeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, zip_longest

from app.dispatch.offers import OfferStatus
from app.orders.lifecycle import Status
from tests.chaos.books import Books, Told, by

CLOSED_OFFER = frozenset({OfferStatus.REFUSED, OfferStatus.EXPIRED, OfferStatus.WITHDRAWN})
LIVE_OFFER = frozenset({OfferStatus.OFFERED, OfferStatus.ACCEPTED})
HOLDS = {
    Status.DISPATCHED: "held", Status.ACCEPTED: "held", Status.ASSIGNED: "booked", Status.IN_SERVICE: "booked",
    Status.COMPLETED: "booked", Status.CLOSED: "booked",
}  # fmt: skip
"""What the caregiver's time is while an order stands so; free in all other states."""
TOLD = {
    Status.ACCEPTED: "order.accepted", Status.ASSIGNED: "order.assigned", Status.IN_SERVICE: "order.in_service",
    Status.COMPLETED: "order.completed", Status.CLOSED: "order.closed", Status.CANCELLED: "order.cancelled",
    Status.PLACED: "order.released",
}  # fmt: skip
"""What the provider in whose hand an order was hears of its moves."""


def double_booked(books: Books, _told: Told) -> Iterator[str]:
    """Nobody is in two places; a caregiver's time is held exactly while an order needs it."""
    live = [row for row in books.bookings if row["status"] != "released"]
    for caregiver, rows in by(live, "caregiver_id").items():
        for one, next_one in pairwise(sorted(rows, key=lambda row: row["begins_at"])):
            if next_one["begins_at"] < one["ends_at"]:
                yield f"caregiver {caregiver} is booked twice at {next_one['begins_at']}"
    held = by(live, "order_id")
    for order in books.orders:
        wanted = HOLDS.get(Status(order["status"]))
        if order["outcome"] == "not_done" and wanted:
            continue
        found = [row["status"] for row in held.get(order["id"], [])]
        if found != ([wanted] if wanted else []):
            yield f"order {order['id']} is {order['status']} and has bookings {found}"


def offers(books: Books, _told: Told) -> Iterator[str]:
    """At most one offer of an order lives, it is the order's own, and every offer has its decision."""
    found, chosen = by(books.offers, "order_id"), {row["id"]: row["provider_id"] for row in books.decisions}
    dispatched = Counter(row["order_id"] for row in books.history if row["after"] == Status.DISPATCHED != row["before"])
    for order in books.orders:
        own = found.get(order["id"], [])
        live = [(row["id"], row["provider_id"], row["status"]) for row in own if row["status"] in LIVE_OFFER]
        status = Status(order["status"])
        state = OfferStatus.OFFERED if status is Status.DISPATCHED else OfferStatus.ACCEPTED
        wanted = [(order["offer_id"], order["provider_id"], state)] if status in HOLDS else []
        if live != wanted:
            yield f"order {order['id']} is {status} by offer {order['offer_id']} and has offers {live}"
        if len(own) != dispatched[order["id"]]:
            yield f"order {order['id']} was dispatched {dispatched[order['id']]} times with {len(own)} offers"
    for row in books.offers:
        if chosen.get(row["decision_id"]) != row["provider_id"]:
            yield f"offer {row['id']} has no decision for its provider"


def feeds(books: Books, told: Told) -> Iterator[str]:
    """Every provider was told exactly what its orders' histories say, and has read exactly what it was told."""
    wanted = Counter(_tellings(books))
    kinds = {"offer.made", *(f"offer.{one.value}" for one in CLOSED_OFFER), *TOLD.values()}
    stored = Counter(
        (row["audience"], row["type"], row["order_id"], row["seq"]) for row in books.feed if row["type"] in kinds
    )
    yield from (f"{count} × {what} was not told" for what, count in (wanted - stored).items())
    yield from (f"{count} × {what} was told of something that is not so" for what, count in (stored - wanted).items())
    audiences = {audience: {row["id"] for row in rows} for audience, rows in by(books.feed, "audience").items()}
    for provider, read in told.fed.items():
        own = audiences.get(f"provider:{provider}", set())
        if len(read) != len(set(read)):
            yield f"provider {provider} was given entries twice"
        yield from (f"provider {provider} never read entry {entry}" for entry in (own & told.owed) - set(read))
        yield from (f"provider {provider} read entry {entry}, which is not there" for entry in set(read) - own)


def _tellings(books: Books) -> Iterator[tuple[str, str, str, int]]:
    """(audience, type, order, version) of every entry that the histories ask for."""
    provider_of = {row["id"]: row["provider_id"] for row in books.offers}
    for row in books.offers:
        if row["status"] in CLOSED_OFFER:
            yield f"provider:{row['provider_id']}", f"offer.{row['status']}", row["order_id"], 0
    for order_id, rows in by(books.history, "order_id").items():
        holder = None
        moves = sorted(rows, key=lambda row: row["seq"])
        for move, after_that in zip_longest(moves, moves[1:]):
            after = Status(move["after"])
            if move["before"] == move["after"] and after is not Status.ASSIGNED:
                continue  # a flag, or an end set right
            if after is Status.ACCEPTED and after_that is not None and after_that["written_by"] == move["written_by"]:
                continue  # the caregiver was named with the acceptance: the assignment tells both
            if after is Status.DISPATCHED:
                holder = provider_of.get(move["facts"]["offer"])
                yield f"provider:{holder}", "offer.made", order_id, move["seq"]
            elif holder is not None:
                yield f"provider:{holder}", TOLD[after], order_id, move["seq"]
                holder = None if after is Status.PLACED else holder
