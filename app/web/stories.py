"""What the storybook shows: every state of every page, with made-up data, at one moment that never changes.

Each face has a module `stories` with `stories() -> dict[str, Story]`. No database is asked, and nobody real is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from app.core import clock
from app.core.http import Caller
from app.web import light
from app.web.faces import FACES
from app.web.rendering import environment, rendered
from app.web.words import words_of

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
"""A Friday, 10:30 in the morning."""
OPERATOR = Caller(kind="staff", id="00000000-0000-7000-8000-000000000001", name="王静", roles=frozenset({"operator"}))
SUPERVISOR = Caller(
    kind="staff", id="00000000-0000-7000-8000-000000000002", name="李红", roles=frozenset({"supervisor"})
)


@dataclass(frozen=True, slots=True)
class Story:
    """A template with what it is filled with. A part of a page names the frame it is shown `within`."""

    template: str
    values: dict[str, Any] = field(default_factory=dict)
    caller: Caller | None = None
    within: str | None = None
    """`desk` or `base`, or a face that has a frame of its own."""
    path: str = "/"
    light: bool = False
    """A page that carries its styles inside, and may."""


def every() -> Iterator[tuple[str, Story]]:
    """All stories as ("console/board-empty", story)."""
    for face in ("frame", *FACES):
        module = "app.web.stories_of_frame" if face == "frame" else f"app.web.{face}.stories"
        for name, story in import_module(module).stories().items():
            yield f"{face}/{name}", story


def told(story: Story) -> str:
    """A story as a page."""
    with clock.hold(NOW):
        values = {"caller": story.caller, "path": story.path, "styles_inside": light.styles_inside, **story.values}
        text = rendered(story.template, **values)
        if story.within is None:
            return text
        frame = f"{story.within}/frame.html" if story.within in FACES else f"frame/{story.within}.html"
        values = {"frame": frame, "part": text, "caller": story.caller, "path": story.path}
        return rendered("frame/story.html", **values, t=words_of(frame.partition("/")[0]))


def untold() -> set[str]:
    """Templates that no story shows, by name."""
    environment.cache_clear()
    for _, story in every():
        told(story)
    loaded = environment().cache or {}
    return set(environment().list_templates()) - {str(name) for _, name in loaded}
