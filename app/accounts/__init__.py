"""Floor 4: who is calling, what they may do, and what they did.

In: passwords, one-time codes, signatures, link tokens. Out: `Caller`s (`guard`), decisions (`policy`), division
scope (`scope`), consent (`consent`), the audit trail (`audit`).
Tables: `staff`, `staff_role`, `staff_session`, `saved_view`, `app_key`, `app_nonce`, `signed_link`, `link_opening`,
`one_time_code`, `family_session`, `caregiver_session`, `consent`, `audit_entry`. Events: none.
"""
