"""Edge: how provider companies' systems work with the centre.

In: signed requests of provider apps. Out: the feed of everything that concerns a provider (cursor never skips a
commit, replayable for 90 days), answers to offers, caregivers named, events from the door.
Tables: none of its own; the feed is `jobs.feed`. The feed is the truth, webhooks would only say "look again".
"""
