"""A short day of a small city, through the public doors of a real service: nothing may be out of order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("simulated-day")
def test_a_simulated_morning_leaves_nothing_unexplained() -> None:
    options = ["--orders", "12", "--hours", "1.5", "--minutes", "0.3", "--mornings", "1", "--seed", "7"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.simulate", *options],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert len(re.findall(r"^  ok ", done.stdout, re.MULTILINE)) == 10
    assert "BROKEN" not in done.stdout
    orders = re.search(r"of which became orders (\d+)", done.stdout)
    assert orders is not None
    assert int(orders.group(1)) >= 9
