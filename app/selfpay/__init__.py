"""Floor 12: what a family pays online of its own part of an order's price, through WeChat Pay (APIv3).

Settlement does not know of this: between centre and providers the copay counts as paid by the family, at the door or
here. A payment is on record before WeChat is asked for it; that money came in is believed only from WeChat, by a
notice it signed or by its signed answer to our question, and both end in the same place (`receiving`). Money that
does not fit is kept and shown to a person, never dropped and never guessed away.

In: what a family owes (from `orders`), WeChat's notices and answers. Out: payments, paid or ended; money that fits
none.
Read in this order: `lifecycle` and `notices` (pure), `signatures` (the protection), `models`, `queries`, `merchants`,
`receiving`, `api` (the line), `preparing`, `reconciling`, `router`.
Tables: `wechatpay_merchant`, `payment`, `payment_notice`. Events: none.
"""
