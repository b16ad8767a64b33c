"""What can go wrong before a request is ever served; every message is a sentence for an operator.

ServingFailure
└── DatabaseServerFailure   the embedded PostgreSQL cannot be found, created, started or stopped
"""

from __future__ import annotations


class ServingFailure(Exception):
    """A command cannot go on; `str()` says why and what to do, and is shown without a traceback."""


class DatabaseServerFailure(ServingFailure):
    """The embedded database server is not to be had."""
