"""The journal of a visit: one pure fold over everything the provider's app ever told us. Pure.

The result depends on the set of events alone, so any order of arrival, any number of repeats and any delay lead
to the same visit. Three decisions make that so:

* Only events of the caregiver who holds the order count, and only those that happened between five minutes
  before the assignment and five minutes after the moment of folding (device clocks differ that much). A second
  caregiver's photos and hazards count, too, and nothing else of hers: one person leads.
* Events are put in the order of the device's own sequence where it has one: a clock that was set back must not
  turn check-out into check-in. Events without a sequence number stand by their time.
* The first departure, arrival and check-in win; the visit ends with the first check-out or failure after the
  check-in, because later presses of the same button are repeats. Evidence and hazards add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

TOLERANCE = timedelta(minutes=5)
"""How far a device clock may be off before its word is doubted."""


class Kind(StrEnum):
    DEPARTED = "departed"
    ARRIVED = "arrived"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    FAILED = "failed"
    EVIDENCE_ADDED = "evidence_added"
    HAZARD_REPORTED = "hazard_reported"


class Method(StrEnum):
    """How presence was shown; `manual` means somebody typed it in."""

    GPS = "gps"
    PHONE = "phone"
    OTP = "otp"
    QR = "qr"
    NFC = "nfc"
    MANUAL = "manual"


class VisitStatus(StrEnum):
    EXPECTED = "expected"
    EN_ROUTE = "en_route"
    ARRIVED = "arrived"
    IN_SERVICE = "in_service"
    ENDED = "ended"
    FAILED = "failed"


ADDITIONS = frozenset({Kind.EVIDENCE_ADDED, Kind.HAZARD_REPORTED})
"""Kinds that add to a visit at any time and never move it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored event, reduced to what the fold needs. Places are WGS-84 degrees, `accuracy_m` metres."""

    provider_id: UUID
    event_id: str
    caregiver_id: UUID
    kind: Kind
    occurred_at: datetime
    method: Method
    device_seq: int | None = None
    lng: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    evidence: tuple[UUID, ...] = ()
    reason_code: str | None = None
    back_filled: bool = False
    """It reached us longer after it happened than an offline device explains."""
    proved: bool | None = None
    """Whether the proof of presence that came with it held; None where none is asked for."""

    @property
    def key(self) -> tuple[UUID, str]:
        return self.provider_id, self.event_id


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds the order, and since when; without a caregiver nothing counts. `second` may add what she saw."""

    provider_id: UUID | None
    caregiver_id: UUID | None
    since: datetime | None
    second: UUID | None = None

    def adds(self, entry: Entry) -> bool:
        """Is this something the second caregiver saw or photographed?"""
        return entry.caregiver_id == self.second and entry.kind in ADDITIONS


@dataclass(frozen=True, slots=True)
class Journal:
    """What the events say, before anybody judges it."""

    status: VisitStatus = VisitStatus.EXPECTED
    departed: Entry | None = None
    arrived: Entry | None = None
    begin: Entry | None = None
    end: Entry | None = None
    failure: Entry | None = None
    manual: bool = False
    contradicted: bool = False
    """The app reported both a finished and a failed visit."""
    check_out_without_check_in: bool = False
    unproved: bool = False
    """An end of the visit rests on a code, card or call that did not hold."""
    evidence: tuple[UUID, ...] = ()
    hazards: tuple[str, ...] = ()

    @property
    def minutes(self) -> int | None:
        """Whole minutes between check-in and check-out; None before the end or when the clock ran backwards."""
        if self.begin is None or self.end is None:
            return None
        seconds = (self.end.occurred_at - self.begin.occurred_at).total_seconds()
        return int(seconds // 60) if seconds >= 0 else None


def doubt(entry: Entry, holding: Holding, as_of: datetime) -> str | None:
    """Why an event does not count as of `as_of`, or None when it does."""
    if holding.caregiver_id is None:
        return "order_not_assigned"
    hers = entry.caregiver_id == holding.caregiver_id or holding.adds(entry)
    if entry.provider_id != holding.provider_id or not hers:
        return "caregiver_does_not_hold_the_order"
    if holding.since is not None and entry.occurred_at < holding.since - TOLERANCE:
        return "before_assignment"
    if entry.occurred_at > as_of + TOLERANCE:
        return "in_the_future"
    return None


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """The entries as they happened; repeats dropped. A total order, whatever the order they come in.

    A device sequence rules over the clock: an event stands no earlier than any event of a smaller number.
    """
    unique = {entry.key: entry for entry in entries}.values()
    numbered = sorted(
        (entry for entry in unique if entry.device_seq is not None),
        key=lambda entry: (entry.device_seq, entry.occurred_at, entry.event_id),
    )
    stands_at: dict[tuple[UUID, str], datetime] = {}
    latest: datetime | None = None
    for entry in numbered:
        latest = entry.occurred_at if latest is None else max(latest, entry.occurred_at)
        stands_at[entry.key] = latest
    return sorted(
        unique,
        key=lambda entry: (
            stands_at.get(entry.key, entry.occurred_at),
            -1 if entry.device_seq is None else entry.device_seq,
            entry.occurred_at,
            entry.event_id,
        ),
    )


def fold(entries: Iterable[Entry], holding: Holding, as_of: datetime) -> Journal:
    """The visit that `entries` describe for whoever holds the order now."""
    believed = [entry for entry in entries if doubt(entry, holding, as_of) is None]
    # Another telephone numbers by itself: its numbers must not move the events of the one who leads.
    counted = in_order(entry for entry in believed if not holding.adds(entry))
    told = counted + in_order(entry for entry in believed if holding.adds(entry))
    firsts: dict[Kind, Entry] = {}
    for entry in counted:
        firsts.setdefault(entry.kind, entry)
    begin = firsts.get(Kind.CHECKED_IN)
    after_begin = counted[counted.index(begin) + 1 :] if begin else []
    end = _first(after_begin, Kind.CHECKED_OUT)
    failure = firsts.get(Kind.FAILED)
    contradicted = end is not None and failure is not None
    if end is not None and failure is not None:
        earlier = min(end, failure, key=counted.index)
        end, failure = (end, None) if earlier is end else (None, failure)
    journal = Journal(
        departed=firsts.get(Kind.DEPARTED),
        arrived=firsts.get(Kind.ARRIVED),
        begin=begin,
        end=end,
        failure=failure,
        contradicted=contradicted,
        check_out_without_check_in=end is None and failure is None and Kind.CHECKED_OUT in firsts,
        evidence=tuple(dict.fromkeys(upload for entry in told for upload in entry.evidence)),
        hazards=tuple(dict.fromkeys(e.reason_code or "unspecified" for e in told if e.kind is Kind.HAZARD_REPORTED)),
    )
    return _with_marks(journal, counted)


def _first(entries: Iterable[Entry], kind: Kind) -> Entry | None:
    return next((entry for entry in entries if entry.kind is kind), None)


def _with_marks(journal: Journal, counted: list[Entry]) -> Journal:
    """Add the status and the mark of manual entry, which one typed-in event leaves for ever."""
    stands_on = (journal.departed, journal.arrived, journal.begin, journal.end, journal.failure)
    manual = any(e.method is Method.MANUAL for e in counted if e.kind not in ADDITIONS) or any(
        entry.back_filled for entry in stands_on if entry is not None
    )
    if journal.failure is not None:
        status = VisitStatus.FAILED
    elif journal.end is not None:
        status = VisitStatus.ENDED
    elif journal.begin is not None:
        status = VisitStatus.IN_SERVICE
    elif journal.arrived is not None:
        status = VisitStatus.ARRIVED
    elif journal.departed is not None:
        status = VisitStatus.EN_ROUTE
    else:
        status = VisitStatus.EXPECTED
    unproved = any(entry is not None and entry.proved is False for entry in (journal.begin, journal.end))
    return replace(journal, status=status, manual=manual, unproved=unproved)
