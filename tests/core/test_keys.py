"""Where the master key comes from."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.keys import vault_from


def test_development_keeps_its_key_for_itself(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, master_key=None)
    first = vault_from(settings).blind("a", "b")
    kept = tmp_path / "keys" / "master.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert vault_from(settings).blind("a", "b") == first


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, master_key=None)
    with ThreadPoolExecutor(8) as crowd:
        vaults = list(crowd.map(lambda _: vault_from(settings), range(8)))
    assert len({vault.blind("a", "b") for vault in vaults}) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["master.key"]


def test_production_never_invents_a_key(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="never invents"):
        vault_from(Settings(environment="production", data_dir=tmp_path, master_key=None))
    assert not (tmp_path / "keys").exists()


def test_several_keys_oldest_first() -> None:
    old = vault_from(Settings(master_key="aa" * 32))
    both = vault_from(Settings(master_key="aa" * 32 + ", " + "bb" * 32))
    assert both.open("t.c", "r", old.seal("t.c", "r", "x")) == "x"
    assert both.seal("t.c", "r", "x")[1] == 2


@pytest.mark.parametrize("wrong", ["", "aa", "zz" * 32, "aa" * 32 + ","])
def test_a_wrong_key_is_refused_unquoted(wrong: str) -> None:
    with pytest.raises(RuntimeError) as refused:
        vault_from(Settings(master_key=wrong))
    assert not wrong or wrong not in str(refused.value)
