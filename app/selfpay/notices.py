"""What WeChat Pay says, read from bytes that were verified before. Pure.

A notice is an envelope around a sealed resource; opened, the resource of `TRANSACTION.SUCCESS` is the same
transaction that the query interface answers with (pay.weixin.qq.com, "Payment notification" and "Query an order").
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

SUCCESS = "TRANSACTION.SUCCESS"
ALGORITHM = "AEAD_AES_256_GCM"
CURRENCY = "CNY"
MOST_FEN = 10**12

_NOTICE_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_EVENT = re.compile(r"[A-Z0-9._]{1,64}")
_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{1,32}")
_STATE = re.compile(r"[A-Z_]{1,32}")
_PARTY = re.compile(r"[0-9A-Za-z_-]{1,64}")


class Malformed(ValueError):
    """It cannot be meant; the text names a field and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A notice before its resource is opened."""

    id: str
    event: str
    nonce: bytes
    associated: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """One payment as WeChat sees it. `paid_at` only when the money has moved."""

    mchid: str
    appid: str
    out_trade_no: str
    state: str
    transaction_id: str | None
    amount_fen: int | None
    currency: str
    paid_at: datetime | None


def envelope(body: bytes) -> Envelope:
    """Raises Malformed."""
    given = _object(body)
    resource = _inner(given, "resource")
    if resource.get("algorithm") != ALGORITHM:
        raise Malformed("algorithm")
    nonce, associated = resource.get("nonce"), resource.get("associated_data")
    if not isinstance(nonce, str) or len(nonce.encode()) != 12 or not isinstance(associated, str | None):
        raise Malformed("nonce")
    try:
        sealed = base64.b64decode(_text(resource, "ciphertext"), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("ciphertext") from None
    return Envelope(
        _fitting(given, "id", _NOTICE_ID),
        _fitting(given, "event_type", _EVENT),
        nonce.encode(),
        (associated or "").encode(),
        sealed,
    )


def transaction(plain: bytes) -> Transaction:
    """Raises Malformed. An unpaid transaction may lack its id, its amount and its time."""
    given = _object(plain)
    paid_at, amount_fen, currency = None, None, CURRENCY
    if given.get("success_time"):
        try:
            paid_at = datetime.fromisoformat(_text(given, "success_time"))
        except ValueError:
            raise Malformed("success_time") from None
        if paid_at.tzinfo is None or not 2000 <= paid_at.year < 2100:
            raise Malformed("success_time")
    if given.get("amount") is not None:
        amount = _inner(given, "amount")
        amount_fen, currency = amount.get("total"), amount.get("currency", CURRENCY)
        if type(amount_fen) is not int or not 0 <= amount_fen <= MOST_FEN or not isinstance(currency, str):
            raise Malformed("amount")
    return Transaction(
        _fitting(given, "mchid", _PARTY),
        _fitting(given, "appid", _PARTY),
        _fitting(given, "out_trade_no", _TRADE_NO),
        _fitting(given, "trade_state", _STATE),
        _fitting(given, "transaction_id", _TRADE_NO) if given.get("transaction_id") else None,
        amount_fen,
        currency,
        paid_at,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("json") from None
    if not isinstance(given, dict):
        raise Malformed("json")
    return given


def _inner(given: dict[str, Any], name: str) -> dict[str, Any]:
    found = given.get(name)
    if not isinstance(found, dict):
        raise Malformed(name)
    return found


def _text(given: dict[str, Any], name: str) -> str:
    found = given.get(name)
    if not isinstance(found, str):
        raise Malformed(name)
    return found


def _fitting(given: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    found = _text(given, name)
    if not pattern.fullmatch(found):
        raise Malformed(name)
    return found
