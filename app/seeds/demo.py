"""Jinchang, with people in it: `load` fills an empty, migrated database with a small city that has a past.

Last month is settled, this month is under way, today's orders stand at every station of the line, and what comes back
every week is planned for the days ahead. Everything after the people and their keys goes through the rooms' own verbs.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from app.catalog import service as catalog
from app.core import clock
from app.core.config import Settings
from app.core.db import Database, Tx
from app.core.http import SYSTEM
from app.knowledge import service as knowledge
from app.seeds import accounts, aftermath, base, companies, devices, elders, plans, plots, present, queries, story
from app.seeds.accounts import Cast
from app.seeds.chance import chance
from app.seeds.story import Stage

PRICES_FROM = date(2024, 1, 1)
ORDERS_LAST_MONTH = 110
ORDERS_A_DAY = 3


async def load(database: Database, settings: Settings) -> None:
    """Load the demo world, all of it or nothing; does nothing where elders are.

    Leaves `data_dir/demo/credentials.json` (mode 0600).
    """
    async with database.transaction() as tx:
        await tx.one_at_a_time("seeds")
        if await queries.inhabited(tx):
            return
        cast = await furnish(tx, settings)
        base.write_secret(settings.data_dir / "demo" / "credentials.json", cast.credentials)


async def furnish(tx: Tx, settings: Settings) -> Cast:
    """The whole world in one transaction; everybody's credentials."""
    await base.load_base(tx)
    await catalog.load_demo_prices(tx, settings.city_division, PRICES_FROM)
    await knowledge.load_examples(tx, SYSTEM, settings.city_division, PRICES_FROM)
    people = await elders.load(tx)
    firms = await companies.load(tx)
    cast = await accounts.load(tx, settings.public_url, firms, people)
    stage = _stage(cast, firms, people)
    await aftermath.contracts(tx, cast.staff["shenpi"], stage, _midnight(_months(clock.today())[0]))
    await _past(tx, stage)
    await _last_month(tx, cast, stage)
    await queries.tell_nobody(tx)
    await present.live(tx, stage)
    await plans.load(tx, stage)
    await devices.load(tx, stage)
    return cast


def _stage(cast: Cast, firms: list[companies.Company], people: list[elders.Person]) -> Stage:
    operator, caller_back = present.operators(cast.staff)
    return Stage(operator, caller_back, cast.staff["zhuguan"], {firm.id: firm for firm in firms}, people)


async def _past(tx: Tx, stage: Stage) -> None:
    last, this, today = _months(clock.today())
    days = [last + timedelta(days=n) for n in range((today - last).days)]
    in_last = (this - last).days
    each = [ORDERS_LAST_MONTH // in_last + (n < ORDERS_LAST_MONTH % in_last) for n in range(in_last)]
    each += [ORDERS_A_DAY] * (len(days) - in_last)
    plotted = list(plots.past(chance("plots"), days, each, len(stage.people)))
    lived = await story.live(tx, stage, plotted)
    await aftermath.follow_up(tx, stage, list(lived), {order_id: plot.ending for order_id, plot in lived.items()})


async def _last_month(tx: Tx, cast: Cast, stage: Stage) -> None:
    last, this, _ = _months(clock.today())
    at = min(_midnight(this) + timedelta(hours=9), clock.now())
    staff = cast.staff
    await aftermath.settle(tx, staff["jiesuan"], staff["shenpi"], stage, f"{last:%Y-%m}", at)


def _months(today: date) -> tuple[date, date, date]:
    """The first day of last month, the first day of this month, and today."""
    this = today.replace(day=1)
    return (this - timedelta(days=1)).replace(day=1), this, today


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.SHANGHAI)
