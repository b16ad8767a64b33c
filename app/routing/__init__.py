"""Floor 1: who goes where, when and in which order, as a problem of its own. Knows no order, no database, no clock.

In: a `Problem` (caregivers with shifts, tasks with windows and skills, links between tasks, travel matrices).
Out: a `Plan` that has passed the validator, bounds, and what is wrong with it if it has not. Tables: none.

Read `problem.py` first, then `validation.py`, which every plan passes before anyone sees it, then `solving.py`, which
chooses among the solvers (`vroom`, `pyvrp`, `synchronised`) and hands over from one to the next. `repair.py` answers
a caregiver who falls ill; `workers.py` runs solvers in processes of their own, with limits. `travel.py` estimates how
long the way takes, with no map at all; `travel_fitting.py` learns it from ways that were measured.
"""
