"""How the tests themselves are run."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs everything")
@pytest.mark.xdist_group("together")
def test_groups_are_heard_of(request: pytest.FixtureRequest) -> None:
    """A group nobody heeds starts two browsers and two services side by side, and every clock is late."""
    assert request.node.nodeid.endswith("@together")
