"""The forms in which makers push, as readers of raw bytes. Pure.

    action   JSON, one object or a list: a device number, a numeric `Action`
    form     a web form: `imei`, `data_type`, `date_str` (YYYYmmDDHHMMSS, Chinese time)
    onenet   JSON {msg, nonce, msg_signature}, `msg` one object or a list: `dev_id`, `type` (1 data, 2 on or off line),
             `at` in milliseconds, `ds_id` and `value`

Whatever stands in the fields, a report is one that the door takes; its `type` is the maker's code.

    class PushError: the bytes are not of this form at all
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl

from app.channels.report import LONG, SHORT, UNREADABLE, Report, fingerprint, percent, place, report, stamped, words
from app.core.json import dumps, loads

MOST = 200
"""Messages in one push."""
FIELDS_OF_A_FORM = 100
DATA, ON_OR_OFF_LINE = 1, 2
CHINESE_TIME = timezone(timedelta(hours=8))
DEVICE_NAMES = ("device_id", "deviceid", "imei", "sn", "devid", "dev_id")
NUMBER_NAMES = ("msg_id", "msgid", "id", "recordid")
_MSG = re.compile(r'"msg"\s*:\s*')
Said = dict[str, Any]


class PushError(Exception):
    """Not a push of this form."""


def action(raw: bytes, now: datetime, datum: str) -> list[Report]:
    """Names are compared without their case."""
    return [
        _of_action({str(name).lower(): one for name, one in said.items()}, now, datum) for said in _messages(_json(raw))
    ]


def _of_action(said: Said, now: datetime, datum: str) -> Report:
    own = _own(said)
    return report(
        _first(said, DEVICE_NAMES),
        words(said.get("action"), SHORT) or UNREADABLE,
        _first(said, NUMBER_NAMES) or stamped(own, now),
        own,
        location=place(said.get("lng", said.get("lon")), said.get("lat"), datum),
        battery=percent(said.get("battery")),
    )


def form(raw: bytes, now: datetime, datum: str) -> list[Report]:
    try:
        said = dict(parse_qsl(raw.decode("utf-8", "replace"), max_num_fields=FIELDS_OF_A_FORM))
    except ValueError:
        raise PushError("too many fields") from None
    if not {"imei", "data_type"} & said.keys():
        raise PushError("neither a device nor a kind")
    kind = words(said.get("data_type"), SHORT) or UNREADABLE
    return [
        report(
            words(said.get("imei"), LONG),
            kind,
            stamped(raw, now),
            raw,
            occurred_at=_local(said.get("date_str", "")),
            location=place(said.get("lng", said.get("lon")), said.get("lat"), datum),
            battery=percent(said.get("battery")),
        )
    ]


def onenet(raw: bytes, now: datetime, datum: str) -> list[Report]:
    """`now` is not needed: every message carries the platform's own time."""
    whole = _json(raw)
    said = whole.get("msg") if isinstance(whole, dict) else None
    if isinstance(said, str):
        said = _json(said.encode("utf-8", "replace"))
    return [_of_onenet(one, datum) for one in _messages(said)]


def _of_onenet(said: Said, datum: str) -> Report:
    own = _own(said)
    stream, value, kind = words(said.get("ds_id"), SHORT), said.get("value"), said.get("type")
    code = stream
    if kind == ON_OR_OFF_LINE:
        code = "online" if said.get("status") == 1 else "offline"
    elif short := words(value, SHORT):
        code = f"{stream}:{short}"
    point: Mapping[str, Any] = value if isinstance(value, dict) else {}
    return report(
        words(said.get("dev_id"), LONG),
        code or UNREADABLE,
        f"{stream}:{words(said.get('at'), SHORT)}:{fingerprint(own)}",
        own,
        occurred_at=_of_milliseconds(said.get("at")),
        location=place(point.get("lon", point.get("lng")), point.get("lat"), datum),
    )


READERS: dict[str, Callable[[bytes, datetime, str], list[Report]]] = {"action": action, "form": form, "onenet": onenet}


def is_of_onenet(token: str, nonce: str, msg: str, signature: str) -> bool:
    """base64(MD5(token + nonce + msg)): all the platform proves, so the token has to stay secret."""
    made = base64.b64encode(hashlib.md5(f"{token}{nonce}{msg}".encode(), usedforsecurity=False).digest())
    return hmac.compare_digest(made, signature.encode("utf-8", "replace"))


def signed_part(raw: bytes) -> tuple[str, str, str]:
    """(msg as it stands in the bytes, nonce, signature) of a push of OneNET. Raises PushError."""
    whole = _json(raw)
    if not isinstance(whole, dict) or "msg" not in whole:
        raise PushError("no message in it")
    nonce, signature = (str(whole.get(name, "")) for name in ("nonce", "msg_signature"))
    if isinstance(whole["msg"], str):
        return whole["msg"], nonce, signature
    # What is signed is the text of the object, spaces included; reading and writing it would change it.
    text = raw.decode("utf-8", "replace")
    found = _MSG.search(text)
    try:
        begin = found.end() if found is not None else len(text)
        _, end = json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        raise PushError("the message cannot be cut out") from None
    return text[begin:end], nonce, signature


def _json(raw: bytes) -> Any:
    try:
        return loads(raw)
    except ValueError:
        raise PushError("no JSON") from None


def _messages(said: Any) -> list[Said]:
    messages = said if isinstance(said, list) else [said]
    if not 0 < len(messages) <= MOST or not all(isinstance(one, dict) for one in messages):
        raise PushError(f"one object or a list of at most {MOST}")
    return messages


def _own(said: Said) -> bytes:
    """This message alone, to be kept and to be told from others."""
    try:
        return dumps(said).encode()
    except TypeError:  # what could be read need not be writable: it is nested too deep
        raise PushError("nested too deep") from None


def _first(said: Said, names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := words(said.get(name), LONG))), "")


def _local(said: str) -> str | None:
    try:
        at = datetime.strptime(said, "%Y%m%d%H%M%S").replace(tzinfo=CHINESE_TIME)
    except ValueError:
        return None
    return at.isoformat() if 2000 <= at.year < 2100 else None


def _of_milliseconds(said: object) -> str | None:
    if isinstance(said, bool) or not isinstance(said, int) or not 946_684_800_000 <= said < 4_102_444_800_000:
        return None
    return datetime.fromtimestamp(said / 1000, UTC).isoformat()
