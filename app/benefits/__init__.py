"""Floor 6: who pays which part. Government purchase: a share of the price, up to a monthly quota in fen.

In: schemes and entitlements as the civil-affairs office decides them. Out: `service.quote`, `reserve`, `release`,
`consume`, the pure `waterfall`.
Tables: `scheme`, `entitlement`, `quota_month`, `quota_movement`. Events: none. Hears `ElderDeparted`.

A quota is reserved when the order is placed, consumed when it is settled and released when it is cancelled. That
it is never overdrawn is a constraint of `quota_month`, not a habit of this code.
"""
