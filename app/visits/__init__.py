"""Floor 10: what happened at the door, with evidence.

In: events of the provider's app (`service.record`), uploads, a supervisor's decision on a doubtful visit.
Out: one visit per order, folded from its events, with a verdict on the proof; the order moves on accordingly.
Tables: `visit`, `visit_event`, `visit_policy`, `upload`. Events: `VisitChanged`,
`HazardReported`, `ServiceCompleted`.
"""
