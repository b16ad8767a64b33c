"""`nuanxian devices`: its options, and its end. Secrets come from the environment only, as every secret does."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal

from app.core import log
from app.serving.failures import ServingFailure

APP_KEY, SECRET = "NUANXIAN_DEVICES_APP_KEY", "NUANXIAN_DEVICES_SECRET"
USERNAME, PASSWORD = "NUANXIAN_MQTT_USERNAME", "NUANXIAN_MQTT_PASSWORD"
MQTT, WATCH = "mqtt", "watch"
"""The makers' names under which the two kinds of devices are bound; the key has to speak for both."""
TIMEOUT_S = 10.0


def options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "devices",
        f"the service's device key in {APP_KEY} and {SECRET}; the broker's account in {USERNAME} and {PASSWORD}",
    )
    group.add_argument("--mqtt-host", default=None, help="the broker of the alarms; without it there is none")
    group.add_argument("--mqtt-port", type=int, default=1883)
    group.add_argument("--mqtt-ca", default=None, metavar="FILE", help="certificate to check the broker's by: use TLS")
    group.add_argument("--mqtt-name", default="nuanxian", help="of our session; another one for a second city")
    group.add_argument("--watch-host", default="127.0.0.1", help="the protocol proves nothing: private network only")
    group.add_argument("--watch-port", type=int, default=None, help="where watches call in; without it they cannot")
    group.add_argument("--watch-connections", type=int, default=20_000)
    group.add_argument("--service", default=None, help="the service's address; default is this machine")


def devices(port: int, chosen: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT. `port` is that of a service on this machine. Raises ServingFailure."""
    missing = [name for name in (APP_KEY, SECRET) if not os.environ.get(name)]
    if missing:
        raise ServingFailure(f"Set {' and '.join(missing)}.")
    if chosen.mqtt_host is None and chosen.watch_port is None:
        raise ServingFailure("Say where devices are: --mqtt-host, --watch-port, or both.")
    log.configure()
    return asyncio.run(_run(chosen.service or f"http://127.0.0.1:{port}", chosen))


async def _run(service: str, chosen: argparse.Namespace) -> int:
    import httpx

    from app.channels.gateway import subscriber
    from app.channels.gateway.handing import Handing
    from app.channels.gateway.listener import Listener

    key = (os.environ[APP_KEY], os.environ[SECRET])
    stop = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    async with httpx.AsyncClient(base_url=service, timeout=TIMEOUT_S, trust_env=False) as client:
        by_mqtt, by_watch = Handing(client, key, MQTT), Handing(client, key, WATCH)
        work = [asyncio.create_task(by_mqtt.work()), asyncio.create_task(by_watch.work())]
        listener = Listener(by_watch, connections=chosen.watch_connections)
        if chosen.watch_port is not None:
            try:
                listening = await listener.open(chosen.watch_host, chosen.watch_port)
            except OSError as taken:
                raise ServingFailure(f"Port {chosen.watch_port} cannot be had: {taken.strerror}.") from None
            print(f"devices: watches at {chosen.watch_host}:{listening} to {service}", flush=True)
        if chosen.mqtt_host is not None:
            broker = subscriber.Broker(
                chosen.mqtt_host, chosen.mqtt_port, chosen.mqtt_name,
                os.environ.get(USERNAME), os.environ.get(PASSWORD), chosen.mqtt_ca,
            )  # fmt: skip
            work.append(asyncio.create_task(subscriber.run(broker, by_mqtt)))
            print(f"devices: broker {chosen.mqtt_host}:{chosen.mqtt_port} to {service}", flush=True)
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([*work, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in [*work, stopped]:
            task.cancel()
        await listener.close()
        await asyncio.gather(*work, return_exceptions=True)
        for ended in done - {stopped}:
            ended.result()  # it never ends by itself: say why
    return 0
