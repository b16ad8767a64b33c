"""What the commands say instead of a traceback when they cannot go on."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app import cli
from app.core.config import Settings
from app.serving import databases, migrations, postgres
from app.serving.environment import environment_of
from app.serving.failures import ServingFailure
from app.serving.listening import bind, listen
from tests.conftest import TestServer

FIT = {
    "version": 150004,
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "encoding": "UTF8",
    "replica": False,
    "extensions": ["btree_gist", "pg_trgm", "plpgsql"],
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the machine that runs the tests."""
    for name in list(os.environ):
        if name == "DATABASE_URL" or name.startswith("NUANXIAN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NUANXIAN_DATA_DIR", str(tmp_path / "var"))


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield int(taken.getsockname()[1])


def _refusal(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert cli.main(list(argv)) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_a_busy_port_is_named_with_its_holder(busy_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    said = _refusal(capsys, "serve", "--port", str(busy_port))
    assert f"Port {busy_port} on 127.0.0.1 is already taken by process {os.getpid()}" in said
    assert "--port" in said


def test_of_two_who_bound_one_port_only_one_listens() -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with bind("127.0.0.1", port) as second:
            listen(first)
            with pytest.raises(ServingFailure, match="already taken"):
                listen(second)


@pytest.mark.parametrize(
    ("host", "port", "word"),
    [
        ("127.0.0.1", "65536", "no port 65536"),
        ("203.0.113.7", "0", "not an address"),
        ("no-such.invalid", "0", "not an"),
    ],
)
def test_impossible_addresses_are_named(host: str, port: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert word in _refusal(capsys, "serve", "--host", host, "--port", port)


def test_a_second_service_on_the_same_data_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "var").mkdir()
    with open(tmp_path / "var" / "serve.lock", "w") as held:
        held.write("4711")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        said = _refusal(capsys, "serve", "--port", "0")
    assert "already runs" in said
    assert "process 4711" in said


def test_production_needs_its_own_database_and_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NUANXIAN_ENVIRONMENT", "production")
    assert "NUANXIAN_MASTER_KEY is not set" in _refusal(capsys, "serve")
    monkeypatch.setenv("NUANXIAN_MASTER_KEY", "ab" * 32)
    for command in ("serve", "migrate", "demo"):
        assert "DATABASE_URL is not set" in _refusal(capsys, command)


def test_production_loads_no_demo_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUANXIAN_ENVIRONMENT", "production")
    parse = cli.parser().parse_args
    assert cli.settings_from(parse(["serve"])).demo is False
    assert cli.settings_from(parse(["serve", "--demo"])).demo is True
    monkeypatch.setenv("NUANXIAN_ENVIRONMENT", "development")
    assert cli.settings_from(parse(["serve"])).demo is True
    assert cli.settings_from(parse(["serve", "--no-demo"])).demo is False


def test_wrong_settings_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NUANXIAN_WEB_PROCESSES", "0")
    assert "web_processes" in _refusal(capsys, "check-config")
    monkeypatch.setenv("NUANXIAN_WEB_PROCESSES", "2")
    monkeypatch.setenv("NUANXIAN_MASTER_KEY", "short")
    assert "64 hex characters" in _refusal(capsys, "check-config")


def test_check_config_shows_no_secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NUANXIAN_MASTER_KEY", "cd" * 32)
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:secret@h/d")
    assert cli.main(["check-config"]) == 0
    shown = capsys.readouterr().out
    assert "secret" not in shown
    assert "cdcd" not in shown


def test_another_database_than_postgresql_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "not mysql" in _refusal(capsys, "migrate", "--database-url", "mysql://h/d")


@pytest.mark.parametrize(
    ("change", "production", "word"),
    [
        ({"version": 140011}, False, "15 is the oldest"),
        ({"encoding": "SQL_ASCII"}, False, "not UTF8"),
        ({"replica": True}, False, "replica"),
        ({"extensions": ["pg_trgm"]}, False, "btree_gist"),
        ({"fsync": "off"}, True, "fsync is off"),
        ({"full_page_writes": "off"}, True, "full_page_writes is off"),
        ({"synchronous_commit": "off"}, True, "synchronous_commit is off"),
    ],
)
def test_an_unfit_server_is_recognised(change: dict[str, object], production: bool, word: str) -> None:
    assert databases.unfitness(FIT, production=True) == []
    assert any(word in sentence for sentence in databases.unfitness(FIT | change, production=production))


def test_development_takes_a_fast_server() -> None:
    assert databases.unfitness(FIT | {"fsync": "off", "synchronous_commit": "off"}, production=False) == []
    assert databases.unfitness(FIT | {"synchronous_commit": "local"}, production=True) == []


def test_a_running_server_without_fsync_is_good_for_development_only(tmp_path: Path) -> None:
    fast = postgres.start(tmp_path / "pg", durable=False, bound=True)
    try:
        databases.check(fast.dsn(), production=False)
        with pytest.raises(ServingFailure, match="fsync is off"):
            databases.check(fast.dsn(), production=True)
    finally:
        fast.stop()


async def test_a_database_ahead_of_the_program_is_left_alone(server: TestServer, template: str) -> None:
    ahead = await server.clone("nuanxian_ahead", template)
    connection = await asyncpg.connect(ahead)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    with pytest.raises(ServingFailure, match="revision 9999"):
        await migrations.aupgrade(ahead)
    await server.run("DROP DATABASE nuanxian_ahead")


async def test_two_who_migrate_at_once_take_turns(server: TestServer) -> None:
    await server.run("CREATE DATABASE nuanxian_turns")
    fresh = server.dsn("nuanxian_turns")
    await asyncio.gather(*(migrations.aupgrade(fresh) for _ in range(3)))
    connection = await asyncpg.connect(fresh)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == migrations.newest_revision()
    await connection.close()
    await server.run("DROP DATABASE nuanxian_turns")


def test_children_read_the_settings_of_their_parent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings(port=9123, data_dir=tmp_path, demo=False, database_url="postgresql://h/d", pool_size=3)
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings
