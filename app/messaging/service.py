"""Saying something to somebody: written down in the caller's transaction, sent after it has committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.db import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.json import dumps, loads
from app.jobs.queue import enqueue
from app.messaging import queries, templates
from app.messaging.quiet_hours import next_open
from app.messaging.ways import DECLINABLE, Purpose, Way, chains, purpose_of

DELIVER = "messaging.deliver"
DECLINED = "declined"
LANGUAGE = "zh-CN"
CONTENTS_KEPT = timedelta(days=90)
ADDRESS, PARAMS, OTHERWISE = "outgoing_message.address", "outgoing_message.params", "outgoing_message.otherwise"
_WAY = "recipient_way.address"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What is the same on every way."""

    template: str
    recipient_kind: str
    recipient_id: str | None
    params: str
    order_id: UUID | None
    division_code: str | None
    urgent: bool
    now: datetime


async def send(
    tx: Tx,
    *,
    template: str,
    recipient_kind: str,
    recipient_id: UUID | str | None,
    address: str | None,
    params: Mapping[str, Any],
    order_id: UUID | None = None,
    division_code: str | None = None,
    dedupe_key: str,
    urgent: bool = False,
    channel: str = "sms",
    also: Iterable[Way] = (),
) -> UUID | None:
    """Queue one message; None when one with this `dedupe_key` was queued before.

    It takes the ways that `ways.chains` says, over the given address, those the caller knows `also`, and whatever
    else is known of the recipient; the desk of `division_code`, or every desk, says what no message can.
    What is not urgent waits until the quiet hours are over. Without an address, or when the recipient does not want
    to hear of it, the message is written down as suppressed. Raises LookupError for a template or a gap's value that
    does not exist: a mistake of the caller.
    """
    now = clock.now()
    text = await wording(tx, template, channel, clock.service_day(now))
    if missing := templates.gaps(text) - set(params) - templates.ALWAYS:
        raise LookupError(f"template {template} needs {', '.join(sorted(missing))}")
    said = _Said(
        template=template, recipient_kind=recipient_kind,
        recipient_id=None if recipient_id is None else str(recipient_id), params=dumps(dict(params)),
        order_id=order_id, division_code=division_code, urgent=urgent, now=now,
    )  # fmt: skip
    known, wanted = await _known(tx, said)
    given = [Way(channel, address)] if address else []
    chosen = chains(template, [*given, *also, *known])
    if not wanted or not chosen:
        return await _add(tx, said, Way(channel, ""), dedupe_key, suppressed=DECLINED if chosen else "no_address")
    first = await _add(tx, said, chosen[0][0], dedupe_key, chosen[0][1:])
    if first is not None:
        for way, *rest in chosen[1:]:
            await _add(tx, said, way, f"{dedupe_key}/{way.channel}", rest)
    return first


async def stand_in(tx: Tx, message_id: UUID) -> UUID | None:
    """Say by the next way what this one failed to say. None where there is none, or it was done before."""
    row = await queries.whole(tx, message_id)
    if row["otherwise"] is None or row["params"] is None:
        return None
    way, *rest = [Way(*way) for way in loads(tx.vault.open(OTHERWISE, message_id, row["otherwise"]))]
    said = _Said(
        template=row["template_code"], recipient_kind=row["recipient_kind"], recipient_id=row["recipient_id"],
        params=tx.vault.open(PARAMS, message_id, row["params"]), order_id=row["order_id"],
        division_code=row["division_code"], urgent=row["urgent"], now=clock.now(),
    )  # fmt: skip
    return await _add(tx, said, way, f"{row['dedupe_key']}/{way.channel}", rest, stands_in_for=message_id)


async def wording(tx: Tx, template: str, channel: str, day: date) -> str:
    """The words in force that day: the city's own, else the product's; a channel without words of its own uses those
    of text messages. Raises LookupError for none."""
    own = await queries.wording(tx, template, channel, LANGUAGE, day)
    if own is not None:
        return own
    shipped = templates.shipped().get((template, channel, LANGUAGE))
    if shipped is not None or channel == "sms":
        return shipped if shipped is not None else templates.shipped()[template, channel, LANGUAGE]
    return await wording(tx, template, "sms", day)


async def reword(tx: Tx, template: str, channel: str, valid_from: date, text: str) -> None:
    """A city's own wording from a day on. Raises Invalid when it asks for something nobody fills in."""
    known = gaps_of(template)
    if strange := templates.gaps(text) - known:
        raise Invalid(
            "template_gap_unknown", f"known gaps: {', '.join(sorted(known))}", field="text", gaps=sorted(strange)
        )
    await queries.put_wording(tx, template, channel, LANGUAGE, valid_from, text)


async def hold_back(tx: Tx, recipient_kind: str, recipient_ids: Sequence[UUID], because: str) -> int:
    """What these people have not been sent yet, and what is not urgent, is not sent, nor does it go another way where
    it was and fails; returns how many messages waited."""
    return await queries.hold_back(tx, recipient_kind, [str(one) for one in recipient_ids], because)


def gaps_of(template: str) -> frozenset[str]:
    """What is filled in for this template, by callers or `ALWAYS`. Raises LookupError for an unknown one."""
    return templates.gaps(templates.shipped()[template, "sms", LANGUAGE]) | templates.ALWAYS


async def bind_way(tx: Tx, recipient_kind: str, recipient_id: UUID | str, way: Way) -> None:
    """From now on this recipient is also, or first, reached this way: an openid, a device that takes pushes."""
    who = str(recipient_id)
    sealed = tx.vault.seal(_WAY, f"{recipient_kind}:{who}:{way.channel}", way.address)
    await queries.put_way(tx, recipient_kind, who, way.channel, sealed, clock.now())


async def unbind_way(tx: Tx, recipient_kind: str, recipient_id: UUID | str, channel: str) -> bool:
    """False when there was none."""
    return await queries.drop_way(tx, recipient_kind, str(recipient_id), channel)


async def choose(tx: Tx, recipient_kind: str, recipient_id: UUID | str, purpose: str, allowed: bool, by: str) -> None:
    """Write down what a recipient wants to hear of; it counts for what waits, too. Raises Invalid for what nobody is
    asked about."""
    if purpose not in DECLINABLE:
        raise Invalid("purpose_not_declinable", "nobody is asked whether they want to hear of this", field="purpose")
    await queries.put_choice(tx, recipient_kind, str(recipient_id), purpose, allowed, clock.now(), by)


async def choice(tx: Tx, recipient_kind: str, recipient_id: UUID | str, purpose: str) -> Any:
    """`allowed, decided_at, decided_by`; None where nothing was said, which means yes."""
    return await queries.choice(tx, recipient_kind, str(recipient_id), purpose)


async def of_order(tx: Tx, order_id: UUID) -> list[Any]:
    """What was said about an order, to whom and with what success, oldest first; no addresses, no words."""
    return await queries.of_order(tx, order_id)


@dataclass(frozen=True, slots=True)
class Told:
    """`words` None: a code, or forgotten. A link in them says only that it was there."""

    id: UUID
    order_id: UUID | None
    channel: str
    status: str
    at: datetime
    words: str | None


async def told(tx: Tx, recipient_kind: str, recipient_ids: Sequence[UUID], limit: int) -> list[Told]:
    """What these recipients were told, the latest first."""
    rows = await queries.told(tx, recipient_kind, [str(one) for one in recipient_ids], limit)
    return [
        Told(row["id"], row["order_id"], row["channel"], row["status"], row["created_at"], await words(tx, row))
        for row in rows
    ]


async def words(tx: Tx, row: Any) -> str | None:
    """What a message says or said; None for codes, and when it has been forgotten."""
    if row["params"] is None or purpose_of(row["template_code"]) is Purpose.CODE:
        return None
    params = loads(tx.vault.open(PARAMS, row["id"], row["params"]))
    if "link" in params:
        params["link"] = "（链接）"
    text = await wording(tx, row["template_code"], row["channel"], clock.service_day(row["created_at"]))
    return templates.render(text, templates.filled(params))


async def _known(tx: Tx, said: _Said) -> tuple[list[Way], bool]:
    """Other ways to the recipient, and whether they want to hear of this."""
    if said.recipient_id is None:
        return [], True
    purpose = purpose_of(said.template)
    rows = await queries.known(tx, said.recipient_kind, said.recipient_id, purpose)
    prefix = f"{said.recipient_kind}:{said.recipient_id}"
    ways = [
        Way(row["channel"], tx.vault.open(_WAY, f"{prefix}:{row['channel']}", row["address"]))
        for row in rows
        if row["channel"] is not None
    ]
    return ways, purpose not in DECLINABLE or rows[0]["allowed"] is not False


async def _add(
    tx: Tx,
    said: _Said,
    way: Way,
    dedupe_key: str,
    rest: Sequence[Way] = (),
    *,
    suppressed: str | None = None,
    stands_in_for: UUID | None = None,
) -> UUID | None:
    message_id, vault = new_id(), tx.vault
    not_before = said.now if said.urgent else next_open(said.now)
    address = way.address or None
    row = {
        "id": message_id,
        "template_code": said.template,
        "channel": way.channel,
        "language": LANGUAGE,
        "recipient_kind": said.recipient_kind,
        "recipient_id": said.recipient_id,
        "address": vault.seal(ADDRESS, message_id, address) if address else None,
        "address_index": vault.blind(ADDRESS, address) if address else None,
        "params": vault.seal(PARAMS, message_id, said.params),
        "order_id": said.order_id,
        "dedupe_key": dedupe_key,
        "urgent": said.urgent,
        "status": "suppressed" if suppressed else "queued",
        "failure": suppressed,
        "not_before": not_before,
        "created_at": said.now,
        "otherwise": vault.seal(OTHERWISE, message_id, dumps([list(one) for one in rest])) if rest else None,
        "stands_in_for": stands_in_for,
        "division_code": said.division_code,
    }
    added = await queries.add(tx, row)
    if added is not None and not suppressed:
        await enqueue(tx, DELIVER, {"message_id": message_id}, after=not_before - said.now, priority=int(said.urgent))
    return added
