"""Tables of `dispatch`: measured ways and what was learned from them."""

from __future__ import annotations

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled below."""


def downgrade() -> None:
    """Filled below."""
