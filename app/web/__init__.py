"""Edge: pages for people. For now the front page, what a scanned card leads to, the description of the interface, and
the health checks.

These five show no data of anybody and work without a database, so they are ordinary routes outside the guard;
`OPEN_PAGES` names them for the start-up check.
"""

OPEN_PAGES = frozenset({"/", "/c/{token}", "/docs", "/healthz", "/readyz"})
