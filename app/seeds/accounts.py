"""Everybody who may knock at a door of the demo world: staff, provider systems, exchanges, devices, families."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.accounts import keys, passwords
from app.accounts import service as accounts
from app.channels.wechat import accounts as wechat
from app.core.db import Tx
from app.core.http import SYSTEM, Caller
from app.seeds.companies import Company
from app.seeds.elders import Person

CITY = ("620300",)
STAFF = (
    ("zuoxi1", "坐席 王桂兰", "operator", CITY),
    ("zuoxi2", "坐席 李建国", "operator", CITY),
    ("zuoxi3", "坐席 马玉珍（永昌）", "operator", ("620321",)),
    ("hexipu", "河西堡镇养老服务站 赵春梅", "station", ("620321101",)),
    ("zhuguan", "主管 陈淑英", "supervisor", CITY),
    ("jiesuan", "结算 赵敏", "settlement_clerk", CITY),
    ("shenpi", "审批 周国栋", "finance_approver", CITY),
    ("shenji", "审计 吴静", "auditor", CITY),
    ("admin", "系统管理员", "administrator", CITY),
    ("anquan", "安全管理员", "security_administrator", CITY),
)
FAMILIES = 40
VENDOR = "shiyan"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who acts in the demo world's stories, and the credentials that were written down."""

    staff: dict[str, Caller]
    """By username."""
    credentials: dict[str, Any]


async def load(tx: Tx, base_url: str, companies: Sequence[Company], people: Sequence[Person]) -> Cast:
    """Make all accounts and keys. One password for the whole staff: hashing takes a tenth of a second each."""
    password = f"nuanxian-{secrets.token_hex(4)}"
    password_hash = passwords.hash_now(password)
    staff: dict[str, Caller] = {}
    shown = []
    for username, name, role, divisions in STAFF:
        made = await accounts.create_staff(tx, username, name, password_hash, [role], divisions)
        caller = Caller("staff", str(made.id), name, frozenset({role}), divisions)
        staff[username] = caller
        shown.append({"username": username, "password": password, "role": role, "name": name})
    telephony_key, telephony_secret = await keys.create_key(tx, "telephony", "呼叫中心（演示）")
    app_key, app_secret = await keys.create_key(tx, "app", "市民服务应用（演示）")
    device_key, device_secret = await keys.create_key(tx, "device", "智能设备平台（演示）", vendors=[VENDOR])
    credentials = {
        "base_url": base_url,
        "staff": shown,
        "providers": [await _provider(tx, company) for company in companies],
        "wechat": [await _wechat(tx)],
        "telephony": {"app_key": telephony_key, "secret": telephony_secret},
        "devices": [{"vendor": VENDOR, "app_key": device_key, "secret": device_secret}],
        "apps": [{"name": "市民服务应用（演示）", "app_key": app_key, "secret": app_secret}],
        "families": [
            {"phone": person.family[1], "elder_id": str(person.id)} for person in people if person.family is not None
        ][:FAMILIES],
    }
    return Cast(staff, credentials)


async def _provider(tx: Tx, company: Company) -> dict[str, Any]:
    key, secret = await keys.create_key(tx, "provider", company.name, company.id)
    return {
        "provider_id": str(company.id),
        "name": company.name,
        "app_key": key,
        "secret": secret,
        "caregivers": [
            {"caregiver_id": str(helper.id), "name": helper.name, "phone": helper.phone}
            for helper in company.caregivers
        ],
    }


async def _wechat(tx: Tx) -> dict[str, str]:
    account = {
        "account": "gh_demo12349",
        "appid": "wx000000000012349a",
        "token": secrets.token_hex(12),
        "aes_key": base64.b64encode(secrets.token_bytes(32)).decode().rstrip("="),
    }
    await wechat.put_account(
        tx, SYSTEM, account["account"], appid=account["appid"], token=account["token"], aes_key=account["aes_key"]
    )
    return account
