"""Doors to the elders' register."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from app.accounts import audit
from app.core.errors import Invalid
from app.core.http import CallerDep, IfMatchDep, Router, TxDep, allow, set_etag
from app.core.paging import CursorParam, Limit, Page, after_id, decode_cursor, encode_cursor, page_of
from app.elders import (
    circumstances,
    registration,
    router_cards,
    router_consents,
    router_devices,
    search,
    signing_in,
    views,
)
from app.elders.facts import NewElder, NewFamilyMember, NewPhone, NewTag
from app.elders.schemas import (
    CreatedView,
    ElderBody,
    ElderChange,
    ElderView,
    FamilyBody,
    HouseholdView,
    RegisteredView,
    RevealBody,
    RevealedView,
    Status,
    Tag,
    TagBody,
    TagEnd,
)

router = Router(tags=["elders"])

NEVER_NULL = ("name", "division_code", "phones", "sex", "status")

Q = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=80,
        description="Name, pinyin or initials, phone, ID number, or the last four of a phone or ID number",
        examples=["曾德明", "zengdm", "0935-8210001"],
    ),
]
Division = Annotated[str | None, Query(pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$", description="Only inside this")]


@router.get("/v1/elders", response_model=Page[ElderView], summary="Search elders, or list the newest")
@allow("elders.read")
async def list_elders(
    tx: TxDep,
    caller: CallerDep,
    q: Q = None,
    division: Division = None,
    status: Status | None = None,
    tag: Tag | None = None,
    limit: Limit = 20,
    cursor: CursorParam = None,
) -> Any:
    if q is None:
        newest = await search.page(
            tx, caller, division=division, status=status, tag=tag, before=after_id(cursor), limit=limit + 1
        )
        return page_of(await views.masked(tx, newest[:limit]), newest, limit)
    hits = await search.search(tx, caller, q, division=division, after=_hit(cursor), limit=limit + 1)
    more = len(hits) > limit
    return Page[ElderView](
        items=await views.masked(tx, [hit.id for hit in hits[:limit]]),
        next_cursor=encode_cursor(hits[limit - 1].rank, hits[limit - 1].id) if more else None,
    )


@router.post("/v1/elders", response_model=RegisteredView, status_code=201, summary="Register an elder")
@allow("elders.write")
async def register_elder(tx: TxDep, caller: CallerDep, body: ElderBody, response: Response) -> Any:
    given = body.model_dump(exclude={"phones", "tags", "family", "location"})
    new = NewElder(
        **given,
        location=body.location,
        phones=_phones(body),
        tags=tuple(NewTag(**tag.model_dump()) for tag in body.tags),
        family=tuple(NewFamilyMember(**member.model_dump()) for member in body.family),
    )
    done = await registration.register(tx, caller, new)
    response.headers["Location"] = f"/v1/elders/{done.id}"
    set_etag(response, done.version)
    return await _registered(tx, done)


@router.get("/v1/elders/{elder_id}", response_model=ElderView, summary="One elder, masked")
@allow("elders.read")
async def read_elder(tx: TxDep, caller: CallerDep, elder_id: UUID, response: Response) -> Any:
    row = await registration.visible(tx, caller, elder_id)
    set_etag(response, row.version)
    return (await views.masked(tx, [elder_id]))[0]


@router.patch("/v1/elders/{elder_id}", response_model=RegisteredView, summary="Change what is named")
@allow("elders.write")
async def change_elder(
    tx: TxDep, caller: CallerDep, elder_id: UUID, body: ElderChange, response: Response, expected: IfMatchDep
) -> Any:
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    for name in NEVER_NULL:
        if name in changes and changes[name] is None:
            raise Invalid("field_required", "this field cannot be cleared", field=name)
    if "phones" in changes:
        changes["phones"] = _phones(body)
    done = await registration.change(tx, caller, elder_id, changes, expected)
    set_etag(response, done.version)
    return await _registered(tx, done)


@router.post("/v1/elders/{elder_id}/reveals", response_model=RevealedView, summary="Plain values, with a reason")
@allow("elders.reveal", keyed=False)
async def reveal(tx: TxDep, caller: CallerDep, elder_id: UUID, body: RevealBody, response: Response) -> Any:
    """Every reveal leaves its own audit row, a repeated one too."""
    response.headers["Cache-Control"] = "no-store"
    return await views.reveal(tx, caller, elder_id, body.fields, body.reason)


@router.get("/v1/elders/{elder_id}/household", response_model=HouseholdView, summary="Elders on the same phone")
@allow("elders.read")
async def read_household(tx: TxDep, caller: CallerDep, elder_id: UUID) -> Any:
    await registration.visible(tx, caller, elder_id)
    return HouseholdView(items=await views.masked(tx, await circumstances.household(tx, caller, elder_id)))


@router.post("/v1/elders/{elder_id}/tags", response_model=ElderView, status_code=201, summary="A circumstance begins")
@allow("elders.write")
async def add_tag(tx: TxDep, caller: CallerDep, elder_id: UUID, body: TagBody) -> Any:
    await registration.visible(tx, caller, elder_id)
    await circumstances.begin(tx, caller, elder_id, NewTag(**body.model_dump()))
    return (await views.masked(tx, [elder_id]))[0]


@router.post("/v1/elders/{elder_id}/tags/{tag}/end", response_model=ElderView, summary="A circumstance has ended")
@allow("elders.write")
async def end_tag(tx: TxDep, caller: CallerDep, elder_id: UUID, tag: Tag, body: TagEnd) -> Any:
    await registration.visible(tx, caller, elder_id)
    await circumstances.end(tx, caller, elder_id, tag, body.last_day)
    return (await views.masked(tx, [elder_id]))[0]


@router.post("/v1/elders/{elder_id}/family", response_model=CreatedView, status_code=201, summary="Add a relative")
@allow("elders.write")
async def add_family(tx: TxDep, caller: CallerDep, elder_id: UUID, body: FamilyBody) -> Any:
    await registration.visible(tx, caller, elder_id)
    member_id = await registration.add_family(tx, elder_id, NewFamilyMember(**body.model_dump()))
    await audit.record(tx, caller, "elders.add_family", "elder", elder_id, ["family"])
    return CreatedView(id=member_id)


@router.post(
    "/v1/elders/{elder_id}/family/{member_id}/approval", response_model=ElderView, summary="The elder has agreed"
)
@allow("elders.write")
async def approve_family(tx: TxDep, caller: CallerDep, elder_id: UUID, member_id: UUID) -> Any:
    await registration.visible(tx, caller, elder_id)
    await circumstances.approve_family(tx, caller, elder_id, member_id)
    return (await views.masked(tx, [elder_id]))[0]


async def _registered(tx: TxDep, done: registration.Registered) -> RegisteredView:
    elder = (await views.masked(tx, [done.id]))[0]
    return RegisteredView(elder=elder, warnings=list(done.warnings), possible_duplicates=list(done.possible_duplicates))


def _phones(body: ElderBody | ElderChange) -> tuple[NewPhone, ...]:
    return tuple(NewPhone(**phone.model_dump()) for phone in body.phones or ())


def _hit(cursor: str | None) -> search.Hit | None:
    if cursor is None:
        return None
    parts = decode_cursor(cursor)
    try:
        return search.Hit(int(parts[0]), UUID(parts[1]))
    except (ValueError, IndexError) as broken:
        raise Invalid("cursor_malformed", "use next_cursor as it was given", field="cursor") from broken


router.include_router(signing_in.router)
router.include_router(router_devices.router)
router.include_router(router_consents.router)
router.include_router(router_cards.router)
