"""How a request becomes a transaction.

`Router` makes every route a `Route`: read the body, begin, find out who is calling, check the declared policy,
honour the Idempotency-Key, run the endpoint, serialise, commit, and only then answer. A route without a policy
cannot be created, so a forgotten one fails at start-up.

Who callers are and what they may do is not known here: the `Guard` (made by `accounts`) is put on
`app.state.guard` by the wiring; and so is the `Gate`, which says who has to give way when there is too much to do.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, TypeVar, cast
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.core import idempotency
from app.core.db import Database, Tx
from app.core.errors import Invalid, Stale, Unavailable
from app.core.sqlstate import as_unavailable, is_retryable
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
    `own_transaction`: the endpoint opens its own short transactions (long polls, streams, sign-in); such a
    route is never keyed, because a key lives in the transaction of the effect, and is never repeated.
    `raw`: the endpoint makes sense of the bytes by itself, and refuses them in its own words.
    `own_proof`: the endpoint opens its own transaction and asks the guard inside it, because it has to know the caller
    even while the database is away.
    """

    action: str
    keyed: bool
    own_transaction: bool
    raw: bool = False
    own_proof: bool = False


class Guard(Protocol):
    async def identify(self, tx: Tx, request: Request, body: bytes, action: str) -> Caller:
        """Who is calling, by whatever proof this action accepts. Raises Unauthorized."""
        ...

    def anybody(self, action: str) -> Caller | None:
        """The caller of an action that asks for no proof; None where one is asked for."""
        ...

    def authorise(self, caller: Caller, action: str) -> None:
        """Raises Forbidden unless `caller` may perform `action`."""
        ...

    def knows(self, action: str) -> bool:
        """Is `action` in the table of actions?"""
        ...


class Gate(Protocol):
    def admit(self, action: str, method: str, route: str) -> AbstractAsyncContextManager[None]:
        """The place in which this request may use the database. Raises Unavailable when it has to give way."""
        ...


F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]
Place = AbstractAsyncContextManager[None]


def allow(
    action: str,
    *,
    keyed: bool | None = None,
    own_transaction: bool = False,
    raw: bool = False,
    own_proof: bool = False,
) -> Callable[[F], F]:
    """Declare an endpoint's policy; goes directly above the function, below the route decorator.

    By default an Idempotency-Key is required on every mutating method, except with `own_transaction`.
    """

    def declare(endpoint: F) -> F:
        endpoint.__policy__ = (action, keyed, own_transaction or own_proof, raw, own_proof)  # type: ignore[attr-defined]
        return endpoint

    return declare


class _Repeated(Exception):
    """The key of this request is taken; what it did is undone."""


class Route(APIRoute):
    policy: Policy

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        declared = getattr(endpoint, "__policy__", None)
        if declared is None:
            raise RuntimeError(f"route {path} ({endpoint.__qualname__}) declares no policy")
        action, keyed, own, raw, own_proof = declared
        if keyed and own:
            raise RuntimeError(f"route {path} cannot keep a key outside of its transaction")
        mutating = bool(MUTATING & set(options.get("methods") or ()))
        self.policy = Policy(action, mutating and not own if keyed is None else keyed, own, raw, own_proof)
        super().__init__(path, endpoint, **options)
        _give_directly(self.dependant)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        answer = self._answer_alone if self.policy.own_transaction else self._answer

        async def handle(request: Request) -> Response:
            gate: Gate = request.app.state.gate
            place = gate.admit(self.policy.action, request.method, self.path_format)
            body = await request.body()
            if "\0" in request.scope["path"]:
                raise Invalid("text_not_storable", "the path contains a NUL character")
            if not self.policy.raw:
                refuse_unstorable(body, request.scope["query_string"], request.headers.get("content-type", ""))
            return await answer(request, body, endpoint, place)

        return handle

    async def _answer(self, request: Request, body: bytes, endpoint: Endpoint, place: Place) -> Response:
        """Everything in one transaction; the whole of it again after a lost race."""
        claims: list[idempotency.Claim] = []

        async def attempt() -> Response:
            async with request.app.state.database.transaction() as tx:
                await self._admit(tx, request, body)
                if not self.policy.keyed:
                    return await endpoint(request)
                claims[:] = [idempotency.claim_of(request.state.caller.actor, request, body)]
                response = await endpoint(request)
                if not await idempotency.keep(tx, claims[0], response):
                    raise _Repeated
                return response

        try:
            async with place:
                return await repeat_lost_races(attempt)
        except Unavailable:
            raise
        except Exception:
            # Perhaps it only failed because it has been done: then the first answer is the answer.
            if claims and (first := await self._first_answer(request, claims[0])):
                return first
            raise

    async def _first_answer(self, request: Request, claim: idempotency.Claim) -> Response | None:
        async with request.app.state.database.transaction() as tx:
            return await idempotency.first_answer(tx, claim)

    async def _answer_alone(self, request: Request, body: bytes, endpoint: Endpoint, place: Place) -> Response:
        """Admission by itself, then the endpoint without a transaction, once; a long poll holds no place.

        Where anybody may come in, no connection is asked for: such a door opens while the database is away.
        """

        async def admission() -> None:
            async with request.app.state.database.statements() as tx:
                await self._admit(tx, request, body)

        guard: Guard = request.app.state.guard
        if (caller := guard.anybody(self.policy.action)) is not None:
            request.state.caller = caller
        elif not self.policy.own_proof:
            async with place:
                await repeat_lost_races(admission)
        request.state.tx = None
        return await repeat_lost_races(lambda: endpoint(request), tries=1)

    async def _admit(self, tx: Tx, request: Request, body: bytes) -> None:
        guard: Guard = request.app.state.guard
        caller = await guard.identify(tx, request, body, self.policy.action)
        guard.authorise(caller, self.policy.action)
        request.state.caller, request.state.tx = caller, tx


async def repeat_lost_races(attempt: Callable[[], Awaitable[T]], tries: int = MAX_TRIES) -> T:
    """Serialization failures and deadlocks are nobody's mistake: try again, a bounded number of times."""
    for trial in range(tries):
        try:
            return await attempt()
        except Exception as failure:
            if away := as_unavailable(failure):
                raise away from failure
            if not is_retryable(failure):
                raise
        await asyncio.sleep(random.uniform(0, 0.02 * 2**trial))  # noqa: S311 (jitter, not a secret)
    raise Unavailable("contended", "too many callers changed the same thing", retry_after_s=1)


class Router(APIRouter):
    """An APIRouter whose routes all declare a policy."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("route_class", Route)
        super().__init__(**options)


def routes_of(router: FastAPI | APIRouter) -> Iterator[BaseRoute]:
    """Every single route, also those of included routers, which the framework keeps folded up."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from routes_of(included)


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


_OURS = frozenset({_tx, _caller, _database, _if_match})


def _give_directly(dependant: Dependant) -> None:
    """Hand our own four dependencies to the endpoint ourselves.

    They take nothing but the request; the framework would resolve each as if it had parameters of its own, and send
    it to a thread.
    """
    given = {str(one.name): cast(Any, one.call) for one in dependant.dependencies if one.call in _OURS}
    endpoint = dependant.call
    if not given or endpoint is None:
        return
    dependant.dependencies = [one for one in dependant.dependencies if one.call not in _OURS]
    own_name = dependant.request_param_name
    name = own_name or "request_"
    dependant.request_param_name = name

    async def call(**values: Any) -> Any:
        request = values[name] if own_name else values.pop(name)
        for parameter, of in given.items():
            values[parameter] = of(request)
        return await endpoint(**values)

    dependant.call = call


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
