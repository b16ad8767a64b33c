"""The hotline's figures: counted by hand beside them."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from app.calls import service as calls
from app.calls.figures import Counts, figures
from app.calls.record import CallEventFacts, EventType
from app.calls.service import Reported
from app.core.db import Database
from tests.calls.test_record import START
from tests.intake.conftest import Headers

DAY = {"begin": START.isoformat(), "end": (START + timedelta(days=1)).isoformat()}


def call(name: str, queue: str, *told: tuple[EventType, float]) -> list[Reported]:
    """A call that joins the queue at once; then what is told, so many seconds later."""
    events = [(EventType.QUEUED, 0.0), *told]
    return [
        Reported(
            "pbx", "one", name, CallEventFacts(kind, f"{kind}{after}", START + timedelta(seconds=after), queue=queue)
        )
        for kind, after in events
    ]


CALLS = [
    *call("quick", "a", (EventType.ANSWERED, 15.0), (EventType.ENDED, 60)),
    *call("slow", "a", (EventType.ANSWERED, 15.5), (EventType.ENDED, 60)),
    *call("slower", "b", (EventType.ANSWERED, 40), (EventType.ENDED, 90)),
    *call("wrong number", "a", (EventType.ABANDONED, 4.9), (EventType.ENDED, 4.9)),
    *call("given up", "a", (EventType.ABANDONED, 5.0), (EventType.ENDED, 5.0)),
    *call("hung up on", "b", (EventType.ENDED, 30)),
    *call("machine", "a", (EventType.VOICEMAIL, 20), (EventType.ENDED, 50)),
    *call("ghost", "a", (EventType.PRESUMED_ENDED, 900)),
    *call("still there", "a", (EventType.ANSWERED, 1)),
]  # fmt: skip


async def test_figures_by_both_standards(doors: httpx.AsyncClient, operator: Headers, clean_database: Database) -> None:
    async with clean_database.transaction() as tx:
        await calls.record(tx, CALLS)
    answer = await doors.get("/v1/hotline-figures", params=DAY, headers=operator())
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert [seen[name] for name in ("offered", "answered", "abandoned", "voicemail", "unknown")] == [7, 3, 3, 1, 1]
    assert {figure["name"]: figure["share"] for figure in seen["figures"]} == {
        "answered_within_15s": round(1 / 7, 4), "connect_rate": round(3 / 6, 4), "abandon_rate": round(3 / 7, 4),
        "nena_within_15s": round(1 / 7, 4), "nena_within_20s": round(2 / 7, 4),
    }  # fmt: skip
    one_queue = (await doors.get("/v1/hotline-figures", params=DAY | {"queue": "b"}, headers=operator())).json()
    assert (one_queue["offered"], one_queue["answered"]) == (2, 1)
    before = {"begin": (START - timedelta(days=1)).isoformat(), "end": START.isoformat()}
    empty = (await doors.get("/v1/hotline-figures", params=before, headers=operator())).json()
    assert {figure["share"] for figure in empty["figures"]} == {None}


@pytest.mark.parametrize("end", [START, START - timedelta(days=1), START + timedelta(days=367)])
async def test_periods_that_are_none(doors: httpx.AsyncClient, operator: Headers, end: object) -> None:
    answer = await doors.get("/v1/hotline-figures", params=DAY | {"end": str(end)}, headers=operator())
    assert answer.status_code == 422


def test_every_figure_says_how_it_is_counted() -> None:
    nothing = Counts(
        offered=0, answered=0, within_15=0, within_20=0, abandoned=0, abandoned_short=0, voicemail=0, unknown=0
    )
    for figure in figures(nothing):
        assert "/" in figure.definition
        assert figure.share is None
