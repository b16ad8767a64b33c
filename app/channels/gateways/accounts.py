"""Which gateway carries a channel's messages, with which keys and templates: rows of the city's, no environment.

Keys are sealed in the database and known to a process for some seconds, so that a change counts soon and no message
has to ask first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from app.accounts import audit
from app.channels import queries_gateways as queries
from app.channels.gateways import aliyun, jpush, tencent
from app.channels.gateways.exchange import client
from app.channels.gateways.letters import LINK_TOKEN, Letter
from app.core import clock
from app.core.crypto import SealBroken
from app.core.db import Database, Tx
from app.core.errors import Error, Invalid, NotFound
from app.core.http import Caller
from app.core.json import dumps, loads
from app.messaging import service as messaging
from app.messaging.sender import Message, NotSent, Refused, Sender

SETTINGS, RECEIPTS = "message_gateway.settings", "message_gateway.receipt"
CHANNEL_OF = {"aliyun": "sms", "tencent": "sms", "jpush": "push"}
ENDPOINTS = {"aliyun": aliyun.ENDPOINT, "tencent": tencent.ENDPOINT, "jpush": jpush.ENDPOINT}
_ACTIVE, _SECRETS = "channels.gateway", "channels.gateway_secrets"


@dataclass(frozen=True, slots=True)
class Gateway:
    name: str
    vendor: str
    channel: str


class Configured:
    """The sender of one channel: the gateway that is active now, else `otherwise`, else nobody."""

    def __init__(self, database: Database, channel: str, otherwise: Sender | None = None) -> None:
        self._database, self._channel, self._otherwise = database, channel, otherwise
        self._http = client()

    async def send(self, message: Message) -> str | None:
        """The gateway's name for the message, after the gateway's own."""
        try:
            name, sender = await self._database.cache.get((_ACTIVE, self._channel), self._load)
        except (Error, SealBroken):  # the database is away, or the keys are: nothing has left the house
            raise NotSent("gateway_unreadable") from None
        if sender is None:
            raise Refused("no_gateway")
        external_id = await sender.send(message)
        return f"{name}:{external_id}" if name else external_id

    async def close(self) -> None:
        await self._http.aclose()

    async def _load(self) -> tuple[str, Sender | None]:
        async with self._database.transaction() as tx:
            row = await queries.active_gateway(tx, self._channel)
            if row is None:
                return "", self._otherwise
            settings = loads(tx.vault.open(SETTINGS, row["name"], row["settings"]))
            listed = await queries.letters(tx, row["name"], clock.today())
        letters = {one["template_code"]: Letter(one["external_code"], tuple(one["params"])) for one in listed}
        return row["name"], _sender(row["vendor"], self._http, row["endpoint"], settings, letters)


async def put_gateway(
    tx: Tx,
    caller: Caller,
    name: str,
    *,
    vendor: str,
    endpoint: str | None,
    settings: Mapping[str, str],
    receipt_secret: str | None,
    active: bool,
) -> None:
    """Add a gateway or change it; an active one takes its channel over. Raises Invalid for a receipt address that
    another gateway has."""
    index = tx.vault.blind(RECEIPTS, receipt_secret) if receipt_secret else None
    if index is not None and await queries.taken_by_another(tx, name, index):
        raise Invalid("receipt_secret_taken", "choose another one", field="receipt_secret")
    channel, now = CHANNEL_OF[vendor], clock.now()
    await tx.one_at_a_time("message gateways")
    if active:
        await queries.rest_others(tx, name, channel, now)
    sealed = tx.vault.seal(SETTINGS, name, dumps(dict(settings)))
    await queries.put_gateway(tx, name, channel, vendor, endpoint or ENDPOINTS[vendor], sealed, index, active, now)
    await audit.record(tx, caller, "message_gateway.put", "message_gateway", name, sorted(settings))
    tx.cache.clear()


async def put_letter(
    tx: Tx, caller: Caller, name: str, template_code: str, valid_from: date, external_code: str, params: list[str]
) -> None:
    """From a day on, this gateway knows our template by this code. Raises NotFound for no such gateway or template,
    Invalid for a value that nobody fills in."""
    try:
        known = messaging.gaps_of(template_code)
    except LookupError:
        raise NotFound("template_not_found") from None
    if "link" in known:
        known |= {LINK_TOKEN}
    if strange := set(params) - known:
        raise Invalid(
            "template_gap_unknown", f"known gaps: {', '.join(sorted(known))}", field="params", gaps=sorted(strange)
        )
    if not await queries.put_letter(tx, name, template_code, valid_from, external_code, params):
        raise NotFound("message_gateway_not_found")
    await audit.record(tx, caller, "message_gateway.template", "message_gateway", name, (template_code,))
    tx.cache.clear()


async def of_secret(database: Database, vendor: str, secret: str) -> Gateway:
    """Whose receipts come to this address. Raises NotFound, without asking the database each time.

    Found by a keyed hash of the secret, so the time it takes tells nothing about the secret.
    """
    known = await database.cache.get(_SECRETS, lambda: _secrets(database))
    found = known.get(database.vault.blind(RECEIPTS, secret))
    if found is None or found.vendor != vendor:
        raise NotFound("message_gateway_not_found")
    return found


async def _secrets(database: Database) -> dict[bytes, Gateway]:
    async with database.transaction() as tx:
        rows = await queries.with_receipts(tx)
    return {bytes(row["receipt_index"]): Gateway(row["name"], row["vendor"], row["channel"]) for row in rows}


def _sender(
    vendor: str, http: httpx.AsyncClient, endpoint: str, settings: Mapping[str, Any], letters: Mapping[str, Letter]
) -> Sender:
    keys = {"http": http, "endpoint": endpoint, "key_id": settings["key_id"], "key": settings["key"]}
    if vendor == "aliyun":
        return aliyun.Aliyun(**keys, sign_name=settings["sign_name"], letters=letters)
    if vendor == "tencent":
        own = {name: settings[name] for name in ("app_id", "sign_name", "region")}
        return tencent.Tencent(**keys, **own, letters=letters)
    return jpush.JPush(**keys)
