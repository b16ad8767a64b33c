"""Floor 8: who could come, and why. Caregivers' time, the rules and the score, the search, decisions. It asks nobody.

In: an order and who is not to be asked again (from dispatch), CaregiverChanged (from providers), measured ways (from
visits), weights, contract shares and pairs that shall not meet (from the desk). Out: a begin time, a ranking with
reasons and the funnel; bookings held by constraint; a decision that can be explained and made again.
Tables: `booking`, `decision`, `dispatch_weights`, `blocked_pair`, `contract_share`, `trip`, `travel_calibration`,
`map_answer`; derived and made again at any time: `caregiver_day`, `prepared_day`, `provider_week`, `provider_month`,
`provider_load`. A provider's limits and shares are counted, in SQL, from the `offer` rows that dispatch keeps.
Events: none.

Read `rules.py` first (work rules, then objectives) and `times.py` (when a visit could begin, what it takes of a day).
One row per caregiver and day (`slots`, `availability`) is looked at in a box that grows as far as anybody could still
win (`reach`, `question`, `search`); the bookings decide (`queries_bookings`). `weights` says what counts, `shares` and
`fairness` who has how much, `relaxing` what would help when nobody is left, `kept` and `replay` why it was so.

How long ways take is learned from check-ins (`travel_log`); a map (`maps`, `map_amap`) is asked only for people who
choose by hand (`finalists`).
"""
