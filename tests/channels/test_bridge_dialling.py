"""Click-to-call from the desk's door to the exchange's line and back."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.channels.bridge import asterisk, command, freeswitch, running
from app.channels.bridge.dialling import Dial, Dialler, dial_of, domestic
from app.channels.bridge.door import Door
from app.channels.bridge.exchanges import Asterisk, DialOut, Exchange, FreeSwitch
from app.core.db import Database
from app.serving.failures import ServingFailure
from tests.channels import exchanges
from tests.channels.exchanges import PASSWORD, Playing, ami_message, esl_frame, listening
from tests.intake.conftest import Headers
from tests.world.accounts import make_app_key
from tests.world.elders import make_elder

ID = re.compile(r"(?:Job-UUID: |ActionID: dial-)([0-9a-f-]{36})")


@pytest.mark.parametrize(
    ("e164", "dialled"),
    [("+8613893512345", "13893512345"), ("+869358212349", "09358212349"), ("+861065551234", "01065551234"),
     ("+4930123456", "004930123456")],
)  # fmt: skip
def test_numbers_are_dialled_as_in_this_country(e164: str, dialled: str) -> None:
    assert domestic(e164) == dialled


@given(st.text(max_size=40), st.text(max_size=40))
def test_nothing_but_a_number_and_an_extension_becomes_a_command(extension: str, number: str) -> None:
    try:
        dial = dial_of({"id": "1", "extension": extension, "number": number})
    except ValueError:
        return
    line = freeswitch.originate(dial, "sofia/gateway/out/{number}").decode()
    assert line.count("\n") == 3, "one command, its id, and the end"
    assert not any(mark in dial.number + dial.extension for mark in " \r\n&{}(),'\"")


def test_what_the_exchanges_are_told() -> None:
    dial = Dial("0197a6c0-0000-7000-8000-000000000002", "8001", "13893512345")
    assert freeswitch.originate(dial, "sofia/gateway/out/{number}") == (
        b"bgapi originate {ignore_early_media=true,originate_timeout=30}user/8001 "
        b"&bridge(sofia/gateway/out/13893512345)\nJob-UUID: 0197a6c0-0000-7000-8000-000000000002\n\n"
    )
    assert asterisk.originate(dial, "from-desk")["Exten"] == "13893512345"


def test_an_operators_own_phone_is_no_call_to_us() -> None:
    """Not even where the trunk and the operators' phones begin alike."""
    now, dial = datetime(2026, 11, 22, tzinfo=UTC), Dial("0197a6c0-0000-7000-8000-000000000002", "8001", "13893512345")
    calls, trunks = asterisk.Calls(("PJSIP/",)), ("PJSIP/",)
    number = asterisk.originate(dial, "from-desk")["ChannelId"]
    phone = {"Channel": "PJSIP/8001-0000001a", "Uniqueid": number, "Linkedid": number, "CallerIDNum": "8001"}
    rung = {"DestChannel": "PJSIP/gateway-0000001b", "DestUniqueid": "1700000000.2"}
    for said in (
        phone | {"Event": "Newchannel"},
        phone | rung | {"Event": "DialBegin"},
        phone | rung | {"Event": "DialEnd", "DialStatus": "ANSWER"},
        phone | {"Event": "Hangup"},
    ):
        assert calls.add(said, now) == []
    assert [call.waits_for_us for call in asterisk.open_calls([phone], trunks, now)] == [False]
    begins = phone | {"Event": "Newchannel", "Uniqueid": "1700000000.9", "Linkedid": "1700000000.9"}
    assert len(calls.add(begins, now)) == 1, "what is no phone of ours ringing still is a call"


@pytest.mark.parametrize("trunks", [[], ["--trunks", ""], ["--trunks", " , "]])
def test_asterisks_trunks_have_to_be_named(trunks: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (command.PASSWORD, command.APP_KEY, command.SECRET):
        monkeypatch.setenv(name, "x")
    parser = argparse.ArgumentParser()
    command.options(parser)
    with pytest.raises(ServingFailure, match="--trunks"):
        command.bridge(1, parser.parse_args(["--exchange", "asterisk", *trunks]))


def obedient_freeswitch(answer: str) -> Callable[[str], bytes]:
    def obey(line: str) -> bytes:
        found = ID.search(line)
        assert found is not None
        done = {"Event-Name": "BACKGROUND_JOB", "Job-UUID": found[1], "_body": answer}
        return esl_frame("command/reply", Reply_Text=f"%2BOK Job-UUID: {found[1]}") + esl_frame(
            "text/event-json", json.dumps(done).encode()
        )

    return obey


def obedient_asterisk(answer: str) -> Callable[[str], bytes]:
    def obey(lines: str) -> bytes:
        found = ID.search(lines)
        assert found is not None
        queued = ami_message({"Response": "Success", "ActionID": f"dial-{found[1]}", "Message": "Originate queued"})
        done = {"Event": "OriginateResponse", "ActionID": f"dial-{found[1]}", "Response": answer, "Reason": "3"}
        return queued + ami_message(done)

    return obey


@pytest.fixture
async def waiting(doors: httpx.AsyncClient, operator: Headers, clean_database: Database) -> str:
    """The id of a request to be connected with an elder."""
    async with clean_database.transaction() as tx:
        elder = await make_elder(tx)
    await doors.put("/v1/desk/presence", json={"extension": "8001"}, headers=operator())
    made = await doors.post("/v1/dials", json={"about": "elder", "about_id": str(elder)}, headers=operator())
    return str(made.json()["id"])


async def settled(doors: httpx.AsyncClient, operator: Headers, dial_id: str) -> Any:
    async with asyncio.timeout(10):
        while True:
            found = (await doors.get(f"/v1/dials/{dial_id}", headers=operator())).json()
            if found["status"] not in {"requested", "taken"}:
                return found
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("kind", "answer", "status", "cause"),
    [
        ("freeswitch", "+OK 7f4de4bc\n", "started", None),
        ("freeswitch", "-ERR USER_NOT_REGISTERED\n", "failed", "USER_NOT_REGISTERED"),
        ("asterisk", "Success", "started", None),
        ("asterisk", "Failure", "failed", "reason_3"),
    ],
)
async def test_an_operator_is_connected_and_hears_what_became_of_it(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, waiting: str,
    kind: str, answer: str, status: str, cause: str | None,
) -> None:  # fmt: skip
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, kind="telephony")
    playing = Playing([])
    playing.obeys = obedient_freeswitch(answer) if kind == "freeswitch" else obedient_asterisk(answer)
    serve = exchanges.freeswitch(playing) if kind == "freeswitch" else exchanges.asterisk(playing)
    dialler = Dialler(doors, key)
    async with listening(serve) as port:

        def connect() -> Exchange:
            if kind == "freeswitch":
                out = DialOut("sofia/gateway/out/{number}", dialler.settled)
                return FreeSwitch("127.0.0.1", port, PASSWORD, frozenset({"12349"}), out)
            return Asterisk("127.0.0.1", port, "desk", PASSWORD, ("PJSIP/gw",), DialOut("from-desk", dialler.settled))

        bridge = asyncio.create_task(running.run(connect, Door(doors, key, kind, "one"), dialler))
        try:
            found = await settled(doors, operator, waiting)
        finally:
            bridge.cancel()
            await asyncio.wait({bridge})
    assert (found["status"], found["cause"]) == (status, cause)
    assert sum("8001" in line for line in playing.heard) == 1, "rung once"


async def test_without_an_exchange_nothing_is_taken(
    doors: httpx.AsyncClient, operator: Headers, clean_database: Database, waiting: str
) -> None:
    async with clean_database.transaction() as tx:
        key = await make_app_key(tx, kind="telephony")
    work = asyncio.create_task(Dialler(doors, key).work())
    await asyncio.sleep(0.7)
    work.cancel()
    assert (await doors.get(f"/v1/dials/{waiting}", headers=operator())).json()["status"] == "requested"
