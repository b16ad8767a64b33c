"""By which ways somebody is told something, what comes after a way that failed, and what may be declined. Pure.

The order is a house rule of the centre: WeChat costs nothing and is refused with a code, a text message reaches every
mobile phone, a person at the telephone reaches whoever is left. A push may vanish without a word, so it only ever
goes along with something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Purpose(StrEnum):
    ALARM = "alarm"
    """Somebody may be in danger."""
    CODE = "code"
    """Asked for a moment ago by whoever gets it."""
    WORK = "work"
    """For people at work, about their work."""
    SERVICE = "service"
    """How an order goes on."""


PURPOSES: Mapping[str, Purpose] = {
    "sos_family": Purpose.ALARM,
    "sos_helper": Purpose.ALARM,
    "one_time_code": Purpose.CODE,
    "offer": Purpose.WORK,
}
"""By template; every other is SERVICE."""

DECLINABLE = frozenset({Purpose.SERVICE})
"""What a recipient may do without. An alarm asks nobody."""

IN_ORDER = ("wechat", "sms")
BESIDE = "push"
VOICE = "voice"
"""An operator calls: a task of the desk, not a machine that speaks."""
CHANNELS = (*IN_ORDER, BESIDE, VOICE)

UNSPOKEN = frozenset({"one_time_code", "offer", "arrived", "completed"})
"""Templates nobody is called for: codes are not read out, an offer has its own deadline, and whoever was not told of
an arrival or an end is called by the follow-up anyway."""


class Way(NamedTuple):
    channel: str
    address: str


def purpose_of(template: str) -> Purpose:
    return PURPOSES.get(template, Purpose.SERVICE)


def chains(template: str, ways: Iterable[Way]) -> list[list[Way]]:
    """What is sent at once: the first way of every chain; each following one only after the one before has failed.

    News goes one way and falls back; an alarm goes every way at once. A call comes last, to a number only. An empty
    list where there is no way at all.
    """
    known = {way.channel: way for way in reversed(list(ways))}
    written = [known[channel] for channel in IN_ORDER if channel in known]
    spoken = [Way(VOICE, known["sms"].address)] if "sms" in known and template not in UNSPOKEN else []
    if VOICE in known:
        spoken = [known[VOICE]]
    at_once = purpose_of(template) is Purpose.ALARM and len(written) > 1
    main = [[way] for way in reversed(written)] if at_once else [written]
    main[0] = [*main[0], *spoken]
    return [chain for chain in [*main, [known[BESIDE]] if BESIDE in known else []] if chain]
