"""What gateways report later, read into one form. Pure; the only error is Invalid.

Sources: help.aliyun.com/document_detail/101867.html (SmsReport over HTTP); cloud.tencent.com/document/product/382/5807
(短信下发状态通知). Neither is signed. A batch holds many reports; one that cannot be read is left out, because refusing
the batch would only bring it back with the same fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from app.core.errors import Invalid

MOST_REPORTS = 1000
_CODE = re.compile(r"[\w.:-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Report:
    """`name` is the gateway's for the message; `message_id` is ours, where the gateway gives it back."""

    name: str
    phone: str = field(repr=False)
    delivered: bool
    code: str
    message_id: UUID | None = None


def read(vendor: str, body: bytes) -> list[Report]:
    """Every report in a push that can be understood. Raises Invalid for what is no list of reports at all."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        raise Invalid("reports_malformed", "this is not JSON") from broken
    if not isinstance(content, list) or len(content) > MOST_REPORTS:
        raise Invalid("reports_malformed", f"a list of at most {MOST_REPORTS} reports is expected")
    return [report for one in content if isinstance(one, dict) and (report := READERS[vendor](one)) is not None]


def _aliyun(one: dict[str, Any]) -> Report | None:
    match one:
        case {"biz_id": str(name), "phone_number": str(phone), "success": bool(delivered)}:
            digits = phone.removeprefix("+")
            e164 = f"+86{digits}" if len(digits) == 11 and digits.startswith("1") else f"+{digits}"
            return _report(name, e164, delivered, one.get("err_code"), one.get("out_id"))
    return None


def _tencent(one: dict[str, Any]) -> Report | None:
    match one:
        case {"sid": str(name), "mobile": str(phone), "report_status": ("SUCCESS" | "FAIL") as status}:
            country = str(one.get("nationcode", "86")).removeprefix("+")
            return _report(
                name, f"+{country}{phone.removeprefix('+' + country)}", status == "SUCCESS", one.get("errmsg")
            )
    return None


def _report(name: str, e164: str, delivered: bool, code: Any, out_id: Any = None) -> Report | None:
    if not 0 < len(name) <= 100 or not re.fullmatch(r"\+[0-9]{6,15}", e164) or not _storable(name):
        return None
    known = code if isinstance(code, str) and _CODE.fullmatch(code) else "other"
    return Report(name, e164, delivered, known, _uuid(out_id))


def _storable(text: str) -> bool:
    return "\x00" not in text and text.isprintable()


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


READERS: Mapping[str, Callable[[dict[str, Any]], Report | None]] = {"aliyun": _aliyun, "tencent": _tencent}
ANSWERS: Mapping[str, Mapping[str, object]] = {
    "aliyun": {"code": 0, "msg": "接收成功"},
    "tencent": {"result": 0, "errmsg": "OK"},
}
"""What each wants to hear, literally; otherwise it reports again."""
