"""Chance that falls the same way every time: each part of the world draws from a stream of its own."""

from __future__ import annotations

import random

SEED = 12349


def chance(part: str) -> random.Random:
    """The stream of one part of the world; parts do not disturb each other when one of them changes."""
    return random.Random(f"{SEED}:{part}")  # noqa: S311 (a world to look at, not a secret)


def phone(block: int, number: int) -> str:
    """An E.164 number nobody has: in the area 10 no number begins with 0. `block` 0..99, `number` 0..99999."""
    return f"+86100{block:02d}{number:05d}"
