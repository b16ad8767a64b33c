"""A city day in memory: what a way of dispatching comes to, before anybody lives with it.

Read `city.py` (what a day is made of), `policy.py` (what is compared), `day.py` (what happens) and `ledger.py`
(what counts). Who may come, who is best and who goes to whom in a batch is decided by the product's own rules, and so
is how long ways are estimated to take; nothing of that is written here a second time.

Chance is drawn from names, not from a stream: whether this provider refuses this order is the same under every
policy. So two policies meet the same day, and their difference is the policies'.
"""
