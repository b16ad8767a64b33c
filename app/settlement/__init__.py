"""Floor 12: what a provider is paid for a month, by which payer, and why.

In: closed orders with their verified minutes, quoted payers and ratings; contracts; disputes; decisions of clerks.
Out: statements whose every line can be computed again byte for byte, a ledger, a spreadsheet.
Tables: `contract`, `settlement_run`, `statement`, `statement_line`, `line_dispute`, `adjustment`,
`ledger_account`, `ledger_transfer`. Events: none. Hears `RatingRecorded`. Providers learn of a
statement through their feed.

The rules, in the order of reading:

- `calculation.py`: the minutes' price is divided among the payers as quoted. The quality coefficient and the
  penalties touch what the paying agencies owe; the family's part follows the minutes alone, since it is paid
  at the door before anybody has rated anything.
- `lifecycle.py`: draft → issued → confirmed or disputed → reviewed → approved → paid.
- A draft may be computed again, an issued statement never changes: whatever becomes known later is a late
  line or an adjustment of the next open period.
- The elder's quota is consumed by the value of the service (the minutes), not by what a bad rating leaves of
  it: a deduction is between the agency and the provider.
- A disputed line is left out of the payment until somebody has decided on it.
"""
