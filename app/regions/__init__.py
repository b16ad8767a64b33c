"""Floor 3: administrative divisions and the working calendar.

In: division and calendar files (`data/`). Out: the division tree by code, scope tests on codes (`divisions`),
working days. Tables: `division`, `calendar_day`. Events: none.
"""
