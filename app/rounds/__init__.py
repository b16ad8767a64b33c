"""Floor 10: rounds. The orders of a day become caregivers' rounds, published as a whole, repaired when the day breaks.

In: a service day and a division or provider (from the desk); disruptions: a caregiver falls ill, an emergency is
inserted, a visit overruns. Out: a plan that a dispatcher reads before it is published; bookings and offers when it
is; a frontier of repairs to choose from. Tables: `round_plan`, `round_repair`. Events: `RoundsPublished`.

The mathematics is in `routing`; this room makes the problem from orders and caregivers, and orders from the plan.
Read `lifecycle.py`, then `facts.py` and `making.py` (a day becomes a problem), `planning.py` (the problem is solved
in a process of its own), `changes.py` and `publishing.py` (the plan becomes bookings), `disruptions.py`.
"""
