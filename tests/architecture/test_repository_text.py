"""What must not stand in a public repository: other people's hosts of packages, paths of one machine, secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Written in pieces, so that this file does not report itself.
FORBIDDEN = {
    "a package host": "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("npmmirror", "com"),
            ("tuna", "tsinghua"),
            ("mirrors", "aliyun"),
        )
    ),
    "a path of one machine": r"(?<![\w.])/(?:" + "ro" + "ot/|wo" + "rk/|home/[a-z]|Users/[A-Za-z])",
    "a private key": "BEGIN [A-Z ]*PRIVATE " + "KEY",
    "an unfinished thought": r"\b(?:TO" + "DO|FIX" + "ME|XX" + r"X)\b",
}


def offences(name: str, text: str) -> list[str]:
    """Forbidden things in one file, with their lines."""
    return [
        f"{name}:{number} has {what}: {found[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if (found := re.search(pattern, line))
    ]


def test_nothing_forbidden_is_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git working copy")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        try:
            found += offences(name, (ROOT / name).read_text())
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # not a text, or just removed
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "index-url = https://" + "pypi" + ".org/simple",
        'DATA = "/ro' + 'ot/data"',
        "see /wo" + "rk/shared",
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        "x = 1  # TO" + "DO later",
    ],
)
def test_an_offence_is_reported(line: str) -> None:
    assert offences("a.txt", "fine\n" + line)[0].startswith("a.txt:2 has")


@pytest.mark.parametrize("line", ["the network/ro" + "ot/", "GET /v1/homework/x", "rework/", "todo", "/app/root.py"])
def test_harmless_lines_are_not(line: str) -> None:
    assert offences("a.txt", line) == []
