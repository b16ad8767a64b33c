"""Tables of `dispatch`: the caregiver's day, weights by service type, contract shares."""

from __future__ import annotations

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled below."""


def downgrade() -> None:
    """Filled below."""
