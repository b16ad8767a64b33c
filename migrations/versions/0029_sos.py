"""Keys name the makers whose devices they speak for; devices that fall silent are missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TIME = postgresql.TIMESTAMP(timezone=True)
# What a key was used for is what it may go on with; a key that was never used has to be made anew.
KNOWN = """UPDATE app_key k SET vendors = ARRAY(
  SELECT DISTINCT split_part(c.account, ':', 1) FROM inbound_contact c
  WHERE c.channel = 'device' AND split_part(c.account, ':', 2) = k.key)
WHERE k.kind = 'device'"""


def upgrade() -> None:
    op.add_column("app_key", sa.Column("vendors", postgresql.ARRAY(sa.Text())))
    op.execute(KNOWN)
    op.create_check_constraint("vendors", "app_key", "(kind = 'device') = (vendors IS NOT NULL)")
    _devices()
    _makers()


def _devices() -> None:
    op.add_column("elder_device", sa.Column("silent_after_s", sa.Integer(), nullable=False, server_default="93600"))
    op.alter_column("elder_device", "silent_after_s", server_default=None)
    for name in ("silent_at", "offline_at", "low_battery_at"):
        op.add_column("elder_device", sa.Column(name, TIME))
    op.create_check_constraint("silent_after", "elder_device", "silent_after_s > 0")
    op.create_check_constraint(
        "only_the_expected_are_missed", "elder_device", "silent_at IS NOT NULL OR offline_at IS NULL"
    )
    expected = "unbound_at IS NULL AND offline_at IS NULL"
    wanting = "unbound_at IS NULL AND (offline_at IS NOT NULL OR low_battery_at IS NOT NULL)"
    op.create_index("ix_elder_device_silent", "elder_device", ["silent_at"], postgresql_where=sa.text(expected))
    op.create_index("ix_elder_device_wanting", "elder_device", ["id"], postgresql_where=sa.text(wanting))


def _makers() -> None:
    op.create_table(
        "device_maker",
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("datum", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary()),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("vendor", name="pk_device_maker"),
        sa.CheckConstraint("form IN ('json', 'action', 'form', 'onenet')", name="form"),
        sa.CheckConstraint("datum IN ('wgs84', 'gcj02', 'bd09')", name="datum"),
        sa.CheckConstraint("(form = 'json') = (token IS NULL)", name="its_own_form_is_proved"),
    )
    op.create_table(
        "device_code",
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("vendor", "code", name="pk_device_code"),
        sa.ForeignKeyConstraint(["vendor"], ["device_maker.vendor"], name="fk_device_code_vendor"),
    )


def downgrade() -> None:
    op.drop_table("device_code")
    op.drop_table("device_maker")
    op.drop_index("ix_elder_device_wanting")
    op.drop_index("ix_elder_device_silent")
    for name in ("only_the_expected_are_missed", "silent_after"):
        op.drop_constraint(op.f(f"ck_elder_device_{name}"), "elder_device", type_="check")
    for name in ("low_battery_at", "offline_at", "silent_at", "silent_after_s"):
        op.drop_column("elder_device", name)
    op.drop_constraint(op.f("ck_app_key_vendors"), "app_key", type_="check")
    op.drop_column("app_key", "vendors")
