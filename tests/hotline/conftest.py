"""The doors, shared with intake's tests."""

from tests.intake.conftest import doors, elder, operator, town  # noqa: F401
