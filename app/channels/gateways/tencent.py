"""腾讯云短信: SendSms, version 2021-01-11.

Source: cloud.tencent.com/document/api/382/55981. One number per request, so that one answer is one fate. The answer is
200 whatever happened; `SerialNo` comes back in the receipt as `sid`, our own id does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.channels.gateways.consequences import TENCENT, NobodyKnows, judge
from app.channels.gateways.exchange import ask
from app.channels.gateways.letters import Letter, letter_of, mobile, values
from app.channels.gateways.signing_tencent import authorization
from app.core import clock
from app.core.json import dumps
from app.messaging.sender import Message

ENDPOINT = "https://sms.tencentcloudapi.com"


@dataclass(frozen=True, slots=True)
class Tencent:
    http: httpx.AsyncClient
    endpoint: str
    key_id: str
    key: str = field(repr=False)
    app_id: str
    sign_name: str
    region: str
    letters: Mapping[str, Letter]

    async def send(self, message: Message) -> str | None:
        """Returns the company's SerialNo. Raises Refused, NotSent, or anything else for an unknown fate."""
        number, letter = mobile(message.address), letter_of(self.letters, message.template_code)
        body = dumps(
            {
                "PhoneNumberSet": [number],
                "SmsSdkAppId": self.app_id,
                "SignName": self.sign_name,
                "TemplateId": letter.external_code,
                "TemplateParamSet": [value for _, value in values(letter, message.params)],
                "SessionContext": str(message.id),
            }
        ).encode()
        url, at = httpx.URL(self.endpoint).copy_with(path="/"), clock.now()
        signed = {
            "content-type": "application/json; charset=utf-8",
            "host": url.netloc.decode(),
            "x-tc-action": "SendSms",
        }
        headers = signed | {
            "x-tc-version": "2021-01-11",
            "x-tc-region": self.region,
            "x-tc-timestamp": str(int(at.timestamp())),
            "authorization": authorization(self.key_id, self.key, service="sms", headers=signed, body=body, at=at),
        }
        return _taken(await ask(self.http, "POST", url, headers=headers, body=body))


def _taken(answer: dict[str, Any]) -> str:
    response = answer.get("Response")
    if not isinstance(response, dict):
        raise NobodyKnows
    if isinstance(error := response.get("Error"), dict):
        raise judge(TENCENT, error.get("Code"))
    match response.get("SendStatusSet"):
        case [{"Code": "Ok", "SerialNo": str(serial)}] if 0 < len(serial) <= 100:
            return serial
        case [{"Code": "Ok"}]:
            raise NobodyKnows
        case [{"Code": str(code)}]:
            raise judge(TENCENT, code)
    raise NobodyKnows
