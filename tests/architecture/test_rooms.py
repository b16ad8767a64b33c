"""What a room says of itself is so: its tables, its events, the modules to read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parents[2] / "app"
ROOMS = [one.parent.name for one in sorted(APP.glob("*/__init__.py")) if one.parent.name not in {"core", "web"}]
END = r"(?:\.\s|\.$|\n\n|\Z)"


def says(doc: str, what: str) -> set[str]:
    """The names behind `what` in a room's docstring."""
    found = re.search(rf"{what}: (.*?){END}", doc, re.DOTALL)
    return set(re.findall(r"`(\w+)`", found[1])) if found else set()


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_is_what_it_says(name: str) -> None:
    room = APP / name
    doc = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    models = "".join(file.read_text(encoding="utf-8") for file in room.glob("models*.py"))
    assert says(doc, "Tables") == set(re.findall(r'__tablename__ = "(\w+)"', models))
    events = room / "events.py"
    own = ast.parse(events.read_text(encoding="utf-8")).body if events.exists() else []
    assert says(doc, "Events") == {node.name for node in own if isinstance(node, ast.ClassDef)}
    missing = {
        one for one in says(doc, "Read in this order") if not list(room.glob(one)) + list(room.glob(f"{one}.py"))
    }
    assert missing == set()
