"""Tables of `rounds`: planned days and their repairs."""

from __future__ import annotations

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled below."""


def downgrade() -> None:
    """Filled below."""
