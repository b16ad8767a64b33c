"""CPU time by role, from /proc: what a closed loop costs whom."""

from __future__ import annotations

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return None


def of_process(pid: int) -> float:
    """Seconds of user and system time, waited-for children included."""
    fields = _stat(pid)
    return sum(int(x) for x in fields[11:15]) / TICK if fields else 0.0


def of_one(pid: int) -> float:
    """Seconds one process has run, to the nanosecond; 0 where the kernel does not say."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def of_tree(pid: int) -> float:
    """The same for a process and all its living descendants (a PostgreSQL server and its backends)."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    total, waiting = 0.0, [pid]
    while waiting:
        found = waiting.pop()
        total += of_process(found)
        waiting += parents.get(found, [])
    return total
