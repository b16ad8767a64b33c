"""The simulated day: the same bytes again, the same luck for everybody, and sums that are right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dispatch.batch import Switch
from scripts.simulator import city as cities
from scripts.simulator.compare import Difference, differences
from scripts.simulator.day import Day
from scripts.simulator.generator import generate
from scripts.simulator.ledger import MEASURES, gini
from scripts.simulator.people import People
from scripts.simulator.policy import SHIPPED, load

ROOT = Path(__file__).parents[2]


def simulate(hash_seed: str, *options: str) -> bytes:
    """A run of the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.simulator", "--orders", "25", "--caregivers", "6", "--scarce", *options],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.timeout(300)
def test_the_same_seed_gives_the_same_bytes_in_other_processes() -> None:
    options = ("--policy", "ranked", "--policy", "batch", "--policy", "grab", "--seeds", "2", "--json")
    first = simulate("0", *options, "--processes", "1")
    assert first == simulate("4711", *options, "--processes", "2")
    assert first != simulate("0", *options, "--seed", "8")
    answer = json.loads(first)
    assert [one["name"] for one in answer["policies"]] == ["ranked", "batch", "grab"]


def test_the_table_stands_two_policies_side_by_side() -> None:
    shown = simulate("1", "--policy", "ranked", "--policy", "grab", "--seeds", "2").decode()
    for _, label, _ in MEASURES:
        assert label.strip() in shown
    assert "ranked" in shown.splitlines()[1]
    assert "grab" in shown.splitlines()[1]


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.json")))
def test_nobody_is_in_two_places_and_every_number_is_possible(name: str) -> None:
    city = generate(3, 120, 15, scarce=True)
    day = Day(city, load(name), 3)
    told = day.run()
    for diary in day.diaries.values():
        for earlier, later in zip(diary.entries, diary.entries[1:], strict=False):
            assert earlier.end <= later.begin
        for entry in diary.entries:
            assert day.cases[entry.order].booked == diary.carer.id
            assert day.cases[entry.order].wish.item in diary.carer.items
            assert diary.carer.shift_opens <= entry.starts
    assert 0 < told["served"] <= 100
    assert all(0 <= told[f"served_{u}"] <= 100 for u in ("emergency", "urgent", "normal", "appointment"))
    assert told["late_p90"] >= 0
    assert 0 <= told["gini"] < 1


def test_who_refuses_and_what_a_way_takes_does_not_depend_on_the_policy() -> None:
    city = generate(5, 40, 8)
    one, other = People(5), People(5)
    wishes = list(city.wishes)
    other.answer(wishes[3].id, city.carers[0].provider)  # asked in another order: no stream to get out of step
    for wish in wishes:
        assert one.answer(wish.id, city.carers[0].provider) == other.answer(wish.id, city.carers[0].provider)
        assert one.stays(wish) == other.stays(wish)


def test_emergencies_never_wait_for_a_batch() -> None:
    always = replace(load("batch"), batch=Switch(opens=0.0, closes=0.0, seconds=60))
    day = Day(generate(2, 150, 20, scarce=True), always, 2)
    told = day.run()
    assert told["batched"] > 30
    urgent = {case.wish.id for case in day.cases.values() if case.wish.urgency in ("emergency", "urgent")}
    assert urgent
    assert not day._batched & urgent


def test_a_switch_that_never_opens_is_greedy_dispatch() -> None:
    city, ranked = generate(2, 80, 12, scarce=True), load("ranked")
    never = replace(ranked, batch=Switch(opens=1e9, closes=1e9))
    assert Day(city, ranked, 2).run() == Day(city, never, 2).run()


def test_a_saved_city_is_read_back_and_lives_the_same_day(tmp_path: Path) -> None:
    city = generate(4, 50, 10)
    cities.save(city, tmp_path / "day.json")
    back = cities.load(tmp_path / "day.json")
    assert back == city
    assert Day(back, load("ranked"), 4).run() == Day(city, load("ranked"), 4).run()
    cities.save(back, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "day.json").read_bytes()
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(ValueError, match="not a recorded day"):
        cities.load(tmp_path / "other.json")


def test_a_policy_with_an_unknown_word_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"weights": {"any": {}}, "mdoe": "grab"}')
    with pytest.raises(ValueError, match="mdoe"):
        load(str(file))
    file.write_text('{"weights": {"any": {}}, "batch": {"open": 1}}')
    with pytest.raises(ValueError, match="open"):
        load(str(file))
    with pytest.raises(ValueError, match="shipped are"):
        load("nowhere")


def test_differences_are_paired() -> None:
    base = {name: 0.0 for name, _, _ in MEASURES}
    first = [{**base, "served": value} for value in (10.0, 50.0, 90.0)]
    second = [{**base, "served": value + 1 + shift} for value, shift in ((10, -0.1), (50, 0.0), (90, 0.1))]
    found = differences(first, second)["served"]
    # By hand: mean 1, standard deviation 0.1, t(0.975; 2) = 4.3027, half width 4.3027 * 0.1 / sqrt(3).
    assert found == Difference(1.0, 0.2484)
    assert found.certain
    assert not Difference(0.1, 0.2).certain
    assert not Difference(5.0, None).certain


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_gini_lies_between_equal_and_all_to_one(values: list[float]) -> None:
    assert -1e-9 <= gini(values) < 1
    assert gini([5.0] * len(values)) == pytest.approx(0, abs=1e-9)


def test_gini_by_hand() -> None:
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    assert gini([1, 3]) == pytest.approx(0.25)
    assert gini([]) == 0.0


def test_a_recording_names_nobody() -> None:
    from scripts.simulator.recording import SQUARE, Veil

    real = UUID("0193a8c0-0000-7000-8000-000000000001")
    veil = Veil()
    assert veil.name(real) == veil.name(real) != real
    assert veil.name(real) != Veil().name(real)
    assert abs(veil.coarse(102.19) - 102.19) <= SQUARE
    assert veil.coarse(102.1861) == veil.coarse(102.1879)
