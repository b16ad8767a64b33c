"""One page: which event wakes which hearer, which task does which job, what runs when.

Hearers of one event run in the order given, inside the transaction that published it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from app.accounts import tasks as account_tasks
from app.alarms import tasks as alarm_tasks
from app.alarms.events import IncidentClosed
from app.benefits import handlers as benefits
from app.calls import events as call_events
from app.calls import service as calls
from app.channels import emergencies, hazards, notices
from app.channels.gateways.accounts import Configured
from app.channels.porch import Porch
from app.channels.wechat import events as wechat_events
from app.channels.wechat.api import WeChatApi
from app.channels.wechat.sender import WeChatSender
from app.core import clock, idempotency
from app.core.config import Settings
from app.core.db import Database, Tx
from app.core.events import Bus
from app.dispatch import batching
from app.dispatch import events as dispatch_events
from app.dispatch import handlers as dispatch
from app.dispatch import tasks as dispatch_tasks
from app.elders import devices as elder_devices
from app.elders.events import CardRevoked, ElderDeparted
from app.exchange import handlers as exchange
from app.followup import events as followup_events
from app.followup import handlers as followup
from app.followup import tasks as followup_tasks
from app.hotline import nuisance, presence, recordings
from app.insight import snapshots
from app.intake import contacts
from app.intake import events as intake_events
from app.intake import tasks as intake_tasks
from app.jobs import feed, queue
from app.jobs import worker as jobs
from app.jobs.worker import Long, Periodic, Task
from app.matching import availability, maps, shares, travel_log
from app.matching.map_amap import Amap
from app.matching.maps import RoadTimes
from app.messaging import events as messaging_events
from app.messaging import service as messaging
from app.messaging import tasks as messaging_tasks
from app.messaging.sender import OutboxFile, RecordingSender
from app.orders import events as order_events
from app.orders import handlers as orders
from app.orders import recurring_orders
from app.orders import tasks as order_tasks
from app.providers.events import CaregiverChanged, ProviderSuspended
from app.rounds import disruptions, planning
from app.rounds.events import RoundsPublished
from app.routing import workers
from app.selfpay import handlers as selfpay
from app.selfpay import reconciling
from app.selfpay.api import WechatPayApi
from app.settlement import handlers as settlement
from app.transfers import service as transfers
from app.visits import events as visit_events
from app.visits import handlers as visits

FEED_KEPT = timedelta(days=90)
ENDING_S = 3.0


def bus() -> Bus:
    """Who listens to what."""
    bus = Bus()
    bus.on(ElderDeparted, benefits.on_elder_departed, orders.on_elder_departed)
    bus.on(CardRevoked, wechat_events.on_card_revoked)
    bus.on(ProviderSuspended, dispatch.on_provider_suspended)
    bus.on(CaregiverChanged, availability.on_caregiver_changed)
    bus.on(order_events.OrderPlaced, dispatch.on_order_placed, notices.on_order_placed)
    bus.on(
        order_events.OrderAdvanced,
        dispatch.on_order_advanced,
        visits.on_order_advanced,
        selfpay.on_order_advanced,
        exchange.on_order_advanced,
        notices.on_order_changed,
    )
    bus.on(
        order_events.OrderFlagged,
        dispatch.on_order_flagged,
        visits.on_order_flagged,
        followup.on_order_flagged,
        exchange.on_order_flagged,
        notices.on_order_changed,
    )
    bus.on(order_events.OrdersTouched, notices.on_orders_touched)
    bus.on(order_events.DeadlineMissed, notices.on_deadline_missed, dispatch.on_deadline_missed)
    bus.on(dispatch_events.OfferMade, exchange.on_offer_made)
    bus.on(dispatch_events.OfferAccepted, exchange.on_offer_accepted)
    bus.on(dispatch_events.OfferClosed, exchange.on_offer_closed)
    bus.on(dispatch_events.CaregiverAssigned, exchange.on_caregiver_assigned, notices.on_caregiver_assigned)
    bus.on(dispatch_events.NobodyFound, notices.on_nobody_found)
    bus.on(RoundsPublished, notices.on_rounds_published)
    bus.on(messaging_events.LeftToVoice, notices.on_left_to_voice)
    bus.on(call_events.RecordingReady, recordings.on_recording_ready)
    bus.on(intake_events.EmergencyReceived, emergencies.on_emergency_received)
    bus.on(intake_events.AlarmRepeated, emergencies.on_alarm_repeated)
    bus.on(IncidentClosed, emergencies.on_incident_closed)
    bus.on(intake_events.ComplaintReceived, followup.on_complaint_received)
    bus.on(visit_events.HazardReported, hazards.on_hazard_reported)
    bus.on(visit_events.ServiceCompleted, followup.on_service_completed, notices.on_service_completed)
    bus.on(followup_events.RatingRecorded, settlement.on_rating_recorded)
    bus.on(followup_events.ComplaintDecided, settlement.on_complaint_decided)
    return bus


UNHEARD = frozenset({"provider.reinstated", "visit.changed", "followup.closed", "complaint.opened"})
"""Facts that nobody inside acts on yet; they are told for the outside and for rooms to come."""


def tasks(database: Database, settings: Settings) -> dict[str, Task | Long]:
    """Job kinds and their functions. Until the city has configured a gateway, its text messages are refused, so that
    operators call; only a rehearsal or a developer's service takes them for sent."""
    outbox = Database(database.dsn, vault=database.vault, bus=database.bus, schema=database.schema, pool_size=2)
    rehearsed = settings.demo and settings.environment != "production"
    written = OutboxFile(settings.data_dir / "demo" / "outbox.jsonl") if rehearsed else None
    untried = RecordingSender() if settings.environment != "production" else None
    senders = {
        "sms": Configured(outbox, "sms", written or untried),
        "push": Configured(outbox, "push"),
        "wechat": written or WeChatSender(outbox, wechat(settings)),
    }
    delivery = messaging_tasks.Delivery(outbox, senders)
    return {
        messaging.DELIVER: delivery.deliver,
        notices.TELL_FAMILY: partial(notices.tell_family, public_url=settings.public_url),
        contacts.PROCESS: intake_tasks.process_contact,
        wechat_events.PROCESS: wechat_events.process_event,
        recordings.FETCH: Long(recordings.Keeper(settings.data_dir).fetch),
        snapshots.KEEP: Long(snapshots.keep),
        planning.SOLVE: Long(planning.Planner(workers.solve_apart).solve),
        reconciling.ASK: Long(reconciling.Reconciler(wechatpay(settings)).ask),
        disruptions.SEEK: Long(disruptions.Seeker(workers.mend_apart).seek),
    }


def periodic(settings: Settings) -> list[Periodic]:
    """Sweeps: each runs on one worker at a time, in one transaction."""
    return [
        Periodic("alarms.call_desk", timedelta(seconds=0.2), alarm_tasks.call_desk, alarm_tasks.AT_THE_DESK),
        Periodic(
            "alarms.tell_people",
            timedelta(seconds=0.1),
            partial(alarm_tasks.tell_people, ways=notices.ways),
            alarm_tasks.OUTSIDE,
        ),
        Periodic("dispatch.expire_offers", timedelta(seconds=1), dispatch_tasks.expire_offers),
        Periodic("dispatch.waiting", timedelta(seconds=15), dispatch_tasks.dispatch_waiting),
        Periodic("dispatch.keep_days_ready", timedelta(seconds=10), availability.keep_ready),
        Periodic("dispatch.count_shares", timedelta(minutes=1), shares.count),
        Periodic("dispatch.scarcity", batching.MEASURED_EVERY, batching.measure),
        Periodic("dispatch.batch", batching.EVERY, batching.assign_waiting),
        Periodic("dispatch.forget_ways", timedelta(hours=6), maps.forget_ways),
        Periodic("dispatch.calibrate_travel", timedelta(hours=24), travel_log.calibrate),
        Periodic("orders.make_recurring", timedelta(seconds=10), recurring_orders.make_orders),
        Periodic("orders.missed_deadlines", timedelta(seconds=5), order_tasks.announce_missed_deadlines),
        Periodic("followup.auto_pass", timedelta(seconds=30), followup_tasks.auto_pass),
        Periodic("followup.announce_due", timedelta(seconds=30), followup_tasks.announce_due),
        Periodic("elders.miss_silent_devices", timedelta(seconds=10), elder_devices.miss_silent),
        Periodic("selfpay.ask_due", timedelta(seconds=30), reconciling.sweep),
        Periodic("transfers.announce_overdue", timedelta(seconds=30), transfers.announce_overdue),
        Periodic("calls.close_ghosts", timedelta(minutes=5), calls.close_ghosts),
        Periodic("hotline.send_home", timedelta(minutes=1), presence.send_home),
        Periodic("hotline.forget_viewers", timedelta(minutes=5), presence.forget_viewers),
        Periodic("hotline.forget_nuisances", timedelta(hours=1), nuisance.forget),
        Periodic("hotline.forget_recordings", timedelta(hours=6), recordings.Keeper(settings.data_dir).forget),
        Periodic("insight.keep_figures", timedelta(minutes=1), snapshots.begin),
        Periodic("core.forget_keys", timedelta(hours=1), idempotency.forget_old),
        Periodic("accounts.forget_expired", timedelta(minutes=10), account_tasks.forget_expired),
        Periodic("messaging.see_to_lost", timedelta(seconds=10), messaging_tasks.see_to_lost, messaging_tasks.LOST),
        Periodic("messaging.forget_contents", timedelta(hours=6), messaging_tasks.forget_contents),
        Periodic("jobs.forget_receipts", timedelta(hours=1), jobs.forget_receipts),
        Periodic("jobs.forget_history", timedelta(hours=6), queue.forget_history),
        Periodic("jobs.forget_feed", timedelta(hours=6), _forget_feed),
    ]


def road_times(database: Database, settings: Settings) -> RoadTimes:
    """The map, if this deployment has a key for one."""
    amap = Amap(settings.amap_key, settings.amap_url) if settings.amap_key else None
    return RoadTimes(database, amap)


def wechat(settings: Settings) -> WeChatApi:
    """WeChat's servers; nobody is asked before an account has its secret."""
    return WeChatApi(settings.wechat_url)


def wechatpay(settings: Settings) -> WechatPayApi:
    """WeChat Pay's servers; nobody is asked before a merchant has its keys."""
    return WechatPayApi(settings.wechatpay_url)


def porch(database: Database, settings: Settings) -> Porch:
    """Where contacts wait while the database does not answer; shared by the web processes, and outlives them."""
    return Porch(database, settings.data_dir / "porch")


@asynccontextmanager
async def background(app: FastAPI) -> AsyncIterator[None]:
    """What a web process runs beside its requests."""
    watches = (app.state.feed_watch, app.state.gate, app.state.porch)
    running = [asyncio.create_task(one.run()) for one in watches]
    try:
        yield
    finally:
        await app.state.road_times.close()
        await app.state.wechat.close()
        await app.state.wechatpay.close()
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=ENDING_S)  # one that waits for a dead database is left behind


async def _forget_feed(tx: Tx) -> None:
    await feed.forget_before(tx, clock.now() - FEED_KEPT)
