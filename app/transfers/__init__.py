"""Floor 11: requests that pass between 12345 (or another hotline) and ours, in both directions.

In: what an operator reads off the other side's ticket or tells it; there is no public interface of 12345 that a machine
could knock at. Out: their ticket's number, its deadline and its reply, beside a care request of ours; ones that are
late, to the desk's feed, once.

Read in this order: `lifecycle` and `replies` (pure rules), `models`, `queries`, `service`.
Tables: `transfer`, `transfer_step`. Events: none.
"""
