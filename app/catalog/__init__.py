"""Floor 5: what can be ordered, and what it costs where and when.

In: the catalogue file, price decisions. Out: `service.item`, `service.price_on`, the pure `pricing`.
Tables: `service_item`, `price_version`. Events: none.
"""
