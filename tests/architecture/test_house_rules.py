"""The product keeps the house rules; and each rule notices when it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import house_rules

APP = Path(__file__).resolve().parents[2] / "app"
QUICK_LOOK = 'ROWS = """SELECT * FROM care_order"""\n'

PURE = '"""Pure."""\n'

PLANTED = {
    "orders/service.py": [
        ("from sqlalchemy import select\n", "builds SQL with select()"),
        ("from sqlalchemy.dialects.postgresql import insert\n", "builds SQL with insert()"),
        (QUICK_LOOK, "writes SQL"),
        ("async def f(tx):\n    await tx.fetch(f'SELECT {1} FROM t')\n", "writes SQL"),
        ("async def f(c):\n    await c.commit()\n", "calls commit()"),
        ("async def f(tx):\n    await tx.run('ROLLBACK')\n", "the transaction belongs to the edge"),
        ("import datetime\nNOW = datetime.datetime.now()\n", "ask core.clock"),
        ("from datetime import date\nDAY = date.today()\n", "ask core.clock"),
        ("import time\nNOW = time.time()\n", "ask core.clock"),
        ("from sqlalchemy import func\nNOW = func.now()\n", "asks the database for the time"),
        ("X = 1\n" * 401, "401 lines"),
        ("def long():\n" + "    x = 1\n" * 70, "long has 71 lines"),
    ],
    "orders/queries.py": [
        ("FRESH = 'SELECT 1 WHERE at < now()'\n", "asks the database for the time"),
        ("FRESH = 'UPDATE t SET at = CURRENT_TIMESTAMP'\n", "asks the database for the time"),
    ],
    "orders/utils.py": [("", "called after nothing")],
    "orders/time_helpers.py": [("", "called after nothing")],
    "orders/common/__init__.py": [("", "called after nothing")],
    "orders/lifecycle.py": [
        (PURE + "from sqlalchemy import Text\n", "imports sqlalchemy"),
        (PURE + "from app.core import clock\n", "imports app.core.clock"),
        (PURE + "from fastapi import Request\n", "imports fastapi"),
        (PURE + "async def f() -> None: ...\n", "waits for something"),
        ("", "does not say that it is Pure"),
    ],
}
INNOCENT = {
    "orders/models.py": "from sqlalchemy import text\nDEFAULT = text('gen_random_uuid()')\n",
    "orders/queries.py": QUICK_LOOK + "from sqlalchemy import select\n",
    "orders/queries_board.py": QUICK_LOOK,
    "orders/service.py": '"""SELECT is a word."""\nX = "Selected by now()"\nimport time\nY = time.monotonic()\n',
    "orders/lifecycle.py": PURE + "from app.core.clock import SHANGHAI, service_day\n",
    "core/clock.py": "from datetime import datetime\nX = datetime.now()\n",
}


def test_the_product_keeps_the_rules() -> None:
    assert house_rules.breaches(APP) == []


@pytest.mark.parametrize(
    ("where", "source", "report"),
    [(where, source, report) for where, cases in PLANTED.items() for source, report in cases],
)
def test_a_breach_is_reported(tmp_path: Path, where: str, source: str, report: str) -> None:
    (tmp_path / where).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / where).write_text(source)
    found = house_rules.breaches(tmp_path)
    assert found
    assert all(report in breach for breach in found), found


@pytest.mark.parametrize("where", INNOCENT)
def test_what_only_looks_like_one_is_not(tmp_path: Path, where: str) -> None:
    (tmp_path / where).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / where).write_text(INNOCENT[where])
    assert house_rules.breaches(tmp_path) == []
