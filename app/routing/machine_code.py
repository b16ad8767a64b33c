"""Where the solvers' machine code is kept: a folder for every state of their sources.

numba takes a function's code from where it is kept as long as the function's own file is the same; what was compiled
into it from other files may long be another. So whoever compiles imports `njit` from here, and never meets old code.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numba

HERE = Path(__file__).parent
SOURCES = ("synchronised*.py", "insertion*.py")
settings: Any = numba.config


def state() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in HERE.glob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


settings.CACHE_DIR = str(Path(settings.CACHE_DIR or HERE / "__pycache__") / f"machine-code-{state()}")

njit = numba.njit
