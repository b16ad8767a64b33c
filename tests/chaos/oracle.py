"""What must be true whatever was killed whenever. Pure: rows and promises in, breaches out.

Two kinds of questions: is everything that was promised there, and does everything that is there agree with itself.
The second kind is answered from the trade's own tables of moves, never from the code that writes the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from app.dispatch.offers import OfferStatus
from app.orders.deadlines import STARTS_AT
from app.orders.lifecycle import MEETS, MOVES, Status
from tests.chaos.books import Books, Told, by
from tests.chaos.rules_of_dispatch import double_booked, feeds, offers
from tests.chaos.rules_of_money import ISSUED, ledger, quotas, statements


def breaches(books: Books, told: Told) -> list[str]:
    """Everything that is wrong, as sentences that begin with the name of the rule."""
    return [f"{rule.__name__}: {what}" for rule in RULES for what in rule(books, told)]


def odd_answers(_books: Books, told: Told) -> Iterator[str]:
    """Nobody gets an answer the contract does not know; nobody waits for ever."""
    yield from told.odd


def lost(books: Books, told: Told) -> Iterator[str]:
    """Whatever was promised is there."""
    orders = {row["id"]: row for row in books.orders}
    for key, order_id in told.placed.items():
        if order_id not in orders:
            yield f"order {order_id} was acknowledged under {key} and is not there"
    offers = {row["id"]: row["status"] for row in books.offers}
    for offer, order_id in told.accepted.items():
        if offers.get(offer) not in {OfferStatus.ACCEPTED, OfferStatus.WITHDRAWN}:
            yield f"the acceptance of offer {offer} of order {order_id} was acknowledged; it is {offers.get(offer)}"
    for order_id in told.cancelled:
        if order_id in orders and orders[order_id]["status"] != Status.CANCELLED:
            yield f"the cancellation of order {order_id} was acknowledged; it is {orders[order_id]['status']}"
    events = {(row["provider_id"], row["event_id"]) for row in books.events}
    yield from (f"event {event} was acknowledged and is not there" for event in told.events - events)
    for order_id in told.ended:
        if order_id in orders and orders[order_id]["status"] not in {Status.COMPLETED, Status.CLOSED}:
            yield f"the visit of order {order_id} was reported to its end; the order is {orders[order_id]['status']}"
    rated = {row["order_id"] for row in books.ratings}
    yield from (f"the rating of order {order_id} was acknowledged and is not there" for order_id in told.rated - rated)
    issued = {row["id"] for row in books.statements if row["status"] in ISSUED}
    yield from (f"statement {one} was issued by acknowledgement only" for one in told.issued - issued)


def invented(books: Books, told: Told) -> Iterator[str]:
    """Nothing is there that nobody attempted."""
    for row in books.orders:
        if row["requester_name"] not in told.attempted:
            yield f"nobody asked for order {row['id']} ({row['requester_name']})"


def once(books: Books, told: Told) -> Iterator[str]:
    """One key, one order, one request."""
    for key, rows in by(books.orders, "requester_name").items():
        if len(rows) > 1:
            yield f"{len(rows)} orders under the one key {key}"
        if key in told.placed and told.placed[key] not in {row["id"] for row in rows}:
            yield f"key {key} was answered with order {told.placed[key]}, stored is {rows[0]['id']}"
    asked = {row["order_id"]: row["id"] for row in books.requests if row["order_id"]}
    orders = {row["id"]: row["care_request_id"] for row in books.orders}
    for order_id in asked.keys() ^ orders.keys():
        yield f"order {order_id} and its request do not know each other"
    yield from (f"order {o} belongs to another request" for o in asked.keys() & orders.keys() if asked[o] != orders[o])


def half_written(books: Books, _told: Told) -> Iterator[str]:
    """An order comes with its history and its clocks, a key with its answer."""
    history, deadlines = by(books.history, "order_id"), by(books.deadlines, "order_id")
    for row in books.orders:
        moves = history.get(row["id"], [])
        if not moves:
            yield f"order {row['id']} has no history"
        clocks = {one["name"]: one["met_at"] for one in deadlines.get(row["id"], [])}
        for name in {name for move in moves for name in STARTS_AT.get(Status(move["after"]), ())} - clocks.keys():
            yield f"order {row['id']} has no clock for {name}"
        met = MEETS.get(Status(row["status"]))
        if met is not None and met in clocks and clocks[met] is None:
            yield f"order {row['id']} is {row['status']} and its clock for {met} still runs"
    orders = {row["id"] for row in books.orders}
    for name, found in (("history", history), ("clocks", deadlines)):
        yield from (f"{name} of order {order_id}, which is not there" for order_id in found.keys() - orders)
    if books.unanswered_keys:
        yield f"{books.unanswered_keys} keys are taken and have no answer"


def histories(books: Books, _told: Told) -> Iterator[str]:
    """Every history is a path of the table of moves, and replaying it gives the present status."""
    found = by(books.history, "order_id")
    for order in books.orders:
        moves = sorted(found.get(order["id"], []), key=lambda row: row["seq"])
        if not moves:
            continue
        if (moves[0]["before"], moves[0]["after"]) != (None, Status.PLACED):
            yield f"order {order['id']} begins as {moves[0]['before']} → {moves[0]['after']}"
        for before, move in pairwise(moves):
            if move["before"] != before["after"]:
                yield f"order {order['id']} jumps from {before['after']} to {move['before']}"
            elif move["after"] not in MOVES[Status(move["before"])] and move["after"] != move["before"]:
                yield f"order {order['id']} went {move['before']} → {move['after']}"
        if moves[-1]["after"] != order["status"]:
            yield f"order {order['id']} is {order['status']}, its history says {moves[-1]['after']}"
        if moves[-1]["seq"] > order["version"]:
            yield f"order {order['id']} has version {order['version']}, its history is at {moves[-1]['seq']}"


def jobs(books: Books, _told: Told) -> Iterator[str]:
    """No job was given up because somebody died."""
    for row in books.dead_jobs:
        yield f"job {row['id']}, {row['entrypoint']}, is {row['status']} after {row['attempts']} attempts"


RULES: tuple[Callable[[Books, Told], Iterator[str]], ...] = (
    odd_answers, lost, invented, once, half_written, histories, double_booked, offers, quotas, ledger, statements,
    feeds, jobs,
)  # fmt: skip
