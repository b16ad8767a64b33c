"""Floor 13: how the city's help is doing, in figures that can be followed down to one visit.

In: a period of service days, a division or a provider. Out: indicators with what they are made of and how sure they
are, the orders behind each, a spreadsheet of the figures as they stood at the end of a day.
Reads all rooms below, writes only its own snapshots.
Read in this order: `indicators` and `intervals` (pure), `queries`, `service`, `snapshots`, `export`, `router`.
Tables: `indicator_day`, `indicator_snapshot`. Events: none.
"""
