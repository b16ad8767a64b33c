"""Tables of rounds: planned days, and the repairs of broken ones."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

Time = TIMESTAMP(timezone=True)


class RoundPlan(Base):
    """One plan of one day. What it was made from and what it came to stay as they were."""

    __tablename__ = "round_plan"
    __table_args__ = (
        CheckConstraint("status IN ('draft','solving','ready','failed','published','discarded')", name="status"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        CheckConstraint("budget_cpu_s > 0", name="budget"),
        CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name="failure"),
        CheckConstraint("status NOT IN ('ready','published') OR plan IS NOT NULL", name="plan"),
        Index(None, "service_day", "division_code"),
        Index(
            "ix_round_plan_at_work",
            "service_day",
            "division_code",
            text("coalesce(provider_id, '00000000-0000-0000-0000-000000000000'::uuid)"),
            unique=True,
            postgresql_where=text("status IN ('draft','solving')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service_day: Mapped[date]
    division_code: Mapped[str] = mapped_column(Text)
    """What is planned; with a provider, where that provider is supervised."""
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    status: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    turn: Mapped[int] = mapped_column(Integer)
    """Counts the workers that took it up; only the last one may write."""
    budget_cpu_s: Mapped[float] = mapped_column(Double)
    progress: Mapped[float] = mapped_column(Double)
    step: Mapped[str | None] = mapped_column(Text)
    rules: Mapped[Any] = mapped_column(JSONB)
    problem: Mapped[Any | None] = mapped_column(JSONB)
    problem_hash: Mapped[str | None] = mapped_column(Text)
    based_on: Mapped[Any | None] = mapped_column(JSONB)
    """The version of every order it was made from."""
    fingerprint: Mapped[str | None] = mapped_column(Text)
    plan: Mapped[Any | None] = mapped_column(JSONB)
    aside: Mapped[Any | None] = mapped_column(JSONB)
    """Why an order is not in any round."""
    cost_before: Mapped[Any | None] = mapped_column(JSONB)
    cost_after: Mapped[Any | None] = mapped_column(JSONB)
    bound: Mapped[float | None] = mapped_column(Double)
    steps: Mapped[Any | None] = mapped_column(JSONB)
    failure: Mapped[str | None] = mapped_column(Text)
    failure_detail: Mapped[str | None] = mapped_column(Text)
    violations: Mapped[Any | None] = mapped_column(JSONB)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Time)
    started_at: Mapped[datetime | None] = mapped_column(Time)
    ended_at: Mapped[datetime | None] = mapped_column(Time)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Time)


class RoundRepair(Base):
    """A disruption of a day, the repairs that were found, and which one was chosen."""

    __tablename__ = "round_repair"
    __table_args__ = (
        CheckConstraint("kind IN ('caregiver_ill','emergency','overrun')", name="kind"),
        CheckConstraint("status IN ('searching','open','failed','chosen')", name="status"),
        CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name="failure"),
        CheckConstraint("(status = 'chosen') = (chosen IS NOT NULL)", name="chosen"),
        Index(None, "service_day", "division_code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service_day: Mapped[date]
    division_code: Mapped[str] = mapped_column(Text)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    round_plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("round_plan.id"))
    """The published plan of the day, if there was one."""
    kind: Mapped[str] = mapped_column(Text)
    what: Mapped[Any] = mapped_column(JSONB)
    """caregiver_id, from, to, reason; or order_id, minutes."""
    status: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    problem: Mapped[Any | None] = mapped_column(JSONB)
    based_on: Mapped[Any | None] = mapped_column(JSONB)
    frontier: Mapped[Any | None] = mapped_column(JSONB)
    lost: Mapped[Any | None] = mapped_column(JSONB)
    """Visits that need somebody: which repairs save each, and how many caregivers could come, or why not."""
    failure: Mapped[str | None] = mapped_column(Text)
    failure_detail: Mapped[str | None] = mapped_column(Text)
    chosen: Mapped[str | None] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Time)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(Time)
