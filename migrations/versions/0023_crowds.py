"""The index of places also says who has which certificate and sex: a search begins with those who could come."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NAME, TABLE, COLUMNS = "ix_caregiver_day_place", "caregiver_day", ["day", "place"]


def upgrade() -> None:
    _include(["provider_id", "certificates", "sex"])


def downgrade() -> None:
    _include(["provider_id"])


def _include(columns: list[str]) -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, COLUMNS, postgresql_using="gist", postgresql_include=columns)
