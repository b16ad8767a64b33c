"""The oracle says nothing about sound books, and names the rule that a planted breach breaks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.chaos import oracle
from tests.chaos.books import Books, Row, Told

NOON = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)
MARCH = date(2026, 3, 1)
PLACED, DONE = "placed-and-offered", "done-and-settled"
PROVIDER = "p1"


def move(order: str, seq: int, before: str | None, after: str, **facts: str) -> Row:
    return {"order_id": order, "seq": seq, "before": before, "after": after, "facts": facts or None,
            "written_by": str(seq)}  # fmt: skip


def clock_of(order: str, name: str, met: bool = True) -> Row:
    return {"order_id": order, "name": name, "met_at": NOON if met else None}


def order(name: str, status: str, version: int, **more: Any) -> Row:
    payers = [{"scheme": "gov", "amount_fen": 480}, {"scheme": None, "amount_fen": 120}]
    made = {"id": name, "status": status, "outcome": None, "requester_name": f"key of {name}", "payers": payers,
            "provider_id": PROVIDER, "care_request_id": f"r-{name}", "offer_id": f"o-{name}"}  # fmt: skip
    return made | {"version": version} | more


def sound() -> tuple[Books, Told]:
    """Two orders of one elder: one was refused once and is offered again, one has gone all the way."""
    waiting = [
        move(PLACED, 1, None, "placed"), move(PLACED, 2, "placed", "dispatched", offer="o-refused"),
        move(PLACED, 3, "dispatched", "placed"), move(PLACED, 4, "placed", "dispatched", offer=f"o-{PLACED}"),
    ]  # fmt: skip
    way = ["placed", "dispatched", "accepted", "assigned", "in_service", "completed", "closed"]
    whole = [move(DONE, 1, None, "placed"), move(DONE, 2, "placed", "dispatched", offer=f"o-{DONE}")]
    whole += [move(DONE, seq, way[seq - 2], way[seq - 1]) for seq in range(3, 8)]
    offer = {"order_id": PLACED, "provider_id": PROVIDER, "decision_id": "d1"}
    told = [("offer.made", PLACED, 4), ("order.released", PLACED, 3), ("offer.refused", PLACED, 0),
            ("offer.made", DONE, 2), *((f"order.{way[seq - 1]}", DONE, seq) for seq in range(3, 8))]  # fmt: skip
    feed = [{"audience": f"provider:{PROVIDER}", "type": kind, "order_id": of, "seq": seq} for kind, of, seq in told]
    feed.append({"audience": "provider:p2", "type": "offer.made", "order_id": PLACED, "seq": 2})
    for entry in feed[1:3]:
        entry["audience"] = "provider:p2"
    money = {"entitlement_id": "e", "month": MARCH}
    books = Books(
        orders=[order(PLACED, "dispatched", 4), order(DONE, "closed", 9, outcome="done")],
        requests=[{"id": f"r-{name}", "order_id": name} for name in (PLACED, DONE)] + [{"id": "r", "order_id": None}],
        history=waiting + whole,
        deadlines=[clock_of(PLACED, name, name == "dispatch") for name in ("dispatch", "arrive", "accept")]
        + [clock_of(DONE, name) for name in ("dispatch", "arrive", "accept", "designate", "follow_up")],
        offers=[offer | {"id": f"o-{PLACED}", "status": "offered"},
                offer | {"id": "o-refused", "status": "refused", "provider_id": "p2", "decision_id": "d2"},
                offer | {"id": f"o-{DONE}", "status": "accepted", "order_id": DONE}],
        decisions=[{"id": "d1", "provider_id": PROVIDER}, {"id": "d2", "provider_id": "p2"}],
        bookings=[
            {"caregiver_id": "c", "order_id": name, "status": status, "begins_at": NOON + timedelta(hours=hour),
             "ends_at": NOON + timedelta(hours=hour + 1)}
            for name, status, hour in ((PLACED, "held", 0), (PLACED, "released", 0), (DONE, "booked", 1))
        ],
        quotas=[money | {"granted_fen": 2_000, "reserved_fen": 480, "consumed_fen": 480}],
        movements=[money | {"order_id": of, "kind": kind, "amount_fen": 480}
                   for of, kind in ((PLACED, "reserve"), (DONE, "reserve"), (DONE, "consume"))],
        events=[{"provider_id": PROVIDER, "event_id": "e1", "order_id": DONE}],
        feed=[entry | {"id": number} for number, entry in enumerate(feed)],
        statements=[{"id": "s", "provider_id": PROVIDER, "status": "issued", "lines": 1, "due_fen": 480}],
        lines=[{"statement_id": "s", "order_id": DONE, "void": False, "due_fen": 480, "statement_status": "issued"}],
        transfers=[
            {"debit_account": debit, "credit_account": credit, "amount_fen": fen, "statement_id": "s"}
            for debit, credit, fen in (("payer:government:gov", f"provider:{PROVIDER}", 480),
                                       ("payer:family", f"provider:{PROVIDER}", 120),
                                       (f"provider:{PROVIDER}", "payer:family", 120))
        ],
        ratings=[{"order_id": DONE}],
    )  # fmt: skip
    promised = Told(
        attempted={f"key of {PLACED}", f"key of {DONE}", "key without an answer"},
        placed={f"key of {PLACED}": PLACED, f"key of {DONE}": DONE},
        accepted={f"o-{DONE}": DONE}, events={(PROVIDER, "e1")}, ended={DONE}, rated={DONE}, issued={"s"},
        fed={PROVIDER: [0, *range(3, 9)], "p2": [9, 1, 2]},
        owed=set(range(10)),
    )  # fmt: skip
    return books, promised


def test_sound_books_have_no_breaches() -> None:
    assert oracle.breaches(*sound()) == []


def drop(rows: list[Row], **where: Any) -> None:
    kept = [row for row in rows if any(row[name] != value for name, value in where.items())]
    assert len(kept) < len(rows)
    rows[:] = kept


def change(rows: list[Row], changes: dict[str, Any], **where: Any) -> None:
    found = [row for row in rows if all(row[name] == value for name, value in where.items())]
    assert found
    for row in found:
        row.update(changes)


Breach = Callable[[Books, Told], object]
PLANTED: dict[str, list[Breach]] = {
    "odd_answers": [lambda _, told: told.odd.append("POST /v1/orders: 500")],
    "lost": [
        lambda books, _: drop(books.orders, id=PLACED),
        lambda _, told: told.cancelled.add(PLACED),
        lambda _, told: told.accepted.update({"o-refused": PLACED}),
        lambda books, _: change(books.offers, {"status": "expired"}, id=f"o-{DONE}"),
        lambda books, _: books.events.clear(),
        lambda _, told: told.ended.add(PLACED),
        lambda books, _: books.ratings.clear(),
        lambda books, _: change(books.statements, {"status": "draft"}, id="s"),
    ],
    "invented": [lambda _, told: told.attempted.discard(f"key of {DONE}")],
    "once": [
        lambda books, _: books.orders.append(order("twin", "placed", 1, requester_name=f"key of {PLACED}")),
        lambda _, told: told.placed.update({f"key of {PLACED}": "another"}),
        lambda books, _: drop(books.requests, order_id=PLACED),
        lambda books, _: change(books.requests, {"id": "another"}, order_id=PLACED),
    ],
    "half_written": [
        lambda books, _: drop(books.history, order_id=PLACED),
        lambda books, _: drop(books.deadlines, order_id=PLACED),
        lambda books, _: drop(books.deadlines, order_id=PLACED, name="accept"),
        lambda books, _: change(books.deadlines, {"met_at": None}, order_id=PLACED, name="dispatch"),
        lambda books, _: drop(books.orders, id=PLACED),
        lambda books, _: setattr(books, "unanswered_keys", 1),
    ],
    "histories": [
        lambda books, _: drop(books.history, order_id=DONE, seq=4),
        lambda books, _: drop(books.history, order_id=DONE, seq=1),
        lambda books, _: drop(books.history, order_id=DONE, seq=7),
        lambda books, _: change(books.orders, {"status": "accepted"}, id=PLACED),
        lambda books, _: change(books.orders, {"version": 3}, id=PLACED),
        lambda books, _: books.history.append(move(PLACED, 5, "dispatched", "completed")),
    ],
    "double_booked": [
        lambda books, _: change(books.bookings, {"begins_at": NOON + timedelta(minutes=59)}, order_id=DONE),
        lambda books, _: change(books.bookings, {"status": "booked"}, order_id=PLACED, status="released"),
        lambda books, _: drop(books.bookings, order_id=DONE),
        lambda books, _: change(books.bookings, {"status": "held"}, order_id=DONE),
    ],
    "offers": [
        lambda books, _: change(books.offers, {"status": "accepted"}, id=f"o-{PLACED}"),
        lambda books, _: change(books.offers, {"status": "offered"}, id="o-refused"),
        lambda books, _: drop(books.offers, id="o-refused"),
        lambda books, _: change(books.orders, {"offer_id": "o-refused"}, id=PLACED),
        lambda books, _: change(books.orders, {"provider_id": "p2"}, id=PLACED),
        lambda books, _: drop(books.decisions, id="d2"),
    ],
    "quotas": [
        lambda books, _: change(books.quotas, {"reserved_fen": 960}, month=MARCH),
        lambda books, _: change(books.quotas, {"consumed_fen": 0}, month=MARCH),
        lambda books, _: change(books.quotas, {"granted_fen": 959}, month=MARCH),
        lambda books, _: books.quotas.clear(),
        lambda books, _: drop(books.movements, order_id=PLACED),
        lambda books, _: drop(books.movements, order_id=DONE, kind="consume"),
        lambda books, _: books.movements.append(books.movements[0] | {"kind": "release"}),
    ],
    "ledger": [
        lambda books, _: books.transfers.clear(),
        lambda books, _: drop(books.transfers, debit_account="payer:family"),
        lambda books, _: change(books.transfers, {"statement_id": "nothing"}, statement_id="s"),
    ],
    "statements": [
        lambda books, _: books.lines.clear(),
        lambda books, _: change(books.statements, {"lines": 2}, id="s"),
        lambda books, _: change(books.lines, {"due_fen": 1}, statement_id="s"),
        lambda books, _: books.lines.append(dict(books.lines[0])),
    ],
    "feeds": [
        lambda books, _: drop(books.feed, id=0),
        lambda books, _: change(books.history, {"written_by": "4"}, order_id=DONE, after="accepted"),
        lambda books, _: books.feed.append(dict(books.feed[0])),
        lambda books, _: change(books.feed, {"seq": 5}, id=0),
        lambda books, _: change(books.feed, {"audience": "provider:p2"}, id=0),
        lambda _, told: told.fed[PROVIDER].remove(0),
        lambda _, told: told.fed[PROVIDER].append(0),
        lambda _, told: told.fed[PROVIDER].append(77),
    ],
    "jobs": [
        lambda books, _: books.dead_jobs.append({"id": 1, "entrypoint": "tell", "status": "failed", "attempts": 1})
    ],
}


@pytest.mark.parametrize(
    ("rule", "breach"), [(rule, breach) for rule, planted in PLANTED.items() for breach in planted]
)
def test_a_planted_breach_is_named(rule: str, breach: Breach) -> None:
    books, told = sound()
    breach(books, told)
    assert rule in {found.split(":")[0] for found in oracle.breaches(books, told)}


def test_every_rule_has_been_seen_to_fail() -> None:
    assert set(PLANTED) == {rule.__name__ for rule in oracle.RULES}
