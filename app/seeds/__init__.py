"""Edge: small worlds to begin with. `base` is what no city can run without; `demo` is Jinchang with people in it.

In: an empty, migrated database. Out: rows made through the rooms' own verbs, and `demo/credentials.json`.
Tables: none of its own. Events: none.

Everybody in the demo world is invented and looks it: names come from two short lists, ID numbers from the block
of birth orders 990 to 999, telephone numbers from a block that nobody can be assigned.
"""
