"""The ledger: who owes and who is owed. Every movement names the account it debits and the one it credits,
so the whole is balanced by construction; nothing is ever changed, only added.

    issuing     payer → provider    what the payer owes for a line, without the holdback
                payer → holdback    what is kept back from it for the yearly assessment
                family → provider, provider → family
                                    the copay, paid at the door between the two of them
    adjusting   the same, in either direction
    paying      provider → bank     what is transferred

Arrows go from debit to credit. A balance is debits less credits: payers' balances are what they have been charged,
a provider's balance is minus what it still has to get.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.db import Tx
from app.core.ids import new_id
from app.settlement import queries_ledger
from app.settlement.calculation import CARRIED, FAMILY, HOLDBACK, PartAmounts

BANK = "bank"
PAYER_NAMES = {FAMILY: "家庭自付", "government": "政府购买"}


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of `amount_fen` > 0."""

    debit: str
    credit: str
    amount_fen: int
    reason: str


def payer_account(payer: str, scheme: str | None) -> str:
    return f"payer:{payer}:{scheme}" if scheme else f"payer:{payer}"


def provider_account(provider_id: UUID | str) -> str:
    return f"provider:{provider_id}"


def holdback_account(provider_id: UUID | str) -> str:
    return f"holdback:{provider_id}"


def postings(provider_id: UUID | str, kind: str, parts: Iterable[PartAmounts]) -> list[Posting]:
    """What a line moves when its statement is issued. Pure.

    A part that was carried forward moves nothing: it is on the provider's account already.
    """
    provider, held = provider_account(provider_id), holdback_account(provider_id)
    moved: dict[tuple[str, str, str], int] = defaultdict(int)

    def move(debit: str, credit: str, fen: int, reason: str) -> None:
        if fen < 0:
            debit, credit, fen = credit, debit, -fen
        moved[debit, credit, reason] += fen

    for part in parts:
        if part.payer == CARRIED:
            continue
        if part.payer == FAMILY:
            move(payer_account(FAMILY, None), provider, part.payable_fen, "copay")
            move(provider, payer_account(FAMILY, None), part.payable_fen, "copay")
            continue
        payer = held if part.payer == HOLDBACK else payer_account(part.payer, part.scheme)
        move(payer, provider, part.payable_fen - part.holdback_fen, kind)
        move(payer, held, part.holdback_fen, kind)
    return [Posting(*accounts[:2], fen, accounts[2]) for accounts, fen in moved.items() if fen]


async def post_lines(tx: Tx, statement: Any, lines: Sequence[Any], at: Any) -> None:
    """Write what all lines of a statement move, opening the accounts that are new."""
    provider_id = statement["provider_id"]
    entries = []
    payers: set[tuple[str, str | None]] = set()
    for row in lines:
        parts = [PartAmounts(**part) for part in row["parts"]]
        payers |= {(p.payer, p.scheme) for p in parts if p.payer not in (CARRIED, HOLDBACK)}
        for p in postings(provider_id, row["kind"], parts):
            entries.append((new_id(), p.debit, p.credit, p.amount_fen, row["id"], p.reason))
    await _open_accounts(tx, statement, payers)
    await queries_ledger.post(tx, statement["id"], at, entries)


async def post_payment(tx: Tx, statement: Any, paid_fen: int, at: Any) -> None:
    """The transfer to the provider's bank account; nothing for zero."""
    if paid_fen:
        await _open_accounts(tx, statement, set())
        entry = (new_id(), provider_account(statement["provider_id"]), BANK, paid_fen, None, "payment")
        await queries_ledger.post(tx, statement["id"], at, [entry])


async def _open_accounts(tx: Tx, statement: Any, payers: set[tuple[str, str | None]]) -> None:
    schemes = await queries_ledger.schemes(tx, {scheme for _, scheme in payers if scheme})
    provider_id, name = statement["provider_id"], statement["provider_name"]
    accounts = [
        (BANK, "银行存款", "bank"),
        (provider_account(provider_id), f"应付 {name}", "provider"),
        (holdback_account(provider_id), f"质保金 {name}", "holdback"),
    ]
    for payer, scheme in payers:
        title = PAYER_NAMES.get(payer, payer)
        described = f"{title}：{schemes[scheme]['name']}" if scheme in schemes else title
        accounts.append((payer_account(payer, scheme), described, "payer"))
    await queries_ledger.open_accounts(tx, accounts)
