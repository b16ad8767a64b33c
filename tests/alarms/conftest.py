"""The doors and an operator, shared with intake's tests."""

from tests.intake.conftest import doors, operator  # noqa: F401
