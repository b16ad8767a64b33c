"""The bench's world and its service: a real server, a web process, a worker, and a town large enough to be busy."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.accounts import keys, tokens
from app.accounts.passwords import hash_now
from app.accounts.queries_staff import open_session
from app.accounts.service import create_staff
from app.catalog import service as catalog
from app.core import clock
from app.core.config import Settings
from app.core.db import Database, Tx
from app.core.geo import Crs, Location
from app.core.http import SYSTEM
from app.core.ids import new_id
from app.core.keys import vault_from
from app.elders import registration
from app.elders.facts import NewElder, NewPhone
from app.providers import credit_codes
from app.providers.models import Caregiver, CaregiverShift, Provider, ProviderArea, ProviderItem
from app.providers.service import PHONE, phone_index
from app.seeds.base import load_base
from app.serving import migrations, postgres
from app.settlement import agreements
from app.settlement.contracts import Band, Terms

DISTRICT = "620302"
COMMUNITY = "620302001001"
ITEM = "meal_delivery"
PROVIDERS = 12
TEAM = 5
ELDERS = 1000
LAST_CURSOR: dict[UUID | str, str] = {}
"""Where each provider's reader stands, from one level to the next; by provider and by key."""
MASTER_KEY = "62656e63686d61726b" + "0" * 46


@dataclass(frozen=True)
class Elder:
    id: UUID
    lng: float
    lat: float


@dataclass(frozen=True)
class Town:
    elders: list[Elder]
    keys: dict[UUID, tuple[str, str]]
    staff: str
    clerk: str


async def build(database: Database) -> Town:
    """Providers with teams on duty around the clock, elders, one desk token, one clerk's token."""
    async with database.transaction() as tx:
        await load_base(tx)
        await catalog.load_demo_prices(tx, "620300", date(2020, 1, 1))
        pairs = {}
        for number in range(PROVIDERS):
            provider = await _provider(tx, number)
            pairs[provider] = await keys.create_key(tx, "provider", f"bench {number}", provider)
        staff = await _token(tx, "bench-desk", ("operator",))
        clerk = await _token(tx, "bench-clerk", ("settlement_clerk",))
    elders = []
    for begin in range(0, ELDERS, 100):
        async with database.transaction() as tx:
            elders += [await _elder(tx, begin + i) for i in range(100)]
    return Town(elders, pairs, staff, clerk)


async def _provider(tx: Tx, number: int) -> UUID:
    now, provider_id = clock.now(), new_id()
    code = f"91620302MB{number:07d}"
    await tx.execute(
        insert(Provider).values(
            id=provider_id,
            name=f"测速企业 {number}",
            uscc=code + credit_codes.check_character(code),
            kind="company",
            status="active",
            phone="+869358220001",
            division_code=DISTRICT,
            lng=102.19,
            lat=38.52,
            version=1,
            created_at=now,
            updated_at=now,
        )
    )
    await tx.execute(insert(ProviderArea).values(provider_id=provider_id, division_code=DISTRICT))
    await tx.execute(insert(ProviderItem).values(provider_id=provider_id, item_code=ITEM))
    terms = Terms(
        contract_id=new_id(), division_code="620300", bands=(Band(1, 7_000), Band(3, 9_000), Band(4, 10_000)),
        unrated_bp=10_000, late=(), complaint_bp=2_000, partly_visit_bp=5_000, holdback_bp=0, confirm_days=7,
    )  # fmt: skip
    await agreements.add_contract(tx, SYSTEM, provider_id, terms, date(2020, 1, 1))
    for member in range(TEAM):
        caregiver_id, phone = new_id(), f"+86100991{number:02d}{member:03d}"
        await tx.execute(
            insert(Caregiver).values(
                id=caregiver_id,
                provider_id=provider_id,
                name=f"测试{number}-{member}",
                sex="female",
                phone=tx.vault.seal(PHONE, caregiver_id, phone),
                phone_index=phone_index(tx, phone),
                home_lng=102.15 + member / 500,
                home_lat=38.50 + number / 200,
                division_code=DISTRICT,
                travel_mode="ebike",
                status="active",
                created_at=now,
                updated_at=now,
            )
        )
        shifts = [
            {"caregiver_id": caregiver_id, "weekday": day, "starts_minute": 0, "ends_minute": 1440}
            for day in range(1, 8)
        ]
        await tx.execute(insert(CaregiverShift), shifts)
    return provider_id


async def _elder(tx: Tx, number: int) -> Elder:
    place = Location(lng=102.17 + number % 50 / 1000, lat=38.51 + number // 50 / 1000, crs=Crs.WGS84)
    new = NewElder(
        name=f"测试老人{number}",
        division_code=COMMUNITY,
        phones=(NewPhone(f"1009{number:07d}"),),
        address=f"测试路 {number} 号",
        location=place,
    )
    return Elder((await registration.register(tx, SYSTEM, new)).id, place.lng, place.lat)


async def _token(tx: Tx, name: str, roles: tuple[str, ...]) -> str:
    token, now = tokens.new_token(tokens.STAFF), clock.now()
    made = await create_staff(tx, name, name, hash_now("not used"), roles, ("620300",), with_otp=False)
    await open_session(tx, tokens.hash_of(token), made.id, now, now + timedelta(hours=12))
    return token


class Service:
    """Server, web and worker of one run; everything it started ends with it."""

    def __init__(self, home: Path, web_processes: int) -> None:
        self.home = home
        self._web_processes = web_processes
        self.server = postgres.start(home / "postgres")
        self._children: list[subprocess.Popen[bytes]] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def settings(self, name: str) -> Settings:
        return Settings(
            database_url=self.server.dsn(name), data_dir=self.home, port=self.port, demo=False,
            master_key=MASTER_KEY, pool_size=12,
        )  # fmt: skip

    def database(self, name: str, bus: Any = None) -> Database:
        settings = self.settings(name)
        return Database(self.server.dsn(name), vault=vault_from(settings), bus=bus, pool_size=12)

    async def create(self, name: str) -> None:
        self.server.create_database(name)
        await migrations.aupgrade(self.server.dsn(name))

    async def start(self, name: str) -> None:
        """Run web and worker on one database and wait until they are ready."""
        settings = self.settings(name)
        environment = os.environ | {
            "DATABASE_URL": str(settings.database_url), "NUANXIAN_DATA_DIR": str(self.home),
            "NUANXIAN_MASTER_KEY": MASTER_KEY, "NUANXIAN_DEMO": "false", "NUANXIAN_POOL_SIZE": "5",
            "NUANXIAN_LOG_LEVEL": "WARNING",
        }  # fmt: skip
        web = [
            "uvicorn", "app.main:app_from_environment", "--factory", "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", str(self._web_processes), "--log-level", "warning", "--no-access-log",
        ]  # fmt: skip
        log = open(self.home / f"{name}.log", "ab")  # noqa: ASYNC230, SIM115
        for module in (web, ["app.worker"]):
            self._children.append(
                subprocess.Popen([sys.executable, "-m", *module], env=environment, stdout=log, stderr=log)  # noqa: ASYNC220
            )
        log.close()
        await self._ready()

    async def _ready(self) -> None:
        from benchmarks.client import Connection

        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                status, _ = await Connection("127.0.0.1", self.port).request("GET", "/readyz", {})
                if status == 200:
                    return
            except OSError:
                pass
            await asyncio.sleep(0.2)
        raise RuntimeError("the service did not become ready; see its log in the data directory")

    @property
    def web_pid(self) -> int:
        return self._children[0].pid

    @property
    def worker_pid(self) -> int:
        return self._children[1].pid

    @property
    def server_pid(self) -> int:
        return int((self.home / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])

    def stop_children(self) -> None:
        for child in self._children:
            child.send_signal(signal.SIGTERM)
        for child in self._children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._children.clear()

    def stop(self) -> None:
        self.stop_children()
        self.server.stop()
