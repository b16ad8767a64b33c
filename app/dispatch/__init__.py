"""Floor 9: who comes. Matching, offers to providers, bookings of caregivers, and why.

In: OrderPlaced (from orders), acceptance, refusal and naming of a caregiver (from providers), assignment by hand
(from the desk). Out: an offer with a deadline, a booking held by constraint, a decision that can be explained.
Tables: `offer`, `booking`, `decision`, `dispatch_weights`, `blocked_pair`.
Events: OfferMade, OfferAccepted, OfferClosed, CaregiverAssigned, NobodyFound.

Read `matching.py` first (work rules, then objectives), then `offers.py` (the offer's states).
"""
