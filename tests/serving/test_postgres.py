"""The embedded server under everything a machine does to it: crashes, leftovers, crowds, wrong data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from app.serving import cluster, postgres, privileges
from app.serving.failures import DatabaseServerFailure


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose server, if any, is gone after the test."""
    where = tmp_path / "pg"
    yield where
    if (where / "data" / "PG_VERSION").exists():
        postgres.start(where, durable=False).stop()


async def _rows(server: postgres.Server, statement: str, database: str = "postgres") -> list[asyncpg.Record]:
    connection = await asyncpg.connect(server.dsn(database))
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


def _postmaster_pid(where: Path) -> int:
    noted = cluster.read_postmaster(where)
    assert noted is not None
    return noted.pid


def _wait(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


async def test_starts_joins_and_stops(home: Path) -> None:
    first = postgres.start(home, durable=False)
    second = postgres.start(home, durable=False)
    assert first.started_here
    assert not second.started_here
    assert second.dsn("a") == first.dsn("a")
    second.stop()
    assert not first.is_running()
    first.stop()  # a second time does no harm


async def test_product_server_is_durable_and_knows_chinese(home: Path) -> None:
    server = postgres.start(home)
    wanted = {
        "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on",
        "TimeZone": "UTC", "jit": "off", "listen_addresses": "", "max_connections": "200",
    }  # fmt: skip
    assert {name: (await _rows(server, f"SHOW {name}"))[0][0] for name in wanted} == wanted
    server.create_database("city")
    connection = await asyncpg.connect(server.dsn("city"))
    await connection.execute("CREATE EXTENSION btree_gist; CREATE EXTENSION pg_trgm")
    assert await connection.fetchval("SELECT similarity('王秀兰', '王秀英')") > 0.2
    assert await connection.fetchval("SELECT usesuper FROM pg_user WHERE usename = current_user") is False
    await connection.close()


async def test_databases_are_created_copied_and_dropped(home: Path) -> None:
    server = postgres.start(home, durable=False)
    server.create_database("origin")
    connection = await asyncpg.connect(server.dsn("origin"))
    await connection.execute("CREATE TABLE t AS SELECT 7 AS n")
    await connection.close()
    server.create_database("copy", template="origin")
    server.create_database("copy", template="origin")  # already there
    connection = await asyncpg.connect(server.dsn("copy"))
    assert await connection.fetchval("SELECT n FROM t") == 7
    server.drop_database("copy")  # although somebody is connected
    assert "copy" not in server.databases()
    connection.terminate()
    with pytest.raises(ValueError, match="plain database name"):
        server.create_database("x; DROP DATABASE origin")


async def test_kill_9_of_the_postmaster_loses_nothing_committed(home: Path) -> None:
    server = postgres.start(home)
    server.create_database("city")
    connection = await asyncpg.connect(server.dsn("city"))
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.execute("INSERT INTO kept VALUES (1)")
    killed = _postmaster_pid(home)
    os.kill(killed, signal.SIGKILL)
    _wait(lambda: ") Z " in Path(f"/proc/{killed}/stat").read_text())  # else its last breath may still answer
    again = postgres.start(home)
    assert again.started_here
    assert [tuple(row) for row in await _rows(again, "SELECT n FROM kept", "city")] == [(1,)]
    connection.terminate()


def test_a_stale_pid_file_that_names_a_living_process_does_not_matter(home: Path) -> None:
    server = postgres.start(home, durable=False)
    note = (home / "data" / "postmaster.pid").read_text()
    sockets = Path(cluster.read_postmaster(home).socket_directory)  # type: ignore[union-attr]
    server.stop()
    lines = note.splitlines()
    lines[0] = str(os.getppid())  # in a container the number is soon somebody else's
    (home / "data" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    (sockets / ".s.PGSQL.5432.lock").write_text("\n".join(lines) + "\n")
    (sockets / ".s.PGSQL.5432").touch()
    assert postgres.start(home, durable=False).is_running()


def test_three_cold_starters_share_one_server(home: Path) -> None:
    program = (
        "import sys, pathlib; from app.serving import postgres;"
        "s = postgres.start(pathlib.Path(sys.argv[1]), durable=False); s.create_database('crowd');"
        "print(s.started_here, len(s.databases()), s.dsn())"
    )
    crowd = [
        subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [one.communicate(timeout=60)[0].split() for one in crowd]
    assert [one.returncode for one in crowd] == [0, 0, 0]
    assert sorted(words[0] for words in said) == ["False", "False", "True"]
    assert len({words[2] for words in said}) == 1


def test_a_creation_that_was_killed_is_begun_anew(home: Path) -> None:
    half = home / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert postgres.start(home, durable=False).is_running()
    assert not half.exists()


def test_a_bound_server_ends_with_the_process_that_started_it(home: Path) -> None:
    program = (
        "import sys, pathlib, time; from app.serving import postgres;"
        "postgres.start(pathlib.Path(sys.argv[1]), durable=False, bound=True);"
        "print('up', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    sockets = Path(cluster.read_postmaster(home).socket_directory)  # type: ignore[union-attr]
    owner.kill()
    owner.communicate()
    _wait(lambda: not cluster.answers(sockets))


def test_a_long_path_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("养老" * 20) / "pg"
    server = postgres.start(deep, durable=False)
    sockets = Path(cluster.read_postmaster(deep).socket_directory)  # type: ignore[union-attr]
    server.create_database("reached")
    server.stop()
    assert not sockets.is_relative_to(tmp_path)
    assert sockets.stat().st_mode & 0o777 == 0o700
    sockets.rmdir()


def test_foreign_data_are_refused_and_left_alone(home: Path) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data" / "letters.txt").write_text("mine")
    with pytest.raises(DatabaseServerFailure, match="not a PostgreSQL data directory"):
        postgres.start(home)
    assert (home / "data" / "letters.txt").read_text() == "mine"


def test_data_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(DatabaseServerFailure, match="written by PostgreSQL 14"):
        postgres.start(tmp_path)


def test_a_full_disk_is_named_as_such(tmp_path: Path) -> None:
    said = 'initdb: error: could not write file "x": No space left on device'
    assert "no space left" in str(cluster.failure("It did not start", tmp_path, said))


def test_a_setting_the_server_refuses_is_reported_in_its_words(home: Path) -> None:
    with pytest.raises(DatabaseServerFailure, match="max_connections"):
        postgres.start(home, durable=False, settings={"max_connections": "none"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its identity")
def test_root_without_user_namespaces_becomes_an_ordinary_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(privileges._possible, 0, False)
    server = postgres.start(home, durable=False)
    status = Path(f"/proc/{_postmaster_pid(home)}/status").read_text()
    real_uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    assert real_uid != "0"
    server.create_database("reached")
    server.stop()
    monkeypatch.undo()
    assert postgres.start(home, durable=False).is_running()  # the other way, on the same files
