"""Rules about money: quotas, statements, the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from app.orders.lifecycle import Status
from tests.chaos.books import Books, Told, by

ISSUED = frozenset({"issued", "confirmed", "disputed", "reviewed", "approved", "paid"})


def quotas(books: Books, _told: Told) -> Iterator[str]:
    """What is reserved is what open orders count on; what is consumed is on statements."""
    moved = {(row["order_id"], row["kind"]): row["amount_fen"] for row in books.movements}
    settled = {row["order_id"] for row in books.lines if row["statement_status"] in ISSUED}
    for order in books.orders:
        part = sum(one["amount_fen"] for one in order["payers"] if one["scheme"])
        if moved.get((order["id"], "reserve"), 0) != part:
            yield f"order {order['id']} counts on {part} fen and reserved {moved.get((order['id'], 'reserve'), 0)}"
        over = order["status"] == Status.CANCELLED or (order["status"], order["outcome"]) == (Status.CLOSED, "not_done")
        for kind, closed in (("release", over), ("consume", order["id"] in settled)):
            if part and ((order["id"], kind) in moved) != closed:
                yield f"order {order['id']} is {order['status']}; its reservation knows {'no ' * closed}{kind}"
    reserved: Counter[Any] = Counter()
    consumed: Counter[Any] = Counter()
    for row in books.movements:
        month = row["entitlement_id"], row["month"]
        closed = {"release", "consume"} & {kind for kind in ("release", "consume") if (row["order_id"], kind) in moved}
        reserved[month] += row["amount_fen"] if row["kind"] == "reserve" and not closed else 0
        consumed[month] += row["amount_fen"] if row["kind"] == "consume" else 0
    for row in books.quotas:
        month = row["entitlement_id"], row["month"]
        says, orders_say = (row["reserved_fen"], row["consumed_fen"]), (reserved[month], consumed[month])
        if says != orders_say:
            yield f"quota {month} has {says} fen reserved and consumed, its orders have {orders_say}"
        if row["reserved_fen"] + row["consumed_fen"] > row["granted_fen"]:
            yield f"quota {month} is overdrawn"
    for month in reserved.keys() - {(row["entitlement_id"], row["month"]) for row in books.quotas}:
        yield f"quota {month} is not there"


def ledger(books: Books, _told: Told) -> Iterator[str]:
    """An issued statement has moved exactly what it says is due, any other nothing; families owe nothing here.

    That all accounts together are zero needs no rule: every transfer names both of its accounts.
    """
    moved = by(books.transfers, "statement_id")
    for row in books.statements:
        balance: Counter[str] = Counter()
        for move in moved.get(row["id"], []):
            balance[move["credit_account"]] += move["amount_fen"]
            balance[move["debit_account"]] -= move["amount_fen"]
        due, wanted = balance[f"provider:{row['provider_id']}"], row["due_fen"] if row["status"] in ISSUED else 0
        if due != wanted:
            yield f"statement {row['id']} is {row['status']} over {row['due_fen']} fen, the ledger has {due}"
        if balance["payer:family"]:
            yield f"statement {row['id']} leaves {balance['payer:family']} fen between the family and the provider"
    for statement in moved.keys() - {row["id"] for row in books.statements}:
        yield f"the ledger moves money for statement {statement}, which is not there"


def statements(books: Books, _told: Told) -> Iterator[str]:
    """A statement is its lines, and an order is on one line."""
    live = [row for row in books.lines if not row["void"]]
    lines = by(live, "statement_id")
    for row in books.statements:
        due = sum(line["due_fen"] for line in lines.get(row["id"], []))
        if (len(lines.get(row["id"], [])), due) != (row["lines"], row["due_fen"]) and row["status"] != "void":
            yield f"statement {row['id']} says {row['lines']} lines, {row['due_fen']} fen; there are {due} fen"
    for order_id, found in by(live, "order_id").items():
        if len(found) > 1:
            yield f"order {order_id} is on {len(found)} lines"
