"""Floor 0: what every room needs and no word of care.

In: settings, the environment. Out: transactions, the clock, errors, ids, money, encryption, places, the
HTTP route class.
Tables: `idempotency_key`. Events: none of its own; `events` defines what an event is.
"""
