"""Floor 9: who comes. Matching, offers to providers, bookings of caregivers, and why.

In: OrderPlaced (from orders), acceptance, refusal and naming of a caregiver (from providers), assignment by hand
(from the desk). Out: offers with a deadline, bookings held by constraint, a decision that can be explained.
Tables: `offer`, `booking`, `decision`, `dispatch_weights`, `blocked_pair`, `dispatch_mode`, `fixed_provider`,
`scarcity`, `batch_switch`, `trip`, `travel_calibration`, `map_answer`.
Events: OfferMade, OfferAccepted, OfferClosed, CaregiverAssigned, NobodyFound.

Read `matching.py` first (work rules, then objectives), `modes.py` (one after the other, to grab, by contract),
`teams.py` (two who come together), then `offers.py` (the offer's states). A round goes through `cascade` (who is
asked next), `offering` (offers are made), `answers` (accepted, refused, expired) and `assignment` (who comes).

Where orders compete, `batch.py` says when they wait for each other and who gets whom; `batching` does it. How long ways
take is learned from check-ins (`travel_log`); a map (`maps`, `map_amap`) is asked only for people who choose by hand.
"""
