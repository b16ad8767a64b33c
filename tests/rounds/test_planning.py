"""Making plans: what a dispatcher reads when the solver fails, and that nothing of the day was touched."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import Database
from app.core.errors import Conflict, Invalid
from app.core.http import SYSTEM
from app.core.json import canonical
from app.jobs.queue import dead_letters
from app.rounds import planning, queries, views
from app.rounds.lifecycle import AT_WORK, MOVES, PlanStatus
from app.routing import workers
from app.routing.problem import Plan, Problem, Round, Solution
from app.routing.workers import Reason, SolverFailed
from tests.rounds.days import DISTRICT, WEDNESDAY, everything, plan_row, planned, small_day, solver
from tests.world.accounts import staff_headers
from tests.world.orders import TUESDAY_TEN, make_town


@pytest.fixture(autouse=True)
def tuesday() -> object:
    with clock.hold(TUESDAY_TEN):
        yield


def failing(reason: Reason) -> Any:
    async def fail(*_: Any, **__: Any) -> Solution:
        raise SolverFailed(reason, "Segmentation fault at 0xdeadbeef")

    return fail


async def nonsense(problem: Problem, budget_cpu_s: float, *more: Any, **options: Any) -> Solution:
    """Everybody's work for one caregiver, at once, and a clean bill of health."""
    honest = await solver(problem, budget_cpu_s, *more, **options)
    everything_at_once = tuple(stop for one in honest.plan.rounds for stop in one.stops)
    plan = Plan((Round(problem.caregivers[0].id, everything_at_once, 0, 86_400),), ())
    return Solution(plan, honest.cost, 0.0, (), honest.steps)


async def bug(*_: Any, **__: Any) -> Solution:
    raise ZeroDivisionError("13900001111")


@pytest.mark.parametrize(
    ("solve", "reason"),
    [
        (failing("died"), "died"), (failing("out_of_memory"), "out_of_memory"),
        (failing("out_of_time"), "out_of_time"), (failing("nonsense"), "nonsense"), (nonsense, "nonsense"),
        (bug, "died"),
    ],
)  # fmt: skip
async def test_a_failing_solver_leaves_the_day_byte_for_byte_and_says_why(
    database: Database, solve: Any, reason: str
) -> None:
    await small_day(database)
    before = canonical([[list(map(str, row)) for row in table] for table in await everything(database)])
    plan_id = await planned(database, solve)
    row = await plan_row(database, plan_id)
    assert (row["status"], row["failure"]) == ("failed", reason)
    assert row["failure_detail"]
    assert "13900001111" not in row["failure_detail"]
    assert views.head(row)["failure_label"] == views.FAILURES[reason] != reason
    assert canonical([[list(map(str, r)) for r in table] for table in await everything(database)]) == before
    if solve is nonsense:
        assert {one["rule"] for one in row["violations"]} & {"travel", "shift", "only", "break"}


async def test_a_day_without_orders_has_nothing_to_plan(database: Database) -> None:
    async with database.transaction() as tx:
        await make_town(tx)
    row = await plan_row(database, await planned(database))
    assert (row["status"], row["failure"]) == ("failed", "nothing_to_plan")


async def test_one_plan_of_a_day_is_made_at_a_time_and_a_discarded_one_is_not_kept(database: Database) -> None:
    await small_day(database)
    async with database.transaction() as tx:
        plan_id = await planning.begin(tx, SYSTEM, WEDNESDAY, DISTRICT, None, 1.0)
    with pytest.raises(Conflict) as busy:
        async with database.transaction() as tx:
            await planning.begin(tx, SYSTEM, WEDNESDAY, DISTRICT, None, 1.0)
    assert busy.value.facts["round_plan_id"] == str(plan_id)

    async def discarded_meanwhile(*given: Any, **options: Any) -> Solution:
        async with database.transaction() as tx:
            await planning.discard(tx, SYSTEM, plan_id)
        return await solver(*given, **options)

    await planning.Planner(discarded_meanwhile).solve(database, {"round_plan_id": str(plan_id)})
    row = await plan_row(database, plan_id)
    assert (row["status"], row["plan"]) == ("discarded", None)


async def test_whoever_takes_over_from_a_dead_worker_is_the_only_one_to_write(database: Database) -> None:
    await small_day(database)
    async with database.transaction() as tx:
        plan_id = await planning.begin(tx, SYSTEM, WEDNESDAY, DISTRICT, None, 1.0)
    payload = {"round_plan_id": str(plan_id)}

    async def slow(*given: Any, **options: Any) -> Solution:
        await planning.Planner(failing("died")).solve(database, payload)  # another worker, meanwhile
        return await solver(*given, **options)

    await planning.Planner(slow).solve(database, payload)
    assert (await plan_row(database, plan_id))["failure"] == "died"


async def test_days_gone_by_and_unclear_scopes_are_refused(database: Database) -> None:
    async with database.transaction() as tx:
        for day, division in ((TUESDAY_TEN.date().replace(day=2), DISTRICT), (WEDNESDAY, None)):
            with pytest.raises(Invalid):
                await planning.begin(tx, SYSTEM, day, division, None, None)


@pytest.mark.parametrize(
    ("name", "status", "failure"),
    [("solve_small", "ready", None), ("crash", "failed", "died"), ("devour", "failed", "out_of_memory")],
)
async def test_a_solver_in_its_own_process_answers_or_fails_alone(
    database: Database, name: str, status: str, failure: str | None
) -> None:
    await small_day(database)
    before = await everything(database)
    apart = partial(workers.solve_apart, solver=f"tests.rounds.days:{name}")
    row = await plan_row(database, await planned(database, apart))
    assert (row["status"], row["failure"]) == (status, failure), row["failure_detail"]
    assert await everything(database) == before


async def test_the_doors_show_progress_rounds_and_the_way_it_is_published(database: Database, api: Any) -> None:
    await small_day(database)
    headers = await staff_headers(database)
    body = {"service_day": WEDNESDAY.isoformat(), "division": DISTRICT, "budget_cpu_s": 2}
    begun = await api.post("/v1/rounds", json=body, headers=headers)
    assert begun.status_code == 202, begun.text
    plan_id = begun.json()["id"]
    read = {"Authorization": headers["Authorization"]}
    draft = (await api.get(f"/v1/rounds/{plan_id}", headers=read)).json()
    assert (draft["status"], draft["progress"], draft["rounds"]) == ("draft", 0, [])
    await planning.Planner(solver).solve(database, {"round_plan_id": plan_id})
    ready = await api.get(f"/v1/rounds/{plan_id}", headers=read)
    plan = ready.json()
    assert (plan["status"], plan["progress"], plan["unserved"]) == ("ready", 1, [])
    assert sum(len(one["stops"]) for one in plan["rounds"]) == 7
    assert all(stop["order_number"] and one["caregiver"] for one in plan["rounds"] for stop in one["stops"])
    assert plan["cost_before"]["unserved"] == 1
    assert plan["cost_after"]["unserved"] == 0
    elsewhere = await staff_headers(database, divisions=("620400",))
    for method, path in (("GET", ""), ("POST", "/publication"), ("POST", "/discard")):
        answer = await api.request(method, f"/v1/rounds/{plan_id}{path}", headers=elsewhere)
        assert answer.status_code == 404, path
        elsewhere["Idempotency-Key"] += "x"
    assert (await api.get("/v1/rounds", headers=elsewhere)).json()["items"] == []
    publish = {**headers, "Idempotency-Key": "publish-1", "If-Match": '"1"'}
    assert (await api.post(f"/v1/rounds/{plan_id}/publication", headers=publish)).status_code == 412
    publish |= {"If-Match": ready.headers["ETag"], "Idempotency-Key": "publish-2"}
    done = await api.post(f"/v1/rounds/{plan_id}/publication", headers=publish)
    assert (done.status_code, done.json()["status"]) == (200, "published"), done.text
    listed = (await api.get("/v1/rounds", headers=read)).json()["items"]
    assert [one["status"] for one in listed] == ["published"]


def test_the_states_are_one_table() -> None:
    assert set(MOVES) == set(PlanStatus)
    assert all(MOVES[status] for status in AT_WORK)
    assert {status for status in PlanStatus if not MOVES[status]} == {
        PlanStatus.FAILED, PlanStatus.PUBLISHED, PlanStatus.DISCARDED
    }  # fmt: skip


async def test_nothing_is_left_in_the_queue_of_the_dead(database: Database) -> None:
    await small_day(database)
    plan_id: UUID = await planned(database, failing("died"))
    async with database.transaction() as tx:
        assert await dead_letters(tx) == []
        assert await queries.at_work(tx, WEDNESDAY, DISTRICT, None) is None
        assert plan_id
