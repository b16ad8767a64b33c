"""A map behind real sockets that answers slowly, wrongly, half, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import orjson
import pytest

from app.core import clock
from app.core.config import Settings
from app.core.db import Database
from app.core.geo import distance_m, gcj02_to_wgs84, geohash, geohash_centre
from app.core.http import SYSTEM
from app.dispatch import service
from app.main import create_app
from app.matching.map_amap import CONSEQUENCES, Amap, Consequence
from app.matching.maps import NoAnswer, Origin, RoadTimes
from tests.conftest import TestServer, vault
from tests.world.accounts import staff_headers
from tests.world.orders import TUESDAY_TEN, make_order, make_town
from tests.world.providers import make_caregiver

HOME, NEAR, FAR = (102.19, 38.52), (102.20, 38.53), (102.30, 38.60)
KEY = "secret-key-of-the-test"
Behaviour = Callable[[dict[str, str], asyncio.StreamWriter], Awaitable[None]]


def results(asked: dict[str, str], **first: Any) -> dict[str, Any]:
    """A good answer: every origin 1,800 m and 300 s away; `first` changes the first one's."""
    count = len(asked["origins"].split("|"))
    found = [{"origin_id": str(i + 1), "dest_id": "1", "distance": "1800", "duration": "300"} for i in range(count)]
    found[0] |= first
    return {"status": "1", "info": "OK", "infocode": "10000", "results": found}


async def send(
    writer: asyncio.StreamWriter, body: bytes, status: str = "200 OK", kind: str = "application/json"
) -> None:
    writer.write(f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


def says(content: Any) -> Behaviour:
    async def answer(_asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
        await send(writer, orjson.dumps(content))

    return answer


def refuses(infocode: int) -> Behaviour:
    return says({"status": "0", "info": "SOME_TEXT", "infocode": str(infocode)})


async def well(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    await send(writer, orjson.dumps(results(asked)))


async def backwards(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    content = results(asked, duration="60")
    content["results"].reverse()
    await send(writer, orjson.dumps(content))


async def slowly(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.8)
    await well(asked, writer)


async def half(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    body = orjson.dumps(results(asked))
    writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
    await writer.drain()


async def hangs_up(_asked: dict[str, str], _writer: asyncio.StreamWriter) -> None:
    return


async def garbage(_asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff\x13 not even http\r\n\r\n")
    await writer.drain()


async def page(_asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    await send(writer, b"<html><body>502</body></html>", kind="text/html")


async def broken(_asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    await send(writer, b"busy", status="503 Service Unavailable")


async def elsewhere(_asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nlocation: /v3/distance\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def endless(_asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n" + b" " * 900_000)
    await writer.drain()


async def one_missing(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    content = results(asked)
    content["results"].pop()
    await send(writer, orjson.dumps(content))


async def one_twice(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    content = results(asked)
    content["results"][-1]["origin_id"] = "1"
    await send(writer, orjson.dumps(content))


async def one_too_many(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
    content = results(asked)
    content["results"].append({"origin_id": "3", "distance": "1", "duration": "1"})
    await send(writer, orjson.dumps(content))


@dataclass
class Stub:
    """A server on the loopback that does as it is told, and remembers what it was asked."""

    behaviour: Behaviour = well
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                target = urlsplit(line.decode().split(" ")[1])
                while (await reader.readline()).strip():
                    pass
                asked = {name: values[0] for name, values in parse_qs(target.query).items()}
                self.asked.append({"path": target.path, **asked})
                self.came.set()
                await self.behaviour(asked, writer)
                if self.behaviour not in (well, backwards, slowly):
                    return
        except ConnectionError:
            return
        finally:
            writer.close()


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    stub = Stub()
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield stub
    server.close()


@pytest.fixture
async def amap(stub: Stub) -> AsyncIterator[Amap]:
    amap = Amap(KEY, stub.url)
    with clock.hold(TUESDAY_TEN):
        yield amap
    await amap.close()


async def outcome(amap: Amap, mode: str = "car") -> str:
    try:
        await amap.seconds([HOME, NEAR], FAR, mode)
    except NoAnswer as refusal:
        return refusal.outcome
    return "ok"


async def test_what_is_asked_is_what_the_vendor_documents(amap: Amap, stub: Stub) -> None:
    assert await amap.seconds([HOME, NEAR], FAR, "car") == [300 + 240, 300 + 240]
    asked = stub.asked[0]
    assert (asked["path"], asked["type"], asked["key"]) == ("/v3/distance", "1", KEY)
    assert len(asked["origins"].split("|")) == 2
    lng, lat = (float(part) for part in asked["destination"].split(","))
    assert distance_m(lng, lat, *FAR) > 100  # another datum, and longitude first
    assert distance_m(*gcj02_to_wgs84(lng, lat), *FAR) < 1
    await amap.seconds([HOME], NEAR, "walk")
    assert stub.asked[1]["type"] == "3"


async def test_results_belong_to_their_origins_in_whatever_order_they_come(amap: Amap, stub: Stub) -> None:
    stub.behaviour = backwards
    assert await amap.seconds([HOME, NEAR], FAR, "car") == [60 + 240, 300 + 240]


async def test_an_electric_bicycle_rides_the_road_at_its_own_pace(amap: Amap) -> None:
    assert await amap.seconds([HOME], FAR, "ebike") == [360 + 120]  # 1.8 km at 18 km/h, and two minutes
    assert not amap.knows("bus")


async def test_too_far_to_walk_is_not_asked_and_a_hundred_go_at_once(amap: Amap, stub: Stub) -> None:
    assert await amap.seconds([HOME, FAR], NEAR, "walk") == [300, None]
    assert len(stub.asked[0]["origins"].split("|")) == 1
    assert await amap.seconds([HOME] * 250, FAR, "car") == [540] * 250
    assert [len(asked["origins"].split("|")) for asked in stub.asked[1:]] == [100, 100, 50]


@pytest.mark.parametrize(
    "first",
    [{"duration": "0"}, {"duration": []}, {"distance": "-1"}, {"duration": "1e3"}, {"code": "1", "distance": None}],
    ids=str,
)
async def test_a_way_it_does_not_know_is_none_and_the_others_count(
    amap: Amap, stub: Stub, first: dict[str, Any]
) -> None:
    async def answer(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
        await send(writer, orjson.dumps(results(asked, **first)))

    stub.behaviour = answer
    assert await amap.seconds([HOME, NEAR], FAR, "car") == [None, 540]


@pytest.mark.parametrize(
    "behaviour",
    [half, hangs_up, garbage, page, broken, elsewhere, endless, one_missing, one_twice, one_too_many,
     says([]), says("OK"), says({"status": "1"}), says({"status": "1", "infocode": "10000", "results": {}}),
     says({"status": "1", "infocode": "10000", "results": [None, None]})],
)  # fmt: skip
async def test_whatever_is_no_answer_makes_it_rest_and_it_comes_back(
    amap: Amap, stub: Stub, behaviour: Behaviour
) -> None:
    stub.behaviour = behaviour
    assert await outcome(amap) == "soon"
    assert await outcome(amap) == "resting"
    assert len(stub.asked) == 1
    stub.behaviour = well
    with clock.hold(TUESDAY_TEN + timedelta(seconds=3)):
        assert await outcome(amap) == "ok"
        assert await outcome(amap) == "ok"


async def test_nobody_there_is_trouble_for_a_moment(amap: Amap) -> None:
    nowhere = Amap(KEY, "http://127.0.0.1:1")
    assert await outcome(nowhere) == "soon"
    await nowhere.close()


@pytest.mark.parametrize(
    ("infocode", "rest"),
    [
        (10004, timedelta(minutes=1)), (10014, timedelta(seconds=2)), (10019, timedelta(seconds=2)),
        (10020, timedelta(seconds=2)), (10021, timedelta(seconds=2)), (10016, timedelta(seconds=2)),
        (20003, timedelta(seconds=2)), (30001, timedelta(seconds=2)), (99999, timedelta(seconds=2)),
        (10003, timedelta(hours=14)), (10044, timedelta(hours=14)), (40000, timedelta(hours=14)),
        (10001, timedelta(hours=1)), (10009, timedelta(hours=1)), (10013, timedelta(hours=1)),
        (10005, timedelta(hours=1)), (10010, timedelta(hours=1)),
    ],
)  # fmt: skip
async def test_every_documented_refusal_has_its_rest(amap: Amap, stub: Stub, infocode: int, rest: timedelta) -> None:
    stub.behaviour = refuses(infocode)
    assert await outcome(amap) == CONSEQUENCES.get(infocode, Consequence.SOON).value
    stub.behaviour = well
    with clock.hold(TUESDAY_TEN + rest - timedelta(seconds=1)):
        assert await outcome(amap) == "resting"
    with clock.hold(TUESDAY_TEN + rest):
        assert await outcome(amap) == "ok"


@pytest.mark.parametrize("infocode", [20000, 20800, 20801, 20802, 20803])
async def test_a_question_without_an_answer_does_not_stop_the_next(amap: Amap, stub: Stub, infocode: int) -> None:
    stub.behaviour = refuses(infocode)
    assert await outcome(amap) == "not_this"
    stub.behaviour = well
    assert await outcome(amap) == "ok"


async def test_trouble_that_stays_is_asked_about_ever_more_seldom(amap: Amap, stub: Stub) -> None:
    stub.behaviour = broken
    now, rests = TUESDAY_TEN, []
    for _ in range(12):
        with clock.hold(now):
            assert await outcome(amap) == "soon"
        assert amap.breaker.rests_until is not None
        rests.append((amap.breaker.rests_until - now).total_seconds())
        now = amap.breaker.rests_until
    assert rests[:4] == [2, 4, 8, 16]
    assert rests[-1] == 600


async def test_after_a_rest_one_question_goes_ahead_alone(amap: Amap, stub: Stub) -> None:
    stub.behaviour = broken
    assert await outcome(amap) == "soon"
    stub.behaviour = slowly
    with clock.hold(TUESDAY_TEN + timedelta(seconds=2)):
        answers = await asyncio.gather(*(outcome(amap) for _ in range(5)))
    assert sorted(answers) == ["ok", *["resting"] * 4]


async def test_the_key_stands_in_no_log_and_no_failure(
    amap: Amap, stub: Stub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    for behaviour in (well, half, refuses(10001)):
        stub.behaviour = behaviour
        amap.breaker.went_well()
        await outcome(amap)
    told = capsys.readouterr()
    assert "map_rests" in told.out + told.err + caplog.text
    assert KEY not in told.out + told.err + caplog.text


# The times of finalists, with the cache.


@asynccontextmanager
async def roads(server: TestServer, template: str, stub: Stub) -> AsyncIterator[tuple[RoadTimes, Database]]:
    name = "nuanxian_roads"
    database = Database(await server.clone(name, template), vault=vault(), pool_size=3)
    times = RoadTimes(database, Amap(KEY, stub.url))
    try:
        with clock.hold(TUESDAY_TEN):
            yield times, database
    finally:
        await times.close()
        await database.close()
        await server.drop(name)


SHE, HE = UUID(int=1), UUID(int=2)
ORIGINS = [Origin(SHE, HOME, "car"), Origin(HE, NEAR, "bus")]


async def test_asked_once_then_known_until_it_is_too_old(server: TestServer, template: str, stub: Stub) -> None:
    async with roads(server, template, stub) as (times, database):
        assert await times.minutes(ORIGINS, FAR, "day") == {SHE: 9}
        await settled(times)
        assert await times.minutes(ORIGINS, FAR, "day") == {SHE: 9}
        assert len(stub.asked) == 1
        assert await times.minutes(ORIGINS, FAR, "peak") == {SHE: 9}
        assert len(stub.asked) == 2
        await settled(times)
        with clock.hold(TUESDAY_TEN + timedelta(days=7)):
            await times.minutes(ORIGINS, FAR, "day")
        assert len(stub.asked) == 3
        await settled(times)
        async with database.statements() as tx:
            assert await tx.fetchval("SELECT count(*) FROM map_answer") == 2


async def test_the_map_is_told_a_square_and_not_a_door(server: TestServer, template: str, stub: Stub) -> None:
    async with roads(server, template, stub) as (times, _):
        await times.minutes(ORIGINS, FAR, "day")
        lng, lat = gcj02_to_wgs84(*(float(part) for part in stub.asked[0]["destination"].split(",")))
        assert (lng, lat) != pytest.approx(FAR, abs=1e-6)
        assert (lng, lat) == pytest.approx(geohash_centre(geohash(*FAR, 7)), abs=1e-5)


async def test_a_slow_map_costs_no_more_than_the_budget_holds_no_connection_and_serves_the_next(
    server: TestServer, template: str, stub: Stub
) -> None:
    stub.behaviour = slowly
    async with roads(server, template, stub) as (times, database):
        loop = asyncio.get_running_loop()
        began = loop.time()
        waiting = asyncio.create_task(times.minutes(ORIGINS, FAR, "day"))
        await asyncio.wait_for(stub.came.wait(), 5)
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert await waiting == {}
        assert loop.time() - began < 0.8
        await settled(times)
        assert await times.minutes(ORIGINS, FAR, "day") == {SHE: 9}
        assert len(stub.asked) == 1


@pytest.mark.parametrize("behaviour", [half, garbage, refuses(10003)])
async def test_a_map_that_fails_costs_the_estimate_nothing(
    server: TestServer, template: str, stub: Stub, behaviour: Behaviour
) -> None:
    stub.behaviour = behaviour
    async with roads(server, template, stub) as (times, _):
        assert await times.minutes(ORIGINS, FAR, "day") == {}


async def test_without_a_key_nothing_is_asked(server: TestServer) -> None:
    assert await RoadTimes(Database(server.product, vault=vault()), None).minutes(ORIGINS, FAR, "day") == {}


async def settled(times: RoadTimes) -> None:
    """Until every question on its way has been answered and kept."""
    await asyncio.gather(*times._asking, return_exceptions=True)
    await asyncio.sleep(0)


def test_geohash_against_the_published_example() -> None:
    assert geohash(10.40744, 57.64911, 11) == "u4pruydqqvj"
    assert geohash_centre("u4pruydqqvj") == pytest.approx((10.40744, 57.64911), abs=1e-5)


# What a dispatcher sees.


async def test_the_desk_sees_the_maps_minutes_and_a_new_order_of_rank(
    settings: Settings, database: Database, stub: Stub
) -> None:
    """By the crow the first is nearer; by road she is farther. Whom the map cannot place keeps the estimate."""

    async def by_road(asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
        content = results(asked)
        for result, origin in zip(content["results"], asked["origins"].split("|"), strict=True):
            result["duration"] = "2400" if origin.startswith("102.19") else "300"
        await send(writer, orjson.dumps(content))

    with clock.hold(TUESDAY_TEN):
        async with database.transaction() as tx:
            town = await make_town(tx, providers=1, caregivers=0)
            homes = {"near": (102.19, 38.521), "far": (102.23, 38.52)}
            drive = {
                name: await make_caregiver(tx, town.providers[0], home_lng=lng, home_lat=lat, travel_mode="car")
                for name, (lng, lat) in homes.items()
            }
            rides = await make_caregiver(tx, town.providers[0], home_lng=102.20, home_lat=38.53, travel_mode="bus")
            order = await make_order(tx, town.elder)
            await service.redispatch(tx, SYSTEM, order.id, "again")
            await tx.run("UPDATE booking SET status = 'released'")
            await tx.run("DELETE FROM offer")
        app = create_app(settings.model_copy(update={"amap_key": KEY, "amap_url": stub.url}), database)
        transport = httpx.ASGITransport(app=app)
        headers = await staff_headers(database)
        shown = {}
        async with httpx.AsyncClient(transport=transport, base_url="https://nuanxian.test", headers=headers) as desk:
            for behaviour in (broken, by_road):
                stub.behaviour = behaviour
                answer = await desk.get(f"/v1/orders/{order.id}/candidates")
                assert answer.status_code == 200, answer.text
                shown[behaviour] = answer.json()["candidates"]
                with clock.hold(TUESDAY_TEN):
                    app.state.road_times._map.breaker.went_well()
        await app.state.road_times.close()
    assert [one["caregiver_id"] for one in shown[broken]][:2] == [str(drive["near"]), str(drive["far"])]
    assert {one["travel_source"] for one in shown[broken]} == {"estimate"}
    told = {one["caregiver_id"]: (one["travel_minutes"], one["travel_source"]) for one in shown[by_road]}
    assert told[str(drive["near"])] == (44, "map")
    assert told[str(drive["far"])] == (9, "map")
    assert told[str(rides)][1] == "estimate"
    assert shown[by_road][0]["caregiver_id"] == str(drive["far"])
