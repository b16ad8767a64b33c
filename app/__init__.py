"""Nuanxian 暖线: a city's 12349 home-care hotline, from the first call to the paid statement.

One package per noun of the trade, stacked on floors; a module imports from lower floors only.
`README.md` has the map. `app/wiring.py` is the one page that says which event wakes which handler.
"""

__version__ = "0.1.0"
