"""How a request becomes a transaction.

`Router` makes every route a `Route`: read the body, begin, find out who is calling, check the declared policy,
honour the Idempotency-Key, run the endpoint, serialise, commit, and only then answer. A route without a policy
cannot be created, so a forgotten one fails at start-up.

Who callers are and what they may do is not known here: the `Guard` (made by `accounts`) is put on
`app.state.guard` by the wiring.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, TypeVar, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core import idempotency
from app.core.db import Database, Tx, as_unavailable, is_retryable
from app.core.errors import Invalid, Stale, Unavailable
from app.core.text import refuse_unstorable

MAX_TRIES = 5
MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. Scope comes from the session and the database, never from what the request says.

    `kind` is one of public, staff, provider, caregiver, family, telephony, device, wechat, system; `id` is stable
    within the kind; `name` goes into histories and is never a private person's phone.
    """

    kind: str
    id: str
    name: str
    roles: frozenset[str] = frozenset()
    divisions: tuple[str, ...] = ()
    provider_id: UUID | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """How this caller is written into histories and audit rows."""
        return f"{self.kind}:{self.id}"


SYSTEM = Caller(kind="system", id="nuanxian", name="系统")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route declares: the action it performs and how it is called.

    `keyed`: an Idempotency-Key is required. Off only where the operation is repeatable by nature.
    `own_transaction`: the endpoint opens its own short transactions (long polls, streams, sign-in).
    """

    action: str
    keyed: bool
    own_transaction: bool


class Guard(Protocol):
    async def identify(self, tx: Tx, request: Request, body: bytes, action: str) -> Caller:
        """Who is calling, by whatever proof this action accepts. Raises Unauthorized."""
        ...

    def authorise(self, caller: Caller, action: str) -> None:
        """Raises Forbidden unless `caller` may perform `action`."""
        ...

    def knows(self, action: str) -> bool:
        """Is `action` in the table of actions?"""
        ...


F = TypeVar("F", bound=Callable[..., Any])


def allow(action: str, *, keyed: bool | None = None, own_transaction: bool = False) -> Callable[[F], F]:
    """Declare an endpoint's policy; goes directly above the function, below the route decorator.

    By default an Idempotency-Key is required on every mutating method.
    """

    def declare(endpoint: F) -> F:
        endpoint.__policy__ = (action, keyed, own_transaction)  # type: ignore[attr-defined]
        return endpoint

    return declare


class Route(APIRoute):
    policy: Policy

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        declared = getattr(endpoint, "__policy__", None)
        if declared is None:
            raise RuntimeError(f"route {path} ({endpoint.__qualname__}) declares no policy")
        action, keyed, own = declared
        mutating = bool(MUTATING & set(options.get("methods") or ()))
        self.policy = Policy(action, mutating if keyed is None else keyed, own)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            body = await request.body()
            refuse_unstorable(body, request.scope["query_string"], request.headers.get("content-type", ""))
            return await _repeat_lost_races(lambda: self._answer(request, body, endpoint))

        return handle

    async def _answer(
        self, request: Request, body: bytes, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        database: Database = request.app.state.database
        guard: Guard = request.app.state.guard
        async with database.transaction() as tx:
            caller = await guard.identify(tx, request, body, self.policy.action)
            guard.authorise(caller, self.policy.action)
            request.state.caller, request.state.tx = caller, tx
            if not self.policy.own_transaction:
                if not self.policy.keyed:
                    return await endpoint(request)
                claim = await idempotency.claim(tx, caller.actor, request, body)
                if claim.first_answer is not None:
                    return claim.first_answer
                response = await endpoint(request)
                await idempotency.keep(tx, claim, response)
                return response
        request.state.tx = None
        return await endpoint(request)


async def _repeat_lost_races(attempt: Callable[[], Awaitable[Response]]) -> Response:
    """Serialization failures and deadlocks are nobody's mistake: try again, a bounded number of times."""
    for trial in range(MAX_TRIES):
        try:
            return await attempt()
        except PoolTimeout as full:
            raise Unavailable("overloaded", "too many requests at once", retry_after_s=2) from full
        except (DBAPIError, OSError) as failure:
            raise_last = as_unavailable(failure)
            if raise_last is not None:
                raise raise_last from failure
            if not is_retryable(failure):
                raise
        except Exception as failure:
            if not is_retryable(failure):
                away = as_unavailable(failure)
                if away is not None:
                    raise away from failure
                raise
        await asyncio.sleep(random.uniform(0, 0.02 * 2**trial))  # noqa: S311 (jitter, not a secret)
    raise Unavailable("contended", "too many callers changed the same thing", retry_after_s=1)


class Router(APIRouter):
    """An APIRouter whose routes all declare a policy."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("route_class", Route)
        super().__init__(**options)


def _tx(request: Request) -> Tx:
    return cast(Tx, request.state.tx)


def _caller(request: Request) -> Caller:
    return cast(Caller, request.state.caller)


def _database(request: Request) -> Database:
    return cast(Database, request.app.state.database)


def _if_match(request: Request) -> int | None:
    value = request.headers.get("if-match")
    if value is None or value.strip() == "*":
        return None
    stripped = value.strip().removeprefix("W/").strip('"')
    if not stripped.isdigit() or len(stripped) > 9:
        raise Invalid("if_match_malformed", 'If-Match takes one version, like "3"')
    return int(stripped)


TxDep = Annotated[Tx, Depends(_tx)]
CallerDep = Annotated[Caller, Depends(_caller)]
DatabaseDep = Annotated[Database, Depends(_database)]
IfMatchDep = Annotated[int | None, Depends(_if_match)]


def check_version(expected: int | None, current: int) -> None:
    """Raises Stale when the caller changed another version than the current one; None checks nothing."""
    if expected is not None and expected != current:
        raise Stale("version_stale", f"this is now version {current}", version=current)


def set_etag(response: Response, version: int) -> None:
    response.headers["ETag"] = f'"{version}"'
