"""Floor 9: who comes. Matching, offers to providers, bookings of caregivers, and why.

In: OrderPlaced (from orders), acceptance, refusal and naming of a caregiver (from providers), assignment by hand
(from the desk). Out: offers with a deadline, bookings held by constraint, a decision that can be explained.
Tables: `offer`, `booking`, `decision`, `dispatch_weights`, `blocked_pair`, `dispatch_mode`, `fixed_provider`,
`contract_share`, `scarcity`, `batch_switch`, `trip`, `travel_calibration`, `map_answer`; derived and made again
at any time: `caregiver_day`, `prepared_day`, `provider_week`, `provider_month`, `provider_load`.
Events: OfferMade, OfferAccepted, OfferClosed, CaregiverAssigned, NobodyFound.

Read `matching.py` first (work rules, then objectives), `modes.py` (one after the other, to grab, by contract),
`teams.py` (two who come together), then `offers.py` (the offer's states). A round goes through `cascade` (who is
asked next), `offering` (offers are made), `answers` (accepted, refused, expired) and `assignment` (who comes).

Where orders compete, `batch.py` says when they wait for each other and who gets whom; `batching` does it. How long ways
take is learned from check-ins (`travel_log`); a map (`maps`, `map_amap`) is asked only for people who choose by hand.

Matching looks at one row per caregiver and day (`slots`, `availability`), in a box that grows as far as anybody could
still win (`reach`, `search`); `weights` says what counts, `shares` and `fairness` who has how much, `relaxing` what
would help when nobody is left, `kept` and `replay` why it was so.
"""
