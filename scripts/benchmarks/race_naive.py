"""The same work by reading first and inserting then, on a database without the constraint.

The reading and the inserting are one statement, so the naive way has no more round trips than ours; an ordinary index
on the caregiver serves its reading.
"""

from __future__ import annotations

from app.core.db import Database
from app.dispatch import queries
from app.matching import queries_bookings

READ_FIRST = """WHERE NOT EXISTS (
  SELECT FROM booking taken WHERE taken.caregiver_id = member.caregiver_id AND taken.status <> 'released'
    AND taken.during && tstzrange(member.leaves_at, $7))
ORDER BY member.caregiver_id
RETURNING"""
CONSTRAINED = """ORDER BY member.caregiver_id
ON CONFLICT DO NOTHING RETURNING"""


async def unguard(database: Database) -> None:
    """Drop the exclusion constraint; keep what serves reading."""
    async with database.transaction() as tx:
        await tx.run("ALTER TABLE booking DROP CONSTRAINT ex_booking_caregiver_during")
        await tx.run("CREATE INDEX ix_booking_naive ON booking (caregiver_id) WHERE status <> 'released'")


def read_then_insert() -> None:
    """Make this process book the naive way from now on."""
    for module, names in (
        (queries_bookings, ("BOOK", "BOOK_IF_FREE")),
        (queries, ("HOLD_AND_OFFER", "TRY_AND_OFFER")),
    ):
        for name in names:
            guarded = getattr(module, name)
            assert CONSTRAINED in guarded
            setattr(module, name, guarded.replace(CONSTRAINED, READ_FIRST))
