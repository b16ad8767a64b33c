"""阿里云短信服务: SendSms, version 2017-05-25.

Source: help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendsms. The parameters stand in the query,
as the company declares them; `OutId` is our message's id and comes back in the receipt.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from app.channels.gateways.consequences import ALIYUN, NobodyKnows, judge
from app.channels.gateways.exchange import ask
from app.channels.gateways.letters import Letter, letter_of, mobile, values
from app.channels.gateways.signing_aliyun import canonical_query, signed_headers
from app.core import clock
from app.core.json import dumps
from app.messaging.sender import Message

ENDPOINT = "https://dysmsapi.aliyuncs.com"


@dataclass(frozen=True, slots=True)
class Aliyun:
    http: httpx.AsyncClient
    endpoint: str
    key_id: str
    key: str = field(repr=False)
    sign_name: str
    letters: Mapping[str, Letter]

    async def send(self, message: Message) -> str | None:
        """Returns the company's BizId. Raises Refused, NotSent, or anything else for an unknown fate."""
        number, letter = mobile(message.address), letter_of(self.letters, message.template_code)
        query = canonical_query(
            {
                # Domestic numbers without the country's code, others with it; never with a plus.
                "PhoneNumbers": number.removeprefix("+86").removeprefix("+"),
                "SignName": self.sign_name,
                "TemplateCode": letter.external_code,
                "TemplateParam": dumps(dict(values(letter, message.params))),
                "OutId": str(message.id),
            }
        )
        url = httpx.URL(self.endpoint).copy_with(path="/", query=query.encode())
        headers = signed_headers(
            self.key_id, self.key, host=url.netloc.decode(), action="SendSms", version="2017-05-25", query=query,
            body=b"", at=clock.now(), nonce=secrets.token_hex(16),
        )  # fmt: skip
        answer = await ask(self.http, "POST", url, headers=headers)
        if answer.get("Code") != "OK":
            raise judge(ALIYUN, answer.get("Code"))
        biz_id = answer.get("BizId")
        if not isinstance(biz_id, str) or not 0 < len(biz_id) <= 100:
            raise NobodyKnows
        return biz_id
