"""Streams recorded from running Asterisks, which are not ours to ship: `--recorded-ami FOLDER` names where they lie.

They were recorded without `timestampevents`, which the bridge asks for: their order is given to them as time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core import clock
from tests.channels.exchanges import Playing, Said
from tests.channels.test_bridge import Bridges, bridges, variants  # noqa: F401

TRUNK = "SIP/voipgrid-siproute"
LASTED = "00:00:20"


def recorded(path: Path, began: float) -> list[Said]:
    told: list[dict[str, Any]] = json.loads(path.read_text())
    return [
        {name: str(value) for name, value in one.items() if name != "content"} | {"Timestamp": f"{began + n / 10:.6f}"}
        for n, one in enumerate(told)
    ]


def streams(folder: str) -> list[Path]:
    return sorted(Path(folder).rglob("*.json"))


def living(said: list[Said]) -> list[Said]:
    """The callers' channels, as an exchange lists them that is asked in the middle."""
    return [
        {name: one[name] for name in ("Channel", "Uniqueid", "Linkedid")} | {"Duration": LASTED}
        for one in said
        if one.get("Event") == "Newchannel" and one["Channel"].startswith(TRUNK) and one["Uniqueid"] == one["Linkedid"]
    ]


def timeless(calls: dict[str, Any]) -> dict[str, Any]:
    """A call that is found when we come back began by this machine's clock."""
    return {key: call | {"first_at": None, "queued_at": None} for key, call in calls.items()}


async def test_recorded_streams_give_the_same_calls_however_they_arrive(
    request: pytest.FixtureRequest, bridges: Bridges  # noqa: F811
) -> None:  # fmt: skip
    folder = request.config.getoption("--recorded-ami")
    if folder is None:
        pytest.skip("no recorded streams were named")
    for path in streams(folder):
        said = recorded(path, clock.now().timestamp() - 20)
        in_order = await bridges.calls("asterisk", Playing([said]), trunk=TRUNK)
        print(path.name, {key: (c["outcome"], c["agent"], c["offers"], c["due"]) for key, c in in_order.items()})
        for name, parts in variants(said).items():
            playing = Playing(parts, [[], living(said)] if len(parts) > 1 else None, seed=len(name))
            again = await bridges.calls("asterisk", playing, trunk=TRUNK)
            assert timeless(again) == timeless(in_order), (path.name, name)
