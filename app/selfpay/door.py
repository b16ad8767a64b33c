"""WeChat Pay's door: verify, store, answer.

In this order, and nothing is read before the one before holds: the headers are there, the serial number is on our
list, the time is now, the signature is of these bytes, the resource opens, it is about this merchant. Until then
neither the database is written nor anybody asked. WeChat wants its answer within five seconds and in its own words:
200 and SUCCESS when the notice is on record, else FAIL and it comes again.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import Response

from app.core import clock, log
from app.core.db import Database
from app.core.errors import Error, Invalid, NotFound, Unauthorized, Unavailable
from app.core.http import DatabaseDep, Router, allow
from app.core.sqlstate import as_unavailable, is_retryable, sqlstate_of
from app.selfpay import merchants, notices, receiving, signatures
from app.selfpay.notices import SUCCESS, Malformed
from app.selfpay.receiving import Notice

router = Router(tags=["payments"])

STATUS: tuple[tuple[type[Error], int], ...] = ((Unauthorized, 401), (NotFound, 404), (Unavailable, 503), (Error, 400))
_UNIQUE = "23505"
_log = log.get("selfpay")

FAILURES: dict[int | str, dict[str, Any]] = {
    401: {"description": "The notice could not be verified"},
    400: {"description": "It was verified and cannot be meant for us"},
}
EXAMPLE = {
    "id": "EV-2018022511223320873",
    "create_time": "2026-11-22T18:00:00+08:00",
    "resource_type": "encrypt-resource",
    "event_type": SUCCESS,
    "resource": {
        "algorithm": notices.ALGORITHM,
        "ciphertext": "…",
        "nonce": "fdasflkja484",
        "associated_data": "transaction",
        "original_type": "transaction",
    },
}
NOTICE = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "examples": [EXAMPLE]}}},
    },
    "parameters": [
        {"name": f"Wechatpay-{name}", "in": "header", "required": True, "schema": {"type": "string"}}
        for name in ("Serial", "Timestamp", "Nonce", "Signature")
    ],
}


@router.post(
    "/channels/wechatpay/{merchant}",
    response_class=Response,
    responses=FAILURES,
    summary="A notice of WeChat Pay: a payment came in",
    openapi_extra=NOTICE,
)
@allow("channels.wechatpay", keyed=False, own_transaction=True, raw=True)
async def receive_notice(request: Request, database: DatabaseDep, merchant: str) -> Response:
    try:
        await _receive(database, merchant, request.scope["headers"], await request.body())
    except Error as failure:
        status = next(number for kind, number in STATUS if isinstance(failure, kind))
        if not isinstance(failure, Unauthorized | NotFound):  # anybody may knock; that WeChat was refused is news
            _log.warning("wechatpay_notice_refused", reason=failure.code)
        return _answer(status, "FAIL", failure.code)
    except Exception as failure:
        # Somebody was first, or the database is away: WeChat comes again, and then it is on record or not.
        passing = is_retryable(failure) or sqlstate_of(failure) == _UNIQUE or as_unavailable(failure) is not None
        if not passing:
            raise
        return _answer(503, "FAIL", "again")
    return _answer(200, "SUCCESS", "成功")


async def _receive(database: Database, name: str, headers: signatures.Headers, body: bytes) -> None:
    proof = signatures.proof_of(headers)
    merchant = await merchants.named(database, name)
    signatures.verify(merchant, proof, body, now=clock.now())
    try:
        envelope = notices.envelope(body)
        resource = signatures.open_resource(merchant, envelope)
        said = notices.transaction(resource) if envelope.event == SUCCESS else None
    except Malformed as broken:
        raise Invalid("notice_malformed", str(broken)) from None
    if said is not None:
        receiving.check_merchant(merchant, said)
    async with database.transaction() as tx:
        await receiving.take(tx, merchant, Notice(proof, body, envelope, resource), said)


def _answer(status: int, code: str, message: str) -> Response:
    return Response(orjson.dumps({"code": code, "message": message}), status, media_type="application/json")
