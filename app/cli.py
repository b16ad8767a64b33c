"""The command line: `python -m app.cli <command>`. `COMMANDS` at the end is the table of all commands.

A command is an entry in the table: a sentence, a function that adds its options, a function that does it
and returns the exit code. Every setting is also an option.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.channels.bridge import command as bridging
from app.channels.gateway import command as gateway
from app.core.config import Settings
from app.serving import databases, migrations, service
from app.serving.failures import ServingFailure
from app.serving.listening import bind

Parser = argparse.ArgumentParser
Arguments = argparse.Namespace


def no_options(_parser: Parser) -> None:
    """For commands that need only the settings."""


@dataclass(frozen=True)
class Command:
    """One row of the table."""

    does: str
    run: Callable[[Settings, Arguments], int]
    options: Callable[[Parser], None] = no_options


def main(argv: list[str] | None = None) -> int:
    """Run one command; refusals become one sentence on stderr and exit code 1."""
    arguments = parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command].run(settings_from(arguments), arguments)
    except ServingFailure as failure:
        service.complain(str(failure))
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def parser() -> Parser:
    """All commands with all their options."""
    root = Parser(prog="nuanxian", description="Nuanxian 暖线, a city's 12349 home-care hotline.")
    commands = root.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        child = commands.add_parser(name, help=command.does, description=command.does)
        _settings_options(child)
        command.options(child)
    return root


def settings_from(arguments: Arguments) -> Settings:
    """Settings from the environment, overlaid with the options given. Raises ServingFailure when wrong."""
    given = {name: getattr(arguments, name, None) for name in Settings.model_fields}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as wrong:
        faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors()]
        raise ServingFailure("The settings are wrong:\n  " + "\n  ".join(faults)) from None
    production = settings.environment == "production"
    demo = settings.demo and not (production and "demo" not in settings.model_fields_set)
    return settings.model_copy(update={"data_dir": settings.data_dir.absolute(), "demo": demo})


def serve(settings: Settings, _arguments: Arguments) -> int:
    _keys_are_good(settings)
    return service.serve(settings)


def prepare(settings: Settings, _arguments: Arguments) -> int:
    with databases.available(settings) as dsn:
        migrations.upgrade(dsn, schema=settings.city_schema)
        asyncio.run(_furnish(settings.model_copy(update={"database_url": dsn})))
    return 0


def migrate(settings: Settings, arguments: Arguments) -> int:
    with databases.available(settings) as dsn:
        migrations.upgrade(dsn, arguments.revision, schema=settings.city_schema)
    print(f"The schema is at revision {arguments.revision} ({migrations.newest_revision()} is the newest).")
    return 0


def demo(settings: Settings, _arguments: Arguments) -> int:
    return prepare(settings.model_copy(update={"demo": True}), _arguments)


def web(settings: Settings, arguments: Arguments) -> int:
    """Run one web process, on the socket a supervisor hands over or on one of its own."""
    import socket

    import uvicorn

    listener = bind(settings.host, settings.port) if arguments.fd is None else socket.socket(fileno=arguments.fd)
    config = uvicorn.Config(
        "app.main:app_from_environment", factory=True, lifespan="on", access_log=False, server_header=False,
        timeout_graceful_shutdown=4, timeout_keep_alive=30, log_level=settings.log_level.lower(),
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    return 0 if server.started else 3


def worker(settings: Settings, _arguments: Arguments) -> int:
    from app.worker import run

    run(settings)
    return 0


def bridge(settings: Settings, arguments: Arguments) -> int:
    return bridging.bridge(settings.port, arguments)


def devices(settings: Settings, arguments: Arguments) -> int:
    return gateway.devices(settings.port, arguments)


def check_config(settings: Settings, arguments: Arguments) -> int:
    secret = {"database_url", "master_key", "amap_key"}
    for name, value in settings.model_dump().items():
        shown = "(set)" if name in secret and value else value
        print(f"{name:16} {'(not set)' if shown is None else shown}")
    databases.refuse_embedded_in_production(settings)
    _keys_are_good(settings)
    if arguments.connect:
        with databases.available(settings):
            print("the database is fit")
    return 0


def revision(_settings: Settings, arguments: Arguments) -> int:
    print(migrations.new_revision(arguments.message))
    return 0


async def _furnish(settings: Settings) -> None:
    """What no city can run without; and, where nobody lives yet, the demo world if wanted."""
    from app.main import open_database, settle_in
    from app.seeds import base, queries
    from app.seeds import demo as world

    settle_in(settings)
    database = open_database(settings)
    try:
        async with database.transaction() as tx:
            inhabited = await queries.in_use(tx)
        if settings.demo and not inhabited:
            print("Loading the demo world ...", flush=True)
            await world.load(database, settings)
        elif (secret := await base.load_empty_city(database, settings)) is not None:
            print(f"The administrator's first password is in {secret}", flush=True)
    finally:
        await database.close()


def _keys_are_good(settings: Settings) -> None:
    from app.core.keys import vault_from

    try:
        vault_from(settings)
    except (RuntimeError, OSError) as wrong:
        raise ServingFailure(f"{wrong}.") from None


def _settings_options(parser: Parser) -> None:
    group = parser.add_argument_group("settings", "each also a variable NUANXIAN_…; DATABASE_URL as it is")
    for name, field in Settings.model_fields.items():
        if name in {"master_key", "amap_key"}:  # arguments are visible to everybody on the machine
            continue
        flag = "--" + name.replace("_", "-")
        kind: dict[str, Any] = {"type": field.annotation if field.annotation in (int, Path) else str}
        if field.annotation is bool:
            kind = {"action": argparse.BooleanOptionalAction}
        group.add_argument(flag, dest=name, default=None, help=field.description, **kind)


def _revision_option(parser: Parser) -> None:
    parser.add_argument("--revision", default="head", help="stop at this one instead of the newest")


def _fd_option(parser: Parser) -> None:
    parser.add_argument("--fd", type=int, default=None, help="a bound socket handed over by a supervisor")


def _connect_option(parser: Parser) -> None:
    parser.add_argument("--connect", action="store_true", help="also ask the database whether it is fit")


def _message_argument(parser: Parser) -> None:
    parser.add_argument("message", help="what the migration does, in a few words")


COMMANDS: dict[str, Command] = {
    "serve": Command("run the whole service until stopped", serve),
    "migrate": Command("bring the database to the newest schema", migrate, _revision_option),
    "demo": Command("load the demo world into an empty database", demo),
    "prepare": Command("migrate, load base data, and the demo world if wanted", prepare),
    "web": Command("run one web process", web, _fd_option),
    "worker": Command("run one worker process", worker),
    "bridge": Command("hand on what a telephone exchange says of its calls", bridge, bridging.options),
    "devices": Command("hand on what devices say over MQTT and watches over TCP", devices, gateway.options),
    "check-config": Command("show the settings, say what is wrong", check_config, _connect_option),
    "revision": Command("write an empty migration under the next number", revision, _message_argument),
}

if __name__ == "__main__":
    sys.exit(main())
