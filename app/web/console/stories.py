"""The states of the console's pages."""

from __future__ import annotations

from app.web.console import stories_board, stories_desk, stories_incidents, stories_order, stories_queues
from app.web.stories import Story


def stories() -> dict[str, Story]:
    told = (stories_desk, stories_board, stories_incidents, stories_queues, stories_order)
    return {name: story for module in told for name, story in module.stories().items()}
