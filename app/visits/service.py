"""What may be done with a visit: record events, enter what is missing by hand, decide on a doubtful one.

Everything takes the order's row lock first, then folds all events of the order anew. So two apps that report at
once wait for each other, and nothing depends on who came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.accounts import scope
from app.core import clock
from app.core.db import Tx
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.http import Caller, check_version
from app.core.ids import new_id
from app.orders import notes
from app.orders import service as orders
from app.orders.lifecycle import WITH_PROVIDER, Status
from app.orders.queries import OrderRow
from app.visits import advancing, hazards, inbox, proofs, queries, queries_caregiver, ways
from app.visits.events import HazardReported, VisitChanged
from app.visits.inbox import Arrival
from app.visits.journal import Method, VisitStatus, doubt, fold
from app.visits.projection import Subject, basis_of, project, summary
from app.visits.queries import Known
from app.visits.schemas import EventResult, ManualEntry, ProviderEvent


async def record(
    tx: Tx, caller: Caller, events: Sequence[ProviderEvent], brought: Mapping[str, str] | None = None
) -> list[EventResult]:
    """Store what a provider's app reports and let the orders follow; one result per event, in the order sent.

    Any order, any number of times, hours late: the same final state. `brought` holds by event id what a caregiver
    has scanned or been told as a proof of being there; a provider's system answers for its own people.
    Raises Forbidden for a caller without a provider; everything that is wrong with a single event is its result.
    """
    if caller.provider_id is None:
        raise Forbidden("not_a_provider", "only a provider's app reports visits")
    by_order: dict[UUID, list[int]] = defaultdict(list)
    for position, event in enumerate(events):
        by_order[event.order_id].append(position)
    results: dict[int, EventResult] = {}
    noticed: list[HazardReported] = []
    # Always in the same order of orders: two batches that name the same two orders must not wait in a circle.
    for order_id in sorted(by_order):
        positions = by_order[order_id]
        told = [events[position] for position in positions]
        answers, dangers = await _record_for(tx, caller, order_id, told, brought or {})
        results.update(zip(positions, answers, strict=True))
        noticed += dangers
    # After all the orders, and always in the same order of elders: what hears this locks by elder.
    for danger in sorted(noticed, key=lambda one: one.elder_id):
        await tx.publish(danger)
    return [results[position] for position in range(len(events))]


async def _record_for(
    tx: Tx, caller: Caller, order_id: UUID, events: list[ProviderEvent], brought: Mapping[str, str]
) -> tuple[list[EventResult], list[HazardReported]]:
    provider_id = caller.provider_id
    assert provider_id is not None  # noqa: S101 (record() has refused the others)
    try:
        order = await orders.locked(tx, order_id)
    except NotFound:
        return [inbox.rejected(event, "order_unknown") for event in events], []
    if order.provider_id != provider_id and not await queries.ever_held(tx, order_id, provider_id):
        return [inbox.rejected(event, "order_unknown") for event in events], []
    if caller.kind == "caregiver" and not await queries_caregiver.ever_hers(tx, order_id, UUID(caller.id)):
        return [inbox.rejected(event, "order_unknown") for event in events], []
    now = clock.now()
    known = await queries.known(tx, order_id, provider_id, [event.event_id for event in events])
    arrivals = [Arrival(event, provider_id, inbox.hash_of(event)) for event in events]
    answers = await inbox.examine(tx, caller, order, arrivals, known, now)
    fresh = [arrival for arrival in arrivals if arrival.is_new]
    if caller.kind == "caregiver":
        for arrival in fresh:
            arrival.proved = await proofs.hold(tx, order, arrival.event, brought.get(arrival.event.event_id))
    if any(answer.result != "rejected" for answer in answers):
        await _settle(tx, order, known, fresh, actor=caller.actor, now=now)
    return answers, hazards.reported(order, fresh, now)


async def record_by_hand(tx: Tx, caller: Caller, order_id: UUID, entry: ManualEntry) -> None:
    """Enter what the app failed to report (补录). The visit is marked for ever and goes to review.

    Raises NotFound out of scope, Conflict when no caregiver holds the order, Invalid for an impossible time.
    """
    order = await orders.locked(tx, order_id)
    scope.see(caller, order.division_code)
    if order.provider_id is None or order.caregiver_id is None or Status(order.status) not in WITH_PROVIDER:
        raise Conflict("order_not_assigned", "no caregiver holds this order", status=order.status)
    now = clock.now()
    event = ProviderEvent(
        event_id=f"desk:{new_id()}", type=entry.type, order_id=order_id, occurred_at=entry.occurred_at,
        caregiver_id=order.caregiver_id, method=Method.MANUAL, evidence=[], reason_code=entry.reason_code,
        note=entry.reason,
    )  # fmt: skip
    arrival = Arrival(event, order.provider_id, inbox.hash_of(event))
    if reason := doubt(arrival.entry, inbox.holding_of(order), now):
        raise Invalid("time_impossible", reason.replace("_", " "), field="occurred_at", reason=reason)
    known = await queries.known(tx, order_id, order.provider_id, [])
    arrival.accept(caller.actor, "applied", None, back_filled=False, now=now)
    await _settle(tx, order, known, [arrival], actor=caller.actor, now=now)


async def refold(tx: Tx, order_id: UUID, actor: str, *, follow: bool = True) -> None:
    """Look at an order's events again, after the order changed hands or a flag was dropped.

    `follow=False` leaves the order alone, for when somebody is just writing it.
    """
    order = await orders.locked(tx, order_id)
    known = await queries.known(tx, order_id, order.provider_id, [])
    if known.events or known.version is not None:
        await _settle(tx, order, known, [], actor=actor, now=clock.now(), follow=follow)


async def decide(tx: Tx, caller: Caller, order_id: UUID, verdict: str, reason: str, version: int | None = None) -> None:
    """A supervisor settles a doubtful visit. Whoever entered part of it by hand may not.

    Raises NotFound, Stale, Conflict unless the visit is over and in review, Forbidden("own_entry").
    """
    order = await orders.locked(tx, order_id)
    row = await queries.one(tx, order_id)
    if row is None:
        raise NotFound("visit_not_found")
    scope.see(caller, order.division_code)
    check_version(version, row["version"])
    if row["status"] not in {VisitStatus.ENDED, VisitStatus.FAILED}:
        raise Conflict("visit_not_over", "enter the missing check-in or check-out first", status=row["status"])
    if row["verification"] != "review":
        raise Conflict("visit_not_in_review", "there is nothing to decide", verification=row["verification"])
    if await queries.entered_by(tx, order_id, caller.actor):
        raise Forbidden("own_entry", "another person has to decide on what you entered by hand")
    now = clock.now()
    new_version = await queries.decide(tx, order_id, verdict, caller.actor, now, reason, basis_of(row))
    await notes.keep_visit(tx, order_id, summary(row | {"verification": verdict}))
    await _tell(tx, order, row | {"verification": verdict}, new_version, now)


async def _settle(
    tx: Tx,
    order: OrderRow,
    known: Known,
    fresh: list[Arrival],
    *,
    actor: str,
    now: datetime,
    follow: bool = True,
) -> None:
    """Fold old and new events, write what changed, and let the order follow."""
    entries = known.of_order(order.id) + [arrival.entry for arrival in fresh]
    journal = fold(entries, inbox.holding_of(order), now)
    row = project(await _subject(tx, order), journal, await inbox.policy_of(tx, order, now), known.decided)
    stored = [arrival.row(tx.vault) for arrival in fresh]
    added, version = await queries.write(tx, stored, row, now)
    if added != len(fresh):
        # Two orders, one event id, the same moment: the caller asks again and then hears which one was first.
        raise Conflict("event_id_reused", "an event id of this batch is being used for another order")
    if any(arrival.event.type in ways.TELLING for arrival in fresh):
        await ways.log(tx, order, journal)
    if follow:
        await advancing.follow(tx, order, journal, row, actor=actor)
    if version is not None and journal.status is not VisitStatus.EXPECTED:
        await _tell(tx, order, row, version, now)


async def _subject(tx: Tx, order: OrderRow) -> Subject:
    minimum = await tx.cache.get(
        ("visits.min_minutes", order.item_code), lambda: queries.min_minutes(tx, order.item_code)
    )
    home = (order.lng, order.lat) if order.lng is not None and order.lat is not None else None
    return Subject(
        order.id, order.item_code, order.elder_id, order.provider_id, order.caregiver_id, order.division_code,
        home, minimum,
    )  # fmt: skip


async def _tell(tx: Tx, order: OrderRow, row: dict[str, object], version: int, now: datetime) -> None:
    changed = VisitChanged(
        order_id=order.id, provider_id=order.provider_id, status=str(row["status"]),
        verification=str(row["verification"]), version=version, at=now,
    )  # fmt: skip
    await tx.publish(changed)
