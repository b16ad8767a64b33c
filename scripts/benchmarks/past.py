"""A million past orders, made by set-based SQL from the columns the product itself writes."""
