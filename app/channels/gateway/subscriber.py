"""The subscriber of a broker's alarms. The session is persistent and its name fixed, so that the broker keeps what
comes while we are away; each alarm is acknowledged when the service has it, and the device is told so.

An acknowledgement of the broker to the device proves only that the broker has the alarm. A device that wants to be
sure repeats it until it hears its `msg_id` on `sos/down/{device}/taken`.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass

import aiomqtt

from app.channels.gateway import topics
from app.channels.gateway.handing import Handing
from app.channels.report import HEARTBEAT
from app.core import clock, log

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0
KEEPALIVE_S = 15
PENDING = 1000


@dataclass(frozen=True, slots=True)
class Broker:
    """`identifier` names the session: two subscribers of one name throw each other out. `ca`: a certificate file, or
    None for a connection in the clear."""

    host: str
    port: int
    identifier: str
    username: str | None = None
    password: str | None = None
    ca: str | None = None


async def run(broker: Broker, handing: Handing) -> None:
    """Until cancelled; comes back whenever the broker is gone."""
    pause = FIRST_PAUSE_S
    while True:
        began = time.monotonic()
        try:
            await _listen(broker, handing)
        except* (aiomqtt.MqttError, OSError) as gone:
            log.get("gateway").warning("broker_lost", why=type(gone.exceptions[0]).__name__)
        if time.monotonic() - began > LONGEST_PAUSE_S:
            pause = FIRST_PAUSE_S
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (no secret)
        pause = min(LONGEST_PAUSE_S, pause * 2)


async def _listen(broker: Broker, handing: Handing) -> None:
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=broker.identifier,
        clean_session=False,
        keepalive=KEEPALIVE_S,
        tls_context=ssl.create_default_context(cafile=broker.ca) if broker.ca else None,
    )
    # aiomqtt hides this switch of the client it wraps; without it a message is acknowledged before it is read.
    client._client.manual_ack_set(True)
    client.pending_calls_threshold = PENDING  # it would complain of a dozen
    async with client, asyncio.TaskGroup() as taking:
        await client.subscribe([(topics.ALARMS, 1), (topics.HEARTBEATS, 0)])
        log.get("gateway").info("broker_connected")
        async for message in client.messages:
            taking.create_task(_take(client, message, handing))


async def _take(client: aiomqtt.Client, message: aiomqtt.Message, handing: Handing) -> None:
    """Each alarm by itself: one that the service cannot take holds up no other."""
    topic, payload = str(message.topic), message.payload
    raw = payload if isinstance(payload, bytes) else b""
    told = topics.reading(topic, raw, clock.now(), retained=message.retain)
    if told["type"] == HEARTBEAT and topic.endswith(HEARTBEAT):
        handing.alive(told)
        return
    await handing.alarm(told)
    if message.qos:
        client._client.ack(message.mid, message.qos)
    with suppress(aiomqtt.MqttError):
        await client.publish(topics.taken(topic), told["msg_id"])
