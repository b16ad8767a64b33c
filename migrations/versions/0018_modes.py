"""Tables of `dispatch`: ways of offering an order, and visits of two caregivers."""

from __future__ import annotations

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled below."""


def downgrade() -> None:
    """Filled below."""
