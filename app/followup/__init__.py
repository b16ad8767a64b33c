"""Floor 11: the centre, not the provider, asks how it went.

In: completed services, call attempts of operators, ratings of families, complaints. Out: ratings on scorecards and
orders, orders closed, complaints decided, rework asked for.
Tables: `followup`, `followup_attempt`, `rating`, `complaint`, `followup_rule`.
Events: `RatingRecorded`, `FollowupClosed`, `ComplaintOpened`, `ComplaintDecided`.
"""
