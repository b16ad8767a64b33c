"""Everything that may go wrong on purpose.

    Error
    ├── Invalid        the input cannot be meant                         422
    ├── Unauthorized   we do not know who is asking                      401
    ├── Forbidden      we know, and the answer is no                     403
    ├── NotFound       it is not there, or not there for you             404
    ├── Conflict       somebody was first, or the state forbids it       409
    │   └── Stale      the version you changed is no longer current      412
    └── Unavailable    try again later                                   503
        └── TooMany    try again later, and less often                   429

The numbers are for orientation only; `app/http_errors.py` is the one place that maps them.
"""

from __future__ import annotations

from typing import Any


class Error(Exception):
    """A refusal with a stable machine-readable `code` and facts the caller may see."""

    def __init__(self, code: str, detail: str = "", **facts: Any) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail or code.replace("_", " ")
        self.facts = facts


class Invalid(Error):
    """`field` names the offending field as a dotted path, if there is one."""

    def __init__(self, code: str, detail: str = "", *, field: str | None = None, **facts: Any) -> None:
        super().__init__(code, detail, **facts)
        self.field = field


class Unauthorized(Error):
    pass


class Forbidden(Error):
    pass


class NotFound(Error):
    def __init__(self, code: str = "not_found", detail: str = "", **facts: Any) -> None:
        super().__init__(code, detail, **facts)


class Conflict(Error):
    """The facts carry the winning state, so that the loser need not ask again."""


class Stale(Conflict):
    pass


class Unavailable(Error):
    def __init__(self, code: str, detail: str = "", *, retry_after_s: int = 5, **facts: Any) -> None:
        super().__init__(code, detail, **facts)
        self.retry_after_s = retry_after_s


class TooMany(Unavailable):
    pass
