"""Imports go down. The contract is in pyproject.toml; here it is run, and seen to fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(where: Path) -> tuple[int, str]:
    done = subprocess.run([LINT, "--no-cache"], cwd=where, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


def test_imports_go_down() -> None:
    status, said = lint(ROOT)
    assert status == 0, said
    assert "1 kept, 0 broken" in said


@pytest.mark.parametrize(
    ("where", "source", "report"),
    [
        ("core/breach.py", "from app.orders import lifecycle\n", "app.core is not allowed to import app.orders"),
        ("intake/breach.py", "import app.dispatch.service\n", "app.intake is not allowed to import app.dispatch"),
        ("matching/breach.py", "import app.dispatch.offers\n", "app.matching is not allowed to import app.dispatch"),
        ("elders/breach.py", "def f():\n    from app.providers import models\n", "import app.providers"),
        ("orders/breach.py", "from app import wiring\n", "app.orders is not allowed to import app.wiring"),
        ("annex/__init__.py", "", "annex"),
    ],
)
def test_a_breach_is_reported(tmp_path: Path, where: str, source: str, report: str) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__", "static", "data"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "app" / where).parent.mkdir(exist_ok=True)
    (tmp_path / "app" / where).write_text(source)
    status, said = lint(tmp_path)
    assert status != 0
    assert report in said, said
