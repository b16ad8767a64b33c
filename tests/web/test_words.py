"""Every language of a face says the same things, and every page finds its words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from app.web.faces import FACES
from app.web.words import HERE, LANGUAGE

FOLDERS = [HERE / "words", *(HERE / face / "words" for face in FACES)]


def keys(entries: dict[str, Any], above: str = "") -> set[str]:
    found = set()
    for name, value in entries.items():
        found |= keys(value, f"{above}{name}.") if isinstance(value, dict) else {above + name}
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_languages_have_the_same_words(folder: Path) -> None:
    languages = {file.stem: keys(tomllib.loads(file.read_text(encoding="utf-8"))) for file in folder.glob("*.toml")}
    assert LANGUAGE in languages
    for language, found in languages.items():
        assert found == languages[LANGUAGE], language


CHINESE = re.compile(r"[\u4e00-\u9fff]")
COMMENTS = re.compile(r"\{#.*?#\}|/\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE)


def test_nothing_is_said_outside_of_the_words() -> None:
    """Templates and scripts take what they say from the words, so that a second language is a second file."""
    folders = [HERE, *(HERE / face for face in FACES)]
    files = [file for folder in folders for kind in ("templates/*.html", "static/*.js") for file in folder.glob(kind)]
    assert len(files) > 8
    said = {
        file.name: found[0] for file in files if (found := CHINESE.search(COMMENTS.sub("", file.read_text("utf-8"))))
    }
    assert said == {}


def test_every_refusal_by_number_says_what_to_do_next() -> None:
    """A page that only says no leaves people where they are; 401 is the sign-in page itself."""
    said = tomllib.loads((HERE / "words" / f"{LANGUAGE}.toml").read_text(encoding="utf-8"))
    numbers = {code for code in said["refusals"] if code.isdigit()} - {"401"}
    assert len(numbers) > 5
    assert numbers | {"other"} == set(said["refusal_next"])


@pytest.mark.parametrize("face", ["family", "portal"])
def test_families_are_not_spoken_to_in_the_trades_words(face: str) -> None:
    said = (HERE / face / "words" / f"{LANGUAGE}.toml").read_text(encoding="utf-8")
    assert not re.search("坐席|神志不清|24 ?小时|全天", said)
