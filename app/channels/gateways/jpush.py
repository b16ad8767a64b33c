"""极光推送 (JPush), REST API v3. Best effort: that it was taken does not mean that anybody has seen it.

Sources: docs.jiguang.cn/jpush/server/push/rest_api_v3_push and …_advanced (cid). A cid is fetched first; a push with a
cid that was used before gives the first push's result, so a push whose answer was lost is asked once more.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.channels.gateways.consequences import JPUSH, NobodyKnows, judge
from app.channels.gateways.exchange import ask
from app.core.json import dumps
from app.messaging.sender import Message

ENDPOINT = "https://api.jpush.cn"
TITLE = "12349"
KEPT_S = 24 * 3600
"""How long JPush tries to reach a device that is off."""


@dataclass(frozen=True, slots=True)
class JPush:
    http: httpx.AsyncClient
    endpoint: str
    key_id: str
    key: str = field(repr=False)

    async def send(self, message: Message) -> str | None:
        """`message.address` is a registration id. Returns JPush's msg_id. Raises Refused, NotSent, or anything else
        for an unknown fate."""
        cids = (await self._ask("GET", "/v3/push/cid", query=b"count=1")).get("cidlist")
        if not isinstance(cids, list) or not cids or not isinstance(cids[0], str):
            raise NobodyKnows
        notification = {"alert": message.text, "title": TITLE}
        body = dumps(
            {
                "cid": cids[0],
                "platform": "all",
                "audience": {"registration_id": [message.address]},
                "notification": {"android": notification, "ios": {"alert": message.text}},
                "options": {"time_to_live": KEPT_S, "apns_production": True},
            }
        ).encode()
        try:
            answer = await self._ask("POST", "/v3/push", body=body)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            answer = await self._ask("POST", "/v3/push", body=body)
        name = answer.get("msg_id")
        if not isinstance(name, str | int) or not 0 < len(str(name)) <= 100:
            raise NobodyKnows
        return str(name)

    async def _ask(self, method: str, path: str, *, query: bytes | None = None, body: bytes = b"") -> dict[str, Any]:
        secret = base64.b64encode(f"{self.key_id}:{self.key}".encode()).decode()
        url = httpx.URL(self.endpoint).copy_with(path=path, query=query)
        headers = {"authorization": f"Basic {secret}", "content-type": "application/json"}
        answer = await ask(self.http, method, url, headers=headers, body=body)
        if isinstance(error := answer.get("error"), dict):
            raise judge(JPUSH, error.get("code"))
        return answer
