"""Speaking to WeChat's servers: JSON over HTTPS, where success is `errcode` 0 or none, whatever the HTTP status says.

What went wrong is one of three things, and the difference is whether something may have happened: `Failed` (WeChat
said no, nothing happened), `NotReached` (nobody heard us), `Unknown` (nobody knows).
"""

from __future__ import annotations

import logging
from typing import Any

import httpx
import orjson

TIMEOUT = httpx.Timeout(4.0)
MOST_BYTES = 256 * 1024

# The library writes every address it asks into the log, and tokens stand in ours.
logging.getLogger("httpx").setLevel(logging.WARNING)

BUSY = frozenset({-1, 45009, 45011, 45047, 50002})
"""Try later: the system is busy, or we asked too often (per day, per minute, per user, a frozen interface)."""
WORN_TOKEN = frozenset({40001, 40014, 41001, 42001})
"""The access token is invalid, missing or expired."""


class Failed(Exception):
    """WeChat refused. `code` is its errcode; its words are not kept, they may quote what we sent."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class NotReached(Exception):
    """Nobody heard us: nothing was sent."""


class Unknown(Exception):
    """The answer did not come, or makes no sense: nobody knows."""


class WeChatApi:
    """One client per process. `url` is the service's base, so that tests may stand in for it."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, timeout=TIMEOUT, limits=httpx.Limits(max_connections=8), follow_redirects=False
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def stable_token(self, appid: str, secret: str, *, force: bool = False) -> tuple[str, int]:
        """The access token and the seconds it is good for. Asking again gives the same one, unless forced."""
        body = {"grant_type": "client_credential", "appid": appid, "secret": secret, "force_refresh": force}
        answer = await self._asked("POST", "/cgi-bin/stable_token", body=body)
        token, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lasts, int) or lasts <= 0:
            raise Unknown("stable_token")
        return token, lasts

    async def post(self, path: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
        """Any interface that takes the access token and JSON."""
        return await self._asked("POST", path, params={"access_token": token}, body=body)

    async def openid_by_mini_program(self, appid: str, secret: str, code: str) -> str:
        """The openid of whom a mini-program signs in. The session key that comes with it goes no further."""
        asked = {"appid": appid, "secret": secret, "js_code": code, "grant_type": "authorization_code"}
        return _openid(await self._asked("GET", "/sns/jscode2session", params=asked))

    async def openid_by_page(self, appid: str, secret: str, code: str) -> str:
        """The openid of whom a page in WeChat signs in (OAuth 2, `snsapi_base`)."""
        asked = {"appid": appid, "secret": secret, "code": code, "grant_type": "authorization_code"}
        return _openid(await self._asked("GET", "/sns/oauth2/access_token", params=asked))

    async def _asked(
        self, method: str, path: str, *, params: dict[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        content = None if body is None else orjson.dumps(body)
        headers = {} if body is None else {"content-type": "application/json"}
        try:
            async with self._http.stream(method, path, params=params, content=content, headers=headers) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise Unknown(f"http_{answer.status_code}")
                given = bytearray()
                async for piece in answer.aiter_bytes():
                    given += piece
                    if len(given) > MOST_BYTES:
                        raise Unknown("too_long")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise NotReached("no_connection") from None
        except httpx.HTTPError as failure:
            raise Unknown(type(failure).__name__) from None
        return _understood(bytes(given))


def _understood(given: bytes) -> dict[str, Any]:
    """Raises Failed or Unknown. Some interfaces write the errcode as a string."""
    try:
        answer = orjson.loads(given)
        code = int(answer.get("errcode", 0))
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError, OverflowError):
        raise Unknown("not_understood") from None
    if code != 0:
        raise Failed(code)
    found: dict[str, Any] = answer
    return found


def _openid(answer: dict[str, Any]) -> str:
    openid = answer.get("openid")
    if not isinstance(openid, str) or not 1 <= len(openid) <= 128:
        raise Unknown("openid")
    return openid
