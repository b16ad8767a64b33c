"""When no notice comes: WeChat is asked, and what it says is believed only if it signed it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.core import clock
from app.core.http import SYSTEM
from app.jobs.worker import Long, Worker
from app.orders import service as orders
from app.selfpay import reconciling
from app.selfpay.api import WechatPayApi
from app.selfpay.reconciling import Reconciler
from app.wiring import periodic, tasks
from tests.selfpay import peer
from tests.selfpay.conftest import Bench


async def open_payment(bench: Bench) -> str:
    assert (await bench.prepare()).status_code == 200
    return str((await bench.payment())["out_trade_no"])


async def ask(bench: Bench, *, after: timedelta = timedelta(0)) -> None:
    row = (await bench.payments())[0]
    with clock.hold(clock.now() + after):
        await Reconciler(bench.api).ask(bench.database, {"payment_id": str(row["id"])})


async def test_a_lost_notice_is_made_up_for_by_the_worker_itself(bench: Bench, settings: Any) -> None:
    number = await open_payment(bench)
    bench.pay.states[number] = said = peer.transaction(number, bench.copay_fen)
    async with bench.database.transaction() as tx:
        await tx.run("UPDATE payment SET ask_at = $1", clock.now() - timedelta(seconds=1))
    assert reconciling.ASK in tasks(bench.database, settings)
    sweeps = [one for one in periodic(settings) if one.task is reconciling.sweep]
    worker = Worker(bench.database, {reconciling.ASK: Long(Reconciler(bench.api).ask)}, sweeps)
    running = asyncio.create_task(worker.run())
    for _ in range(200):
        await asyncio.sleep(0.05)
        if (row := await bench.payment())["status"] == "paid":
            break
    worker.stop()
    await running
    assert (row["status"], row["transaction_id"]) == ("paid", said["transaction_id"])
    assert all(one.fair for one in bench.pay.asked)
    (asked,) = bench.pay.to(number)
    assert asked.target.endswith(f"?mchid={peer.MCHID}")
    assert (await bench.notify(peer.notice(said))).status_code == 200, "the notice comes after all"
    assert (await bench.payment())["needs_review"] is None


@pytest.mark.parametrize("fault", ["reset", "500", "forged", "unsigned", "stale", "odd"])
async def test_what_cannot_be_believed_changes_nothing(bench: Bench, fault: str) -> None:
    """Neither money nor the end of a payment, though both are what the stub says."""
    number = await open_payment(bench)
    bench.pay.states[number] = peer.transaction(number, bench.copay_fen)
    bench.pay.fault = fault
    await ask(bench, after=timedelta(hours=2))
    bench.pay.states.clear()
    await ask(bench, after=timedelta(hours=2))
    assert (await bench.payment())["status"] == "prepared"
    assert len(bench.pay.to(number)) == 2


async def test_a_slow_answer_holds_no_transaction_and_changes_nothing(bench: Bench) -> None:
    number = await open_payment(bench)
    bench.pay.states[number] = peer.transaction(number, bench.copay_fen)
    bench.pay.fault = "slow"
    impatient = WechatPayApi(bench.pay.url, httpx.Timeout(0.5))
    asking = asyncio.create_task(
        Reconciler(impatient).ask(bench.database, {"payment_id": str((await bench.payment())["id"])})
    )
    await asyncio.sleep(0.25)
    async with bench.database.transaction() as tx:
        idle = """SELECT count(*) FROM pg_stat_activity
            WHERE state LIKE 'idle in transaction%' AND datname = current_database()"""
        assert await tx.fetchval(idle) == 0
        await orders.locked(tx, bench.order_id)
    await asking
    await impatient.close()
    assert (await bench.payment())["status"] == "prepared"


async def test_an_open_payment_waits_for_its_time_and_is_ended_at_wechat_then(bench: Bench) -> None:
    number = await open_payment(bench)
    await ask(bench)
    assert (await bench.payment())["status"] == "prepared"
    assert bench.pay.to("/close") == []
    await ask(bench, after=timedelta(minutes=31))
    assert (await bench.payment())["status"] == "closed"
    assert bench.pay.states[number]["trade_state"] == "CLOSED"
    (closing,) = bench.pay.to("/close")
    assert closing.body == {"mchid": peer.MCHID}


async def test_a_payment_that_wechat_does_not_know_is_closed_after_its_time(bench: Bench) -> None:
    await open_payment(bench)
    bench.pay.states.clear()
    await ask(bench)
    assert (await bench.payment())["status"] == "prepared"
    await ask(bench, after=timedelta(minutes=31))
    assert (await bench.payment())["status"] == "closed"


async def test_money_between_question_and_end_stays_open_until_asked_again(bench: Bench) -> None:
    """WeChat refuses to end what was paid just now."""
    number = await open_payment(bench)

    async def pay(target: str) -> None:
        if "?" in target:
            bench.pay.states[number] = peer.transaction(number, bench.copay_fen)

    bench.pay.before_answer = pay
    await ask(bench, after=timedelta(minutes=31))
    assert (await bench.payment())["status"] == "prepared"
    await ask(bench, after=timedelta(minutes=32))
    assert (await bench.payment())["status"] == "paid"


async def test_the_open_payment_of_a_cancelled_order_is_ended_soon(bench: Bench) -> None:
    await open_payment(bench)
    async with bench.database.transaction() as tx:
        await orders.cancel(tx, SYSTEM, bench.order_id, "elder_in_hospital", "family")
    async with bench.database.transaction() as tx:
        assert await reconciling.sweep(tx) == 1
    await ask(bench)
    assert (await bench.payment())["status"] == "closed"


async def test_money_after_the_end_is_kept_and_flagged(bench: Bench) -> None:
    number = await open_payment(bench)
    await ask(bench, after=timedelta(minutes=31))
    await bench.notify(peer.notice(peer.transaction(number, bench.copay_fen)))
    row = await bench.payment()
    assert (row["status"], row["needs_review"]) == ("paid", "paid_after_closing")


async def test_money_that_went_back_at_wechat_is_flagged(bench: Bench) -> None:
    number = await open_payment(bench)
    bench.pay.states[number] = peer.transaction(number, bench.copay_fen, trade_state="REFUND")
    await ask(bench)
    row = await bench.payment()
    assert (row["status"], row["needs_review"]) == ("paid", "refunded_elsewhere")


@pytest.mark.parametrize("other", [{"mchid": "1900000110"}, {"appid": "wx9"}, {"out_trade_no": "0" * 32}])
async def test_an_answer_about_something_else_is_none(bench: Bench, other: dict[str, str]) -> None:
    number = await open_payment(bench)
    bench.pay.states[number] = peer.transaction(number, bench.copay_fen, **other)
    await ask(bench, after=timedelta(minutes=31))
    assert (await bench.payment())["status"] == "prepared"


async def test_a_notice_and_many_questions_at_once_pay_once(bench: Bench) -> None:
    number = await open_payment(bench)
    bench.pay.states[number] = said = peer.transaction(number, bench.copay_fen)
    body = peer.notice(said)
    await asyncio.gather(*(ask(bench) for _ in range(6)), *(bench.notify(body) for _ in range(6)))
    row = await bench.payment()
    assert (row["status"], row["transaction_id"], row["needs_review"]) == ("paid", said["transaction_id"], None)


async def test_the_sweep_takes_so_many_each_once_and_asks_ever_more_rarely(bench: Bench) -> None:
    number = await open_payment(bench)
    now = clock.now() + timedelta(minutes=3)
    waits = []
    for _ in range(7):
        with clock.hold(now):
            async with bench.database.transaction() as tx:
                assert await reconciling.sweep(tx) == 1
            async with bench.database.transaction() as tx:
                assert await reconciling.sweep(tx) == 0, "it is not due twice"
        due = (await bench.payment())["ask_at"]
        waits.append(round((due - now).total_seconds() / 60))
        now = due
    assert waits == [1, 2, 4, 8, 16, 32, 32]
    assert (await bench.payment())["out_trade_no"] == number
    assert reconciling.AT_ONCE == 50
