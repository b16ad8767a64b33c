"""Speaking to WeChat Pay's servers: every request signed by us, every answer by them; an answer whose signature does
not hold is none, whatever it says.

What went wrong is one of three things: `Refused` (WeChat said no), `NotReached` (nobody heard us), `Unknown` (nobody
knows). After each of them the same may be asked again: our number of the payment makes it one.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import orjson

from app.core import clock
from app.selfpay import notices, signatures
from app.selfpay.lifecycle import Way
from app.selfpay.notices import Malformed, Transaction
from app.selfpay.signatures import Forged, Merchant

TIMEOUT = httpx.Timeout(5.0)
MOST_BYTES = 64 * 1024
GONE = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
_NUMBER = "/v3/pay/transactions/out-trade-no/"

logging.getLogger("httpx").setLevel(logging.WARNING)


class Refused(Exception):
    """WeChat said no. `code` is its code; its words are not kept, they may quote what we sent."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotReached(Exception):
    """Nobody heard us: nothing was sent."""


class Unknown(Exception):
    """The answer did not come, or cannot be believed: nobody knows."""


class WechatPayApi:
    """One client per process. `url` is the service's base, so that tests may stand in for it."""

    def __init__(self, url: str, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, timeout=timeout, limits=httpx.Limits(max_connections=8), follow_redirects=False
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def prepay(self, merchant: Merchant, way: Way, asked: dict[str, Any]) -> str:
        """The prepay id for a page, or the address to show as a code. Raises Refused, NotReached or Unknown."""
        status, body = await self._asked(merchant, "POST", f"/v3/pay/transactions/{way}", orjson.dumps(asked))
        given = _understood(status, body)
        found = given.get("prepay_id" if way is Way.JSAPI else "code_url")
        if not isinstance(found, str) or not 1 <= len(found) <= 512 or not found.isprintable():
            raise Unknown("prepay")
        return found

    async def query(self, merchant: Merchant, out_trade_no: str) -> Transaction | None:
        """How a payment stands; None when WeChat knows of none. Raises Refused, NotReached or Unknown."""
        target = f"{_NUMBER}{quote(out_trade_no, safe='')}?{urlencode({'mchid': merchant.mchid})}"
        try:
            status, body = await self._asked(merchant, "GET", target, b"")
            _understood(status, body)
            said = notices.transaction(body)
        except Refused as refusal:
            if refusal.code in GONE:
                return None
            raise
        except Malformed as broken:
            raise Unknown(str(broken)) from None
        if (said.mchid, said.appid, said.out_trade_no) != (merchant.mchid, merchant.appid, out_trade_no):
            raise Unknown("another_payment")
        return said

    async def close_payment(self, merchant: Merchant, out_trade_no: str) -> None:
        """Take no money for it any more. Raises Refused, NotReached or Unknown."""
        target = f"{_NUMBER}{quote(out_trade_no, safe='')}/close"
        status, body = await self._asked(merchant, "POST", target, orjson.dumps({"mchid": merchant.mchid}))
        if status != httpx.codes.NO_CONTENT:
            _understood(status, body)

    async def _asked(self, merchant: Merchant, method: str, target: str, content: bytes) -> tuple[int, bytes]:
        headers = {
            "authorization": signatures.authorization(merchant, method, target, content, now=clock.now()),
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": "nuanxian",
        }
        try:
            async with self._http.stream(method, target, content=content, headers=headers) as answer:
                given = bytearray()
                async for piece in answer.aiter_bytes():
                    given += piece
                    if len(given) > MOST_BYTES:
                        raise Unknown("too_long")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise NotReached("no_connection") from None
        except httpx.HTTPError as failure:
            raise Unknown(type(failure).__name__) from None
        try:
            signatures.verify(merchant, signatures.proof_of(answer.headers.raw), bytes(given), now=clock.now())
        except Forged as forged:
            raise Unknown(f"http_{answer.status_code}_{forged.reason}") from None
        return answer.status_code, bytes(given)


def _understood(status: int, body: bytes) -> dict[str, Any]:
    """Raises Refused for a no, Unknown for what is neither yes nor no."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict) or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Unknown(f"http_{status}")
    if status >= httpx.codes.BAD_REQUEST:
        code = given.get("code")
        raise Refused(code[:64] if isinstance(code, str) else f"http_{status}")
    if status != httpx.codes.OK:
        raise Unknown(f"http_{status}")
    return given
