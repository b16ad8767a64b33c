"""One service with a town on it for all tests that kill it: it takes longer to start than to kill."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.chaos import town
from tests.chaos.town import Town
from tests.chaos.victim import Victim, victim


@dataclass(frozen=True)
class Running:
    """A service that is ready, and the town it serves."""

    service: Victim
    town: Town


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[Running]:
    async with victim() as service:
        await service.start()
        async with service.database() as database:
            built = await town.build(database)
        yield Running(service, built)
