"""The demo world's accounts, as the terminal shows them after the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def credentials_file(data_dir: Path) -> Path:
    """Where the demo world leaves its accounts (mode 0600)."""
    return data_dir / "demo" / "credentials.json"


def lines(data_dir: Path) -> list[str]:
    """One line per staff account, and where the rest is; empty without a demo world."""
    path = credentials_file(data_dir)
    try:
        known: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    said = ["  演示账号 demo accounts"]
    for account in known.get("staff", []):
        words = [str(account.get(key, "")) for key in ("username", "password", "role", "name")]
        said.append("    " + "  ".join(word for word in words if word))
    return [*said, f"    更多 more: {path}"]
