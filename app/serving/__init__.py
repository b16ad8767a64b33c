"""Serving: everything between a bare machine and a running service, and nothing of care.

`binaries`, `privileges`, `postgres` run the embedded PostgreSQL; `migrations` brings a database to the
newest schema; `supervisor` runs web and worker as children. Production brings its own database server
and uses `migrations` and `supervisor` only.
"""
