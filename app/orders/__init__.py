"""Floor 7, the spine: an order's life from placed to closed.

In: `place` (from intake), `advance` and its kin (from dispatch, visits, follow-up), cancellation and suspension
(from the desk). Out: the order with its price and payers, an append-only history, deadlines.
Tables: `care_order`, `order_history`, `order_deadline`, `deadline_rule`, `recurring_plan`, `recurring_rest`,
`recurring_occurrence`.
Events: `OrderPlaced`, `OrderAdvanced`, `OrderFlagged`, `OrdersTouched`, `DeadlineMissed`.

Read `lifecycle.py` first: it is the table of what may follow what. `service.py` moves an order, `flags.py` holds it,
`notes.py` keeps what others find out about it. `recurring.py` says on which days a plan asks for
help, `recurring_orders.py` makes orders of that, each visit exactly once.
"""
