"""What is compared: weights, the way of offering, and whether orders that compete are assigned together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from app.dispatch.batch import Switch

RANKED, GRAB = "ranked", "grab"
MODES = (RANKED, GRAB)

SHIPPED = Path(__file__).parent / "policies"


@dataclass(frozen=True, slots=True)
class Policy:
    """One way of dispatching.

    `mode` "ranked" asks the best provider, then the next; "grab" asks the `reach` best at once, and the first who
    accepts has it. `weights` by urgency, "any" for the rest. Without `batch` every order is dispatched as it comes.
    """

    name: str
    weights: Mapping[str, Mapping[str, int]]
    mode: str = RANKED
    reach: int = 3
    accept_minutes: int = 15
    max_travel_minutes: int = 60
    batch: Switch | None = None
    weight_of: Mapping[str, float] = field(default_factory=dict)
    """How much an order of an urgency counts in a batch; 1 unless said."""

    def weights_for(self, urgency: str) -> Mapping[str, int]:
        return self.weights.get(urgency) or self.weights["any"]


def load(name: str) -> Policy:
    """A shipped policy by name, or one from a file. Raises ValueError with what is wrong in it."""
    file = SHIPPED / f"{name}.json" if (SHIPPED / f"{name}.json").exists() else Path(name)
    if not file.exists():
        shipped = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.json")))
        raise ValueError(f"no policy {name!r}; shipped are {shipped}, or name a file")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    _only_known(file, content, Policy)
    if content.get("batch") is not None:
        _only_known(file, content["batch"], Switch)
        content["batch"] = Switch(**content["batch"])
    policy = Policy(**{"name": file.stem, **content})
    if policy.mode not in MODES:
        raise ValueError(f"{file}: mode is one of {', '.join(MODES)}")
    if "any" not in policy.weights:
        raise ValueError(f'{file}: weights need an entry "any"')
    return policy


def _only_known(file: Path, content: Mapping[str, Any], kind: type) -> None:
    unknown = set(content) - {one.name for one in fields(kind)}
    if unknown:
        raise ValueError(f"{file}: unknown {', '.join(sorted(unknown))}")
