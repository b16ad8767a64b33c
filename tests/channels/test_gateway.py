"""The gateway between real sockets and the service: nobody hears that an alarm was taken before it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest
from alarmlab.broker import SUBSCRIBER, Broker, Missing, password, program

from app.channels.gateway import subscriber
from app.channels.gateway.handing import AT_ONCE, Handing
from app.channels.gateway.listener import Listener
from app.core.db import Database
from app.core.http import SYSTEM
from app.core.json import dumps
from app.elders import devices
from tests.channels.test_gateway_wire import alarm, framed
from tests.world.elders import make_elder

try:
    program()
    NO_BROKER = ""
except Missing as missing:
    NO_BROKER = str(missing)
needs_broker = pytest.mark.skipif(bool(NO_BROKER), reason=NO_BROKER)


class Away(httpx.AsyncBaseTransport):
    """The service, which does not answer while `away` is set; `posts` counts what reached it or did not."""

    def __init__(self, service: httpx.AsyncClient) -> None:
        self._service = service
        self.away = asyncio.Event()
        self.posts = 0

    async def reached(self) -> bool:
        return self.posts > 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.posts += 1
        if self.away.is_set():
            raise httpx.ConnectError("away")
        answer = await self._service._transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@pytest.fixture
def service(doors: httpx.AsyncClient) -> Away:
    return Away(doors)


@pytest.fixture
async def key(clean_database: Database) -> tuple[str, str]:
    from app.accounts import keys

    async with clean_database.transaction() as tx:
        return await keys.create_key(tx, "device", "gateway", vendors=["mqtt", "watch"])


@pytest.fixture
async def handing(
    service: Away, key: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, Handing]]:
    monkeypatch.setattr("app.channels.signed_door.LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr("app.channels.gateway.handing.EVERY_S", 0.1)
    async with httpx.AsyncClient(transport=service, base_url="https://nuanxian.test") as client:
        yield {vendor: Handing(client, key, vendor) for vendor in ("mqtt", "watch")}


@asynccontextmanager
async def listening(handing: Handing, **limits: int) -> AsyncIterator[int]:
    listener = Listener(handing, **limits)
    try:
        yield await listener.open("127.0.0.1", 0)
    finally:
        await listener.close()


async def incidents(database: Database) -> list[Any]:
    async with database.transaction() as tx:
        return await tx.fetch("SELECT subject, kind, elder_id, alarms, place FROM incident ORDER BY id")


async def until(what: Any, wanted: Any) -> None:
    """Until the coroutine function gives this."""
    for _ in range(100):
        if (found := await what()) == wanted:
            return
        await asyncio.sleep(0.05)
    assert found == wanted


async def test_a_watch_hears_of_its_alarm_when_the_service_has_it(
    handing: dict[str, Handing], service: Away, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
        await devices.bind(tx, SYSTEM, elder, "watch", "8800000015", "watch", None)
    async with listening(handing["watch"]) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        service.away.set()
        writer.write(alarm(1 << 16) + framed(b"LK,0,0,77"))
        # The sign of life is answered although the service is away; the alarm is not.
        assert await reader.readuntil(b"]") == b"[3G*8800000015*0002*LK]"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readuntil(b"]"), 0.3)
        assert await incidents(clean_database) == []
        service.away.clear()
        assert await asyncio.wait_for(reader.readuntil(b"]"), 5) == b"[3G*8800000015*0002*AL]"
        (one,) = await incidents(clean_database)
        writer.close()
    assert (one["kind"], one["elder_id"], one["place"]) == ("sos", elder, "home")


async def test_the_alarm_of_a_watch_that_is_gone_and_of_one_nobody_knows_is_an_incident(
    handing: dict[str, Handing], service: Away, clean_database: Database
) -> None:
    async with listening(handing["watch"]) as port:
        service.away.set()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(b"AL", device="9999999999"))
        await writer.drain()
        writer.close()
        await until(service.reached, True)
        service.away.clear()

        async def subjects() -> list[Any]:
            return [(one["subject"], one["kind"], one["alarms"]) for one in await incidents(clean_database)]

        await until(subjects, [("device:watch:9999999999", "al", 1)])


async def test_more_watches_than_there_is_room_for_are_turned_away(handing: dict[str, Handing]) -> None:
    async with listening(handing["watch"], connections=1) as port:
        first, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(framed(b"LK"))
        assert await first.readuntil(b"]")
        second, other = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(second.read(), 5) == b""
        writer.write(framed(b"LK"))
        assert await first.readuntil(b"]")
        writer.close()
        other.close()


async def test_signs_of_life_are_handed_on_together(handing: dict[str, Handing], clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await devices.bind(tx, SYSTEM, await make_elder(tx), "watch", "8800000015", "watch", None)
    handing["watch"].alive({"device_id": "8800000015", "battery": 77})
    for number in range(700):
        handing["watch"].alive({"device_id": f"nobody-{number}"})
    work = asyncio.create_task(handing["watch"].work())

    async def battery() -> Any:
        async with clean_database.transaction() as tx:
            return await tx.fetchval("SELECT battery FROM elder_device WHERE silent_at IS NOT NULL")

    await until(battery, 77)
    work.cancel()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker", ["b-1", "b-2"])
    made.start()
    yield made
    made.end()


def device(broker: Broker, name: str = "b-1") -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username=name, password=password(name), identifier=name)


@asynccontextmanager
async def subscribed(broker: Broker, handing: Handing) -> AsyncIterator[None]:
    place = subscriber.Broker("127.0.0.1", broker.port, "nuanxian", SUBSCRIBER, password(SUBSCRIBER))
    work = asyncio.create_task(subscriber.run(place, handing))
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@needs_broker
async def test_the_broker_keeps_an_alarm_until_the_service_has_it(
    broker: Broker, handing: dict[str, Handing], service: Away, clean_database: Database
) -> None:
    said = dumps({"type": "sos", "msg_id": "m-1", "device_id": "b-2"})

    async def seen() -> list[Any]:
        return [(one["subject"], one["alarms"]) for one in await incidents(clean_database)]

    async def tried() -> bool:
        async with device(broker) as button:
            await button.publish("sos/up/b-1/alarm", "test", qos=1)
        return service.posts > 0

    async with subscribed(broker, handing["mqtt"]):  # once, so that the broker knows the session
        await until(tried, True)
    service.away.set()
    async with device(broker) as button:  # nobody is listening
        await button.publish("sos/up/b-1/alarm", said, qos=1)
    service.posts = 0
    async with subscribed(broker, handing["mqtt"]):  # heard, but not taken when this ends
        await until(service.reached, True)
    assert await seen() == []
    service.away.clear()
    async with subscribed(broker, handing["mqtt"]):
        await until(seen, [("device:mqtt:b-1", 1)])
    taken = handing["mqtt"].taken
    async with subscribed(broker, handing["mqtt"]):  # it was acknowledged: it does not come again
        await asyncio.sleep(0.5)
    assert handing["mqtt"].taken == taken
    assert await seen() == [("device:mqtt:b-1", 1)]


@needs_broker
async def test_a_device_hears_that_its_alarm_was_taken_and_speaks_for_nobody_else(
    broker: Broker, handing: dict[str, Handing], clean_database: Database
) -> None:
    with suppress(aiomqtt.MqttError):  # the broker may throw out who tries
        async with device(broker) as button:
            await button.publish("sos/up/b-2/alarm", "sos", qos=1)
    async with subscribed(broker, handing["mqtt"]), device(broker) as button:
        await button.subscribe("sos/down/b-1/taken", 1)
        await asyncio.sleep(0.3)  # a first session has to be there before what it is to be told
        await button.publish("sos/up/b-1/alarm", dumps({"type": "x-99", "msg_id": "m-2"}), qos=1)
        heard = await asyncio.wait_for(anext(aiter(button.messages)), 5)
    assert heard.payload == b"m-2"
    (one,) = await incidents(clean_database)
    assert (one["subject"], one["kind"]) == ("device:mqtt:b-1", "x-99")


async def test_a_broker_that_hands_over_thousands_at_once_is_served_one_after_the_other() -> None:
    """As many requests at once would wait for a connection until each had given up."""
    under_way = most = 0

    async def service(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return httpx.Response(200, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(service), base_url="https://x.test") as client:
        handing = Handing(client, ("de_key", "secret"), "mqtt")
        async with asyncio.timeout(20):
            await asyncio.gather(
                *(handing.alarm({"device_id": "1", "msg_id": str(n), "type": "sos"}) for n in range(1000))
            )
    assert handing.taken == 1000
    assert most == AT_ONCE
