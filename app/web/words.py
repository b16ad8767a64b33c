"""What the pages say: one file per face and language, beside the face; `frame` is what all of them say.

A second language is a second file with the same keys (`tests/web/test_words.py` compares them).
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LANGUAGE = "zh-CN"


class Words:
    """Words by name: `t.board.title`. A name that is not there is a mistake of the page, and raises KeyError."""

    def __init__(self, entries: dict[str, Any]) -> None:
        self._entries = entries

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __getitem__(self, name: str) -> Any:
        found = self._entries[name]
        return Words(found) if isinstance(found, dict) else found

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def get(self, name: str, otherwise: str = "") -> str:
        """The word for a code that may be newer than this page."""
        return str(self._entries.get(name, otherwise or name))

    def plain(self) -> dict[str, Any]:
        """As data, for a page's script."""
        return self._entries


@cache
def words_of(face: str, language: str = LANGUAGE) -> Words:
    """All words of a face; those of the frame are found in it, too."""
    entries = _read(HERE / "words" / f"{language}.toml")
    if face != "frame":
        entries |= _read(HERE / face / "words" / f"{language}.toml")
    return Words(entries)


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
