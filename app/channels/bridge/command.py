"""`nuanxian bridge`: its options, and its end. Secrets come from the environment only, as every secret does."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal

from app.serving.failures import ServingFailure

PORTS = {"freeswitch": 8021, "asterisk": 5038}
PASSWORD, APP_KEY, SECRET = "NUANXIAN_BRIDGE_PASSWORD", "NUANXIAN_BRIDGE_APP_KEY", "NUANXIAN_BRIDGE_SECRET"
FLUSH_S = 5.0
TIMEOUT_S = 10.0


def options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "exchange", f"its password in {PASSWORD}; the service's telephony key in {APP_KEY} and {SECRET}"
    )
    group.add_argument("--exchange", choices=sorted(PORTS), required=True)
    group.add_argument("--exchange-host", default="127.0.0.1", help="a password for everything: loopback or VPN only")
    group.add_argument("--exchange-port", type=int, default=None, help="8021 for FreeSWITCH, 5038 for Asterisk")
    group.add_argument("--exchange-user", default="nuanxian", help="of Asterisk's manager interface")
    group.add_argument("--numbers", default="12349", help="our numbers, as FreeSWITCH's dialplan sees them")
    group.add_argument(
        "--trunks",
        default="",
        help="how Asterisk's channels of calls from outside begin (PJSIP/gateway-); needed",
    )
    group.add_argument("--instance", default="default", help="tells two exchanges of one kind apart")
    group.add_argument(
        "--dial-through",
        default=None,
        help="let operators dial: FreeSWITCH's way out (sofia/gateway/out/{number}), or Asterisk's context",
    )
    group.add_argument("--service", default=None, help="the service's address; default is this machine")


def bridge(port: int, chosen: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT. `port` is that of a service on this machine. Raises ServingFailure."""
    missing = [name for name in (PASSWORD, APP_KEY, SECRET) if not os.environ.get(name)]
    if missing:
        raise ServingFailure(f"Set {' and '.join(missing)}.")
    if chosen.exchange == "asterisk" and not named(chosen.trunks):
        # No guess would do: what begins like operators' phones makes callers of them.
        raise ServingFailure("Name with --trunks how the channels of calls from outside begin, such as PJSIP/gateway-.")
    return asyncio.run(_run(chosen.service or f"http://127.0.0.1:{port}", chosen))


def named(listed: str) -> list[str]:
    """What an option lists between commas."""
    return [one.strip() for one in listed.split(",") if one.strip()]


async def _run(service: str, chosen: argparse.Namespace) -> int:
    import httpx

    from app.channels.bridge import running, told
    from app.channels.bridge.dialling import Dialler
    from app.channels.bridge.door import Door
    from app.channels.bridge.exchanges import Asterisk, DialOut, Exchange, FreeSwitch
    from app.core import clock

    host, port = chosen.exchange_host, chosen.exchange_port or PORTS[chosen.exchange]
    numbers, trunks = named(chosen.numbers), tuple(named(chosen.trunks))

    async with httpx.AsyncClient(base_url=service, timeout=TIMEOUT_S, trust_env=False) as client:
        key = (os.environ[APP_KEY], os.environ[SECRET])
        door = Door(client, key, chosen.exchange, chosen.instance)
        dialler = Dialler(client, key) if chosen.dial_through else None
        out = DialOut(chosen.dial_through, dialler.settled) if dialler is not None else None

        def connect() -> Exchange:
            if chosen.exchange == "freeswitch":
                return FreeSwitch(host, port, os.environ[PASSWORD], frozenset(numbers), out)
            return Asterisk(host, port, chosen.exchange_user, os.environ[PASSWORD], trunks, out)

        work = asyncio.create_task(running.run(connect, door, dialler))
        stop = asyncio.Event()
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(one, stop.set)
        print(f"bridge: {chosen.exchange} at {host}:{port} to {service}", flush=True)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()  # it never ends by itself: say why
        door.put([told.lost(clock.now())])
        await asyncio.wait({asyncio.create_task(door.sent())}, timeout=FLUSH_S)
        work.cancel()
    return 0
