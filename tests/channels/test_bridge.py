"""The bridge, with exchanges that speak the wire: whatever is shuffled, doubled or cut, the calls are right."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.channels.bridge import running
from app.channels.bridge.door import Door
from app.channels.bridge.exchanges import Asterisk, Exchange, ExchangeError, FreeSwitch
from app.core.db import Database
from tests.channels import exchanges
from tests.channels.exchanges import PASSWORD, Playing, Said, listening
from tests.world.accounts import make_app_key

RECORDED = [
    json.loads(line) for line in (Path(__file__).parent / "freeswitch_queue_calls.jsonl").read_text().splitlines()
]
"""A queue of a running FreeSWITCH: one call that was answered, one whose caller gave up after six offers."""
ANSWERED, GAVE_UP = "0799992b-4c34-41cd-bf67-54883f153cc8", "65b85bba-3a76-45ab-83fe-ff86129302c8"
TRUNK = "PJSIP/gateway-0000001a"


def ami(event: str, second: float, channel: str = TRUNK, number: str = "1700000000.1", **more: str) -> Said:
    """An event of the call that began with channel 1700000000.1."""
    return {
        "Event": event, "Timestamp": f"{1_700_000_000 + second:.6f}", "Channel": channel, "Uniqueid": number,
        "Linkedid": "1700000000.1", **more,
    }  # fmt: skip


def rings(event: str, second: float, agent: str, number: str, **more: str) -> Said:
    return ami(event, second, DestChannel=f"PJSIP/{agent}-0000001b", DestUniqueid=number, **more)


QUEUE_CALL = [
    ami("Newchannel", 0, CallerIDNum="13800000001", Exten="12349", Context="from-trunk"),
    ami("QueueCallerJoin", 0.1, CallerIDNum="13800000001", Queue="home-care", Position="1", Count="1"),
    rings("AgentCalled", 0.2, "8001", "1700000000.2", Queue="home-care"),
    rings("DialBegin", 0.3, "8001", "1700000000.2"),
    rings("DialEnd", 10, "8001", "1700000000.2", DialStatus="NOANSWER"),
    rings("AgentRingNoAnswer", 10.1, "8001", "1700000000.2", Queue="home-care"),
    rings("DialBegin", 11, "8002", "1700000000.3"),
    rings("DialEnd", 14, "8002", "1700000000.3", DialStatus="ANSWER"),
    rings("AgentConnect", 14.1, "8002", "1700000000.3", Queue="home-care", HoldTime="14"),
    ami("BridgeEnter", 14.2, "PJSIP/8002-0000001b", "1700000000.3"),
    ami("BridgeEnter", 14.2),
    ami("VarSet", 14.3, Variable="MIXMONITOR_FILENAME", Value="/var/spool/asterisk/monitor/1700000000.1.wav"),
    ami("BlindTransfer", 60, TransfererChannel="PJSIP/8002-0000001b"),
    ami("Hangup", 60.1, "PJSIP/8002-0000001b", "1700000000.3", Cause="16"),
    rings("DialBegin", 61, "8003", "1700000000.4"),
    rings("DialEnd", 64, "8003", "1700000000.4", DialStatus="ANSWER"),
    ami("BridgeEnter", 64.1, "PJSIP/8003-0000001c", "1700000000.4"),
    ami("Hangup", 90, "PJSIP/8003-0000001c", "1700000000.4", Cause="16"),
    ami("Hangup", 90.1, Cause="16", **{"Cause-txt": "Normal Clearing"}),
]
COLLEAGUES = [
    {"Event": "Newchannel", "Channel": "PJSIP/8001-0000002a", "Uniqueid": "1700000000.9", "Linkedid": "1700000000.9"},
    {
        "Event": "DialBegin",
        "Uniqueid": "1700000000.9",
        "Linkedid": "1700000000.9",
        "DestChannel": "PJSIP/8002-0000002b",
    },
    {"Event": "Hangup", "Channel": "PJSIP/8001-0000002a", "Uniqueid": "1700000000.9", "Linkedid": "1700000000.9"},
]


class Bridges:
    """Runs bridges against the doors, one instance after the other, and reads the calls they made."""

    def __init__(self, doors: httpx.AsyncClient, database: Database, key: tuple[str, str]) -> None:
        self._doors, self._database, self._key = doors, database, key
        self._number = 0

    async def calls(
        self, kind: str, playing: Playing, doors: httpx.AsyncClient | None = None, trunk: str = "PJSIP/gateway"
    ) -> dict[str, Any]:
        """Everything but the ids of the calls after all parts were played, by the exchange's call id."""
        self._number += 1
        instance, serve = f"i{self._number}", getattr(exchanges, kind)(playing)
        async with listening(serve) as port:
            door = Door(doors or self._doors, self._key, kind, instance)
            work = asyncio.create_task(running.run(lambda: connect(kind, port, trunk=trunk), door))
            try:
                async with asyncio.timeout(60):
                    while await self._ends(instance) < len(playing.parts):
                        assert not work.done(), work.exception()
                        await asyncio.sleep(0.02)
                    await door.sent()
                    await _signed_in_again(playing)
            finally:
                work.cancel()
        async with self._database.transaction() as tx:
            rows = await tx.fetch("SELECT * FROM call WHERE source_instance = $1", instance)
            tasks = await tx.fetch(
                "SELECT c.call_id, t.reason, t.status FROM callback_task t JOIN call c ON c.id = t.call_id "
                "WHERE c.source_instance = $1 AND t.status <> 'withdrawn'", instance,
            )  # fmt: skip
        ours = {"id", "updated_at", "source_instance", "caller"}
        due = {row["call_id"]: (row["reason"], row["status"]) for row in tasks}
        return {
            row["call_id"]: {k: v for k, v in dict(row).items() if k not in ours} | {"due": due.get(row["call_id"])}
            for row in rows
        }

    async def _ends(self, instance: str) -> int:
        async with self._database.transaction() as tx:
            return int(
                await tx.fetchval(
                    "SELECT count(*) FROM call_event WHERE type = 'source.lost' AND source_instance = $1", instance
                )
            )


async def _signed_in_again(playing: Playing) -> None:
    """Whoever is stopped in the middle of signing in leaves half a connection, which warns of itself."""
    for _ in range(500):
        if playing.connections > len(playing.parts):
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


def connect(kind: str, port: int, password: str = PASSWORD, trunk: str = "PJSIP/gateway") -> Exchange:
    if kind == "freeswitch":
        return FreeSwitch("127.0.0.1", port, password, frozenset({"12349"}))
    return Asterisk("127.0.0.1", port, "nuanxian", password, (trunk,))


@pytest.fixture
async def bridges(doors: httpx.AsyncClient, clean_database: Database, monkeypatch: pytest.MonkeyPatch) -> Bridges:
    monkeypatch.setattr(running, "FIRST_PAUSE_S", 0.01)
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, kind="telephony", name="pbx")
    return Bridges(doors, clean_database, key)


def variants(recorded: list[Said]) -> dict[str, list[list[Said]]]:
    """The same events, connection by connection, as a bad line delivers them."""
    found: dict[str, list[list[Said]]] = {"doubled": [recorded + recorded], "backwards": [recorded[::-1]]}
    for seed in range(4):
        dice, shuffled = random.Random(seed), list(recorded)
        dice.shuffle(shuffled)
        found[f"shuffled {seed}"] = [shuffled]
        stop = dice.randrange(1, len(recorded))
        found[f"cut at {stop}"] = [recorded[:stop], recorded[max(0, stop - 3) :]]
    return found


async def test_a_recorded_queue_gives_the_same_calls_however_it_arrives(bridges: Bridges) -> None:
    in_order = await bridges.calls("freeswitch", Playing([RECORDED]))
    answered, gave_up = in_order[ANSWERED], in_order[GAVE_UP]
    assert (answered["outcome"], answered["agent"], answered["offers"], answered["due"]) == (
        "answered",
        "8001",
        1,
        None,
    )
    assert answered["answered_at"] == datetime.fromtimestamp(1795291230.835347, UTC)  # not when the exchange picked up
    assert answered["recording_ref"].endswith(f"{ANSWERED}.wav")
    assert (gave_up["outcome"], gave_up["cause"], gave_up["offers"]) == ("abandoned", "BREAK_OUT", 6)
    assert gave_up["due"] == ("abandoned", "due")
    live = [{"uuid": call, "direction": "inbound", "dest": "12349", "created_epoch": "1795291230"} for call in in_order]
    for name, parts in variants(RECORDED).items():
        again = await bridges.calls("freeswitch", Playing(parts, [[], live], seed=len(name)))
        for call in again.values():  # a call that is found when we come back began in whole seconds
            call["first_at"] = call["queued_at"] = None
        assert again == {i: c | {"first_at": None, "queued_at": None} for i, c in in_order.items()}, name


async def test_asterisk_in_any_order_with_a_transfer(bridges: Bridges) -> None:
    in_order = await bridges.calls("asterisk", Playing([QUEUE_CALL[:3] + COLLEAGUES + QUEUE_CALL[3:]]))
    (call,) = in_order.values()
    assert (call["outcome"], call["agent"], call["offers"], call["queue"]) == ("answered", "8003", 3, "home-care")
    assert call["answered_at"] == datetime.fromtimestamp(1_700_000_014, UTC)
    assert call["ended_at"] == datetime.fromtimestamp(1_700_000_090.1, UTC)
    live = [{"Channel": TRUNK, "Uniqueid": "1700000000.1", "Linkedid": "1700000000.1", "Duration": "00:00:20"}]
    for name, parts in variants(QUEUE_CALL).items():
        again = await bridges.calls("asterisk", Playing(parts, [[], live], seed=len(name)))
        for one in again.values():  # the bridge finds it by how long it has lasted on this machine's clock
            one["first_at"] = one["queued_at"] = None
        assert again == {i: c | {"first_at": None, "queued_at": None} for i, c in in_order.items()}, name


async def test_what_ended_unheard_is_closed_and_called_back(bridges: Bridges) -> None:
    begun = [said for said in RECORDED if said.get("CC-Member-Session-UUID") == GAVE_UP][:3]
    calls = await bridges.calls("freeswitch", Playing([begun, []], [[], []]))
    assert (calls[GAVE_UP]["state"], calls[GAVE_UP]["outcome"]) == ("over", "unknown")
    assert calls[GAVE_UP]["due"] == ("abandoned", "due")


async def test_a_hangup_alone_tells_that_an_agent_had_answered(bridges: Bridges) -> None:
    last = [said for said in RECORDED if said.get("Unique-ID") == ANSWERED and said["Event-Name"].endswith("COMPLETE")]
    calls = await bridges.calls("freeswitch", Playing([last]))
    assert (calls[ANSWERED]["outcome"], calls[ANSWERED]["agent"], calls[ANSWERED]["due"]) == ("answered", "8001", None)


async def test_a_call_that_is_there_when_we_come_is_not_lost(bridges: Bridges) -> None:
    row = {
        "uuid": "x1",
        "direction": "inbound",
        "dest": "12349",
        "created_epoch": "1795291230",
        "cid_num": "13800000001",
    }
    other = row | {"uuid": "x2", "dest": "8001"}
    calls = await bridges.calls("freeswitch", Playing([[]], [[row, other], [row]]))
    assert list(calls) == ["x1"]
    assert calls["x1"]["state"] == "waiting"


class Flaky(httpx.AsyncBaseTransport):
    """A service that is away, refuses, or answers and loses the answer."""

    def __init__(self, behind: httpx.AsyncBaseTransport, faults: list[str]) -> None:
        self._behind, self.faults = behind, faults

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "away":
            raise httpx.ConnectError("nobody there")
        if fault == "busy":
            return httpx.Response(503, headers={"Retry-After": "0"})
        answer = await self._behind.handle_async_request(request)
        if fault == "lost":
            raise httpx.ReadError("the answer did not come back")
        return answer


async def test_nothing_is_lost_while_the_service_is_away(
    bridges: Bridges, doors: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.channels.signed_door.FIRST_PAUSE_S", 0.01)
    in_order = await bridges.calls("freeswitch", Playing([RECORDED]))
    flaky = Flaky(doors._transport, ["away", "busy", "lost", "away", "lost", "busy"])
    async with httpx.AsyncClient(transport=flaky, base_url=doors.base_url) as service:
        assert await bridges.calls("freeswitch", Playing([RECORDED]), service) == in_order
    assert not flaky.faults


async def test_an_event_the_service_will_not_have_does_not_stop_the_others(
    doors: httpx.AsyncClient, clean_database: Database
) -> None:
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, kind="telephony", name="pbx")
    door = Door(doors, key, "freeswitch", "one")
    good = {"type": "call.abandoned", "call_id": "c1", "event_id": "1", "at": "2026-11-24T09:00:00+08:00"}
    work = asyncio.create_task(door.work())
    door.put([good | {"type": "call.invented"}, good])
    await asyncio.wait_for(door.sent(), 10)
    work.cancel()
    assert door.refused == 1
    async with clean_database.transaction() as tx:
        assert await tx.fetchval("SELECT outcome FROM call WHERE call_id = 'c1'") == "abandoned"


async def test_too_much_waiting_lets_the_oldest_go_and_asks_the_exchange_again(
    bridges: Bridges, doors: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.channels.bridge.door.WAITING", 5)
    monkeypatch.setattr("app.channels.signed_door.FIRST_PAUSE_S", 0.05)
    flaky = Flaky(doors._transport, ["away"] * 4)
    playing = Playing([RECORDED, []])
    async with httpx.AsyncClient(transport=flaky, base_url=doors.base_url) as service:
        calls = await bridges.calls("freeswitch", playing, service)
    assert playing.connections >= 2
    assert {call["state"] for call in calls.values()} == {"over"}


@pytest.mark.parametrize(("kind", "said"), [("freeswitch", "-ERR invalid"), ("asterisk", "Authentication failed")])
async def test_a_wrong_password_is_said(kind: str, said: str) -> None:
    serve: Callable[..., Any] = getattr(exchanges, kind)(Playing([]))
    async with listening(serve) as port:
        exchange = connect(kind, port, "wrong")
        with pytest.raises(ExchangeError, match=said):
            await exchange.open()
        await exchange.close()


async def test_nobody_there_is_said() -> None:
    with pytest.raises(ExchangeError, match="no exchange at"):
        await connect("asterisk", 1).open()
