"""Floor 9: who is asked, and who answers. Offers to providers, and naming who comes.

In: OrderPlaced (from orders), acceptance, refusal and naming of a caregiver (from providers), assignment by hand
(from the desk), a planned day (from rounds). Out: offers with a deadline; an order that somebody has, or a person's.
Who could come, and why, is asked of `matching` below; whoever is offered or named is booked there.
Tables: `offer`, `dispatch_mode`, `fixed_provider`, `scarcity`, `batch_switch`.
Events: `OfferMade`, `OfferAccepted`, `OfferClosed`, `CaregiverAssigned`, `NobodyFound`.

Read `modes.py` first (one after the other, to grab, by contract), `teams.py` (two who come together), then `offers.py`
(the offer's states). A round goes through `cascade` (who is asked next), `offering` (offers are made), `answers`
(accepted, refused, expired) and `assignment` (who comes); `delivery` says how far an offer has come to its provider.

Where orders compete, `batch.py` says when they wait for each other and who gets whom; `batching` does it. A whole day
that was planned elsewhere is booked and offered anew by `replanning`.
"""
