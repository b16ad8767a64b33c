"""A past match can be made again, with what was known then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.db import Database, Tx
from app.core.errors import Invalid
from app.core.http import SYSTEM
from app.core.json import dumps, loads
from app.matching import queries_decisions, replay
from app.matching.kept import again, candidates, caregiver_ids, keep
from app.matching.rules import Candidate, rank
from app.matching.weights import ORDINARY
from tests.matching.test_rules import people
from tests.world.accounts import staff_headers
from tests.world.orders import TUESDAY_TEN, Town, make_order, make_town


@given(st.lists(people, min_size=1, max_size=6, unique_by=lambda c: c.caregiver_id))
def test_what_is_kept_ranks_the_same_after_a_way_through_json(found: list[Candidate]) -> None:
    ranked = rank(found, ORDINARY, "seed")
    names = {one.caregiver_id: ("王", "企业") for one in found}
    kept = loads(dumps(keep(ranked, "seed", 2.5, 60)))
    assert again(kept, ORDINARY, names) == ranked
    assert candidates(kept, names) == [one.candidate for one in ranked]


def test_a_kept_ranking_is_small() -> None:
    one = {"caregiver_name": "王", "provider_name": "企业", "travel_minutes": 12, "rating": 4.567, "share_gap": -3.25}
    found = [Candidate(caregiver_id=uuid4(), provider_id=uuid4(), **one) for _ in range(24)]  # type: ignore[arg-type]
    assert len(dumps(keep(rank(found, ORDINARY, "s"), "s", 2.5, 60))) < 24 * 120 + 300


class TestAfterwards:
    @pytest.fixture(autouse=True)
    def tuesday(self) -> Iterator[None]:
        with clock.hold(TUESDAY_TEN):
            yield

    @pytest.fixture
    async def town(self, tx: Tx) -> Town:
        return await make_town(tx, providers=2, caregivers=3)

    async def decided(self, tx: Tx, order_id: UUID) -> UUID:
        found: UUID = (await queries_decisions.decisions(tx, order_id))[-1]["id"]
        return found

    async def test_everything_changed_since_and_the_ranking_is_the_same(self, tx: Tx, town: Town) -> None:
        order = await make_order(tx, town.elder)
        decision = await self.decided(tx, order.id)
        before = await replay.replay(tx, SYSTEM, decision, None)
        await tx.run("UPDATE caregiver SET home_lng = home_lng + 0.3, status = 'inactive'")
        await tx.run("UPDATE caregiver_day SET rating = 1, taken = ~0::bit(384)")
        await tx.run("UPDATE provider SET status = 'suspended'")
        with clock.hold(TUESDAY_TEN + timedelta(days=90)):
            after = await replay.replay(tx, SYSTEM, decision, None)
        assert after == before
        assert after["same_ranking"]
        assert after["first_caregiver_id"] == after["chosen_caregiver_id"]
        assert after["seed"] == str(order.id)

    async def test_a_kept_ranking_that_was_touched_is_noticed(self, tx: Tx, town: Town) -> None:
        """The control: whoever stood last is given the best travel time of all."""
        order = await make_order(tx, town.elder)
        decision = await self.decided(tx, order.id)
        kept = (await queries_decisions.decision(tx, decision))["ranked"]
        kept["rows"][-1][2] = -10_000 if kept["rows"][0][2] <= 1 else 1
        kept["rows"][0][2] = 44
        await tx.run("UPDATE decision SET ranked = $2::jsonb WHERE id = $1", decision, dumps(kept))
        assert not (await replay.replay(tx, SYSTEM, decision, None))["same_ranking"]

    async def test_other_weights_say_whom_they_would_have_chosen(self, tx: Tx) -> None:
        town = await make_town(tx, providers=1, caregivers=1)
        known = town.caregivers[0][0]
        from tests.world.providers import make_caregiver

        near = await make_caregiver(tx, town.providers[0], home_lng=102.1899, home_lat=38.52)
        await tx.run(
            "INSERT INTO continuity (elder_id, caregiver_id, visits, last_at) VALUES ($1, $2, 5, $3)",
            town.elder, known, clock.now(),
        )  # fmt: skip
        order = await make_order(tx, town.elder)
        decision = await self.decided(tx, order.id)
        emergency = await tx.fetchval("SELECT version FROM dispatch_weights WHERE urgency = 'emergency'")
        then = await replay.replay(tx, SYSTEM, decision, None)
        other = await replay.replay(tx, SYSTEM, decision, emergency)
        assert (then["first_caregiver_id"], then["chosen_caregiver_id"]) == (known, known)
        assert other["first_caregiver_id"] == near
        assert (other["same_ranking"], other["weights_version"]) == (False, emergency)

    async def test_nobody_can_be_ranked_again(self, tx: Tx, town: Town) -> None:
        await tx.run("UPDATE provider SET status = 'suspended'")
        order = await make_order(tx, town.elder)
        kept = (await queries_decisions.decisions(tx, order.id))[-1]["ranked"]
        assert caregiver_ids(kept) == []
        with pytest.raises(Invalid) as refused:
            await replay.replay(tx, SYSTEM, await self.decided(tx, order.id), None)
        assert refused.value.code == "nothing_to_replay"


async def test_the_door_replays_and_knows_its_versions(api: httpx.AsyncClient, database: Database) -> None:
    async with database.transaction() as tx:
        town = await make_town(tx, hours=(0, 24))
        order = await make_order(tx, town.elder)
    operator = await staff_headers(database)
    decisions = (await api.get(f"/v1/orders/{order.id}/decisions", headers=operator)).json()
    assert len(decisions[0]["ranked"]) == 4
    assert [part["name"] for part in decisions[0]["ranked"][0]["parts"]] == list(ORDINARY)
    path = f"/v1/dispatch/decisions/{decisions[0]['id']}/replay"
    again = (await api.get(path, headers=operator)).json()
    assert again["same_ranking"]
    assert [one["score"] for one in again["ranked"]] == [one["score"] for one in decisions[0]["ranked"]]
    assert (await api.get(f"{path}?weights_version=999999", headers=operator)).status_code == 404
    assert (await api.get(f"/v1/dispatch/decisions/{uuid4()}/replay", headers=operator)).status_code == 404
    strangers = await staff_headers(database, divisions=("110000",))
    assert (await api.get(path, headers=strangers)).status_code == 404
