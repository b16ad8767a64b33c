"""Floor 10: rounds. The orders of a day become caregivers' rounds, published as a whole, repaired when the day breaks.

In: a service day and a division or provider (from the desk, or the evening before by itself); disruptions: a
caregiver falls ill, an emergency is inserted, a visit overruns. Out: a plan that a dispatcher reads before it is
published; bookings and offers when it is; a frontier of repairs to choose from. Tables: `round_plan`.
Events: RoundsPublished.

The mathematics is in `routing`; this room makes the problem from orders and caregivers, and orders from the plan.
"""
