"""Each message once, nobody woken, nothing sent again blindly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from app.core import clock
from app.core.clock import SHANGHAI
from app.core.db import Database, Tx
from app.core.errors import Invalid
from app.core.json import loads
from app.jobs.worker import run_once
from app.messaging import receipts, service, tasks
from app.messaging.sender import Message, NotSent, OutboxFile, RecordingSender, Refused
from app.messaging.tasks import Delivery

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=SHANGHAI)
NIGHT = datetime(2026, 11, 21, 23, 0, tzinfo=SHANGHAI)
MORNING = datetime(2026, 11, 22, 8, 0, tzinfo=SHANGHAI)
PHONE = "+8613800000000"
PARAMS = {"item": "助浴", "at": "10:40", "minutes": 60, "link": "https://nuanxian.test/f/x"}


async def say(tx: Tx, key: str = "k", **more: Any) -> UUID | None:
    facts: dict[str, Any] = {
        "template": "completed",
        "recipient_kind": "family",
        "recipient_id": uuid4(),
        "address": PHONE,
        "params": PARAMS,
        "dedupe_key": key,
    }
    return await service.send(tx, **{**facts, **more})


async def queued(database: Database, **more: Any) -> UUID:
    async with database.transaction() as tx:
        message_id = await say(tx, str(uuid4()), **more)
    assert message_id is not None
    return message_id


async def fate(database: Database, message_id: UUID) -> tuple[str, str | None, int]:
    async with database.transaction() as tx:
        row = await tx.fetchrow("SELECT status, failure, attempts FROM outgoing_message WHERE id = $1", message_id)
    assert row is not None
    return row["status"], row["failure"], row["attempts"]


async def jobs(tx: Tx) -> list[dict[str, Any]]:
    rows = await tx.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'messaging.deliver' ORDER BY id")
    return [loads(row["payload"]) for row in rows]


class Gateway:
    """A sender that does what a test tells it, and remembers what reached it."""

    def __init__(self, behave: Callable[[Message], Any]) -> None:
        self.reached: list[Message] = []
        self._behave = behave

    async def send(self, message: Message) -> str | None:
        self.reached.append(message)
        outcome = self._behave(message)
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome == "hang":
            await asyncio.sleep(30)
        return str(outcome)


async def deliver(database: Database, delivery: Delivery, message_id: UUID, job: int) -> bool:
    """One run of the job, as the worker runs it."""
    return await run_once(database, delivery.deliver, job, f'{{"message_id": "{message_id}"}}'.encode())


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (lambda _: "gw-1", ("sent", None, 1)),
        (lambda _: Refused("number_dead"), ("failed", "number_dead", 1)),
        (lambda _: NotSent("no_connection"), ("queued", "no_connection", 1)),
        (lambda _: ConnectionResetError("after the request was written"), ("unknown", "ConnectionResetError", 1)),
        (lambda _: "hang", ("unknown", "TimeoutError", 1)),
    ],
)
async def test_what_becomes_of_a_message(
    clean_database: Database, behave: Callable[[Message], Any], expected: tuple[str, str | None, int]
) -> None:
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        gateway = Gateway(behave)
        assert await deliver(clean_database, Delivery(clean_database, {"sms": gateway}, 0.2), message_id, 1)
        assert await fate(clean_database, message_id) == expected
        assert [message.address for message in gateway.reached] == [PHONE]
        assert gateway.reached[0].text == (
            "【12349】助浴服务已于10:40完成，时长60分钟。请您评价：https://nuanxian.test/f/x"
        )


async def test_a_job_that_comes_again_sends_nothing(clean_database: Database) -> None:
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        gateway = Gateway(lambda _: TimeoutError())
        delivery = Delivery(clean_database, {"sms": gateway})
        for job in (1, 2, 3):
            await deliver(clean_database, delivery, message_id, job)
    assert len(gateway.reached) == 1, "nobody knows whether the person has it"
    assert (await fate(clean_database, message_id))[0] == "unknown"


async def test_a_crash_after_the_gateway_took_it_does_not_send_it_again(clean_database: Database) -> None:
    class Crash(BaseException):
        pass

    with clock.hold(NOON):
        message_id = await queued(clean_database)
        gateway = Gateway(lambda _: Crash())
        with pytest.raises(Crash):
            await deliver(clean_database, Delivery(clean_database, {"sms": gateway}), message_id, 7)
        second = RecordingSender()
        assert await deliver(clean_database, Delivery(clean_database, {"sms": second}), message_id, 7), "redelivered"
    assert not second.sent
    assert (await fate(clean_database, message_id))[0] == "unknown"


async def test_workers_at_once_hand_a_message_over_once(clean_database: Database) -> None:
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        gateway = Gateway(lambda _: "gw-1")
        delivery = Delivery(clean_database, {"sms": gateway})
        await asyncio.gather(*(deliver(clean_database, delivery, message_id, job) for job in range(6)))
    assert len(gateway.reached) == 1


async def test_certainly_unsent_messages_are_tried_again_with_growing_pauses(clean_database: Database) -> None:
    gateway = Gateway(lambda _: NotSent("busy", of_channel=False))
    delivery = Delivery(clean_database, {"sms": gateway})
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        for job in range(tasks.MAX_ATTEMPTS + 2):
            await deliver(clean_database, delivery, message_id, job)
    assert len(gateway.reached) == tasks.MAX_ATTEMPTS
    assert await fate(clean_database, message_id) == ("failed", "busy", tasks.MAX_ATTEMPTS)
    async with clean_database.transaction() as tx:
        assert len(await jobs(tx)) == tasks.MAX_ATTEMPTS, "the first, and one for each failure but the last"


async def test_the_same_key_says_it_once(tx: Tx) -> None:
    assert await say(tx, "order-1:completed") is not None
    assert await say(tx, "order-1:completed") is None
    assert await say(tx, "order-2:completed") is not None
    assert len(await jobs(tx)) == 2


async def test_a_message_and_its_job_share_the_fate_of_the_transaction(clean_database: Database) -> None:
    async def doomed() -> None:
        async with clean_database.transaction() as tx:
            await say(tx)
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        await doomed()
    async with clean_database.transaction() as tx:
        assert await jobs(tx) == []
        assert await tx.fetchval("SELECT count(*) FROM outgoing_message") == 0


async def test_at_night_only_the_urgent_is_said(clean_database: Database) -> None:
    sender = RecordingSender()
    delivery = Delivery(clean_database, {"sms": sender})
    with clock.hold(NIGHT):
        late, urgent = await queued(clean_database), await queued(clean_database, urgent=True)
        for job, message_id in enumerate((late, urgent)):
            await deliver(clean_database, delivery, message_id, job)
    assert list(sender.sent) == [urgent]
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT not_before FROM outgoing_message WHERE id = $1", late) == MORNING
        again = [job["message_id"] for job in await jobs(tx)]
    assert again.count(str(late)) == 2, "the job that came too early left another behind"
    with clock.hold(MORNING):
        await deliver(clean_database, delivery, late, 3)
    assert list(sender.sent) == [urgent, late]


async def test_a_delayed_job_does_not_wake_anybody(clean_database: Database) -> None:
    sender = RecordingSender()
    with clock.hold(NIGHT - timedelta(hours=2, minutes=1)):
        message_id = await queued(clean_database)
    with clock.hold(NIGHT):
        await deliver(clean_database, Delivery(clean_database, {"sms": sender}), message_id, 1)
    assert not sender.sent
    assert (await fate(clean_database, message_id))[0] == "queued"


async def test_without_an_address_it_is_suppressed(tx: Tx) -> None:
    message_id = await say(tx, address=None)
    row = await tx.fetchrow("SELECT status, failure FROM outgoing_message WHERE id = $1", message_id)
    assert row is not None
    assert (row["status"], row["failure"]) == ("suppressed", "no_address")
    assert await jobs(tx) == []


async def test_a_channel_without_a_sender_fails_loudly(clean_database: Database) -> None:
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        await deliver(clean_database, Delivery(clean_database, {}), message_id, 1)
    assert await fate(clean_database, message_id) == ("failed", "no_sender", 1)


async def test_an_unknown_template_or_a_missing_value_is_the_callers_mistake(tx: Tx) -> None:
    with pytest.raises(LookupError):
        await say(tx, template="birthday")
    with pytest.raises(LookupError, match="minutes"):
        await say(tx, params={"item": "助浴", "at": "10:40", "link": "x"})


async def test_a_citys_own_words_count_from_their_day(clean_database: Database) -> None:
    gateway = Gateway(lambda _: "gw")
    delivery = Delivery(clean_database, {"sms": gateway})
    async with clean_database.transaction() as tx:
        await service.reword(tx, "completed", "sms", date(2026, 11, 22), "【金昌】{item}已完成，{link}")
        with pytest.raises(Invalid):
            await service.reword(tx, "completed", "sms", date(2026, 11, 22), "{password}")
        await service.reword(tx, "completed", "sms", date(2026, 11, 23), "【金昌】{item}已完成，{hotline}")
    for job, at in enumerate((NOON, NOON + timedelta(days=1), NOON + timedelta(days=2))):
        with clock.hold(at):
            await deliver(clean_database, delivery, await queued(clean_database), job)
    assert [message.text[:6] for message in gateway.reached] == ["【12349", "【金昌】助浴"[:6], "【金昌】助浴"[:6]]
    assert (gateway.reached[2].text[9:], gateway.reached[2].params["hotline"]) == ("，093512349", "093512349")


async def test_a_receipt_settles_even_the_unknown(clean_database: Database) -> None:
    with clock.hold(NOON):
        message_id = await queued(clean_database)
        await deliver(clean_database, Delivery(clean_database, {"sms": Gateway(lambda _: "gw-9")}), message_id, 1)
    async with clean_database.transaction() as tx:
        assert not await receipts.note_receipt(tx, "sms", "gw-unknown", delivered=True)
        assert await receipts.note_receipt(tx, "sms", "gw-9", delivered=True)
        assert not await receipts.note_receipt(tx, "sms", "gw-9", delivered=False, failure="late")
    assert (await fate(clean_database, message_id))[:2] == ("delivered", None)


async def test_addresses_and_words_are_sealed_unlogged_and_forgotten(clean_database: Database) -> None:
    with clock.hold(NOON), capture_logs() as logs:
        message_id = await queued(clean_database)
        gateway = Gateway(lambda message: RuntimeError(f"could not reach {message.address}"))
        await deliver(clean_database, Delivery(clean_database, {"sms": gateway}), message_id, 1)
    assert logs
    assert "13800000000" not in str(logs)
    async with clean_database.transaction() as tx:
        row = await tx.fetchrow("SELECT * FROM outgoing_message WHERE id = $1", message_id)
        assert row is not None
        for column, value in row.items():
            raw = value if isinstance(value, bytes) else str(value).encode()
            assert b"13800000000" not in raw, column
            assert "助浴".encode() not in raw, column
    with clock.hold(NOON + service.CONTENTS_KEPT):
        async with clean_database.transaction() as tx:
            assert await tasks.forget_contents(tx) == 0
    with clock.hold(NOON + service.CONTENTS_KEPT + timedelta(seconds=1)):
        async with clean_database.transaction() as tx:
            assert await tasks.forget_contents(tx) == 1
            row = await tx.fetchrow("SELECT address, params, status FROM outgoing_message")
    assert row is not None
    assert (row["address"], row["params"], row["status"]) == (None, None, "unknown")


async def test_the_outbox_of_a_demo_world_is_for_its_owner_alone(tmp_path: Path) -> None:
    outbox = OutboxFile(tmp_path / "demo" / "outbox.jsonl")
    for text in ("一", "二"):
        await outbox.send(Message(uuid4(), "offer", "sms", "zh-CN", PHONE, text))
    written = tmp_path / "demo" / "outbox.jsonl"
    assert [loads(line)["text"] for line in written.read_text().splitlines()] == ["一", "二"]
    assert written.stat().st_mode & 0o777 == 0o600
