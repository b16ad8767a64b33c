"""Make `.venv` hold exactly what a lock file says, from a bare Python 3.11; quick when it already does.

    python scripts/_environment.py serve|dev

Standard library only: this runs before anything is installed. Everything is pinned by hash. uv does the
work where it can be had (seconds instead of minutes); otherwise pip does. Package indexes, proxies and
certificates are taken from the environment and from pip's own configuration.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "scripts" / "locks"
VENV = ROOT / ".venv"
TOOLS = ROOT / ".uv"
STAMP = "nuanxian-environment.json"
RICHER = {"serve": 0, "dev": 1}  # dev holds everything serve does and is never taken back to it
PYTHON = getattr(sys, "_base_executable", sys.executable)  # not that of an environment we may replace
MODULES = ("ctypes", "ssl", "venv", "zlib")


class Impossible(Exception):
    """Says what is missing and how to get it."""


def main() -> int:
    wanted = sys.argv[1]
    try:
        check_interpreter()
        turn = os.open(LOCKS, os.O_RDONLY)
        fcntl.flock(turn, fcntl.LOCK_EX)  # two commands may start at once; held until this process ends
        provide(wanted)
    except Impossible as reason:
        print(f"{reason}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The environment cannot be set up in {ROOT}: {error}", file=sys.stderr)
        return 1
    return 0


def check_interpreter() -> None:
    for name in MODULES:
        try:
            __import__(name)
        except ImportError:
            raise Impossible(
                f"{sys.executable} has no module '{name}'. Install a complete Python 3.11 or newer "
                "(on Debian and Ubuntu: apt-get install python3 python3-venv)."
            ) from None


def provide(wanted: str) -> None:
    found = read_stamp()
    if found and RICHER[found["kind"]] > RICHER[wanted]:
        wanted = found["kind"]
    now = {"kind": wanted, "lock": digest(wanted), "python": list(sys.version_info[:2])}
    if found == now:
        return
    print(f"Setting up the {wanted} environment in {VENV.name} ...", file=sys.stderr, flush=True)
    if VENV.exists() and not usable(VENV, now["python"]):
        shutil.rmtree(VENV)
    (VENV / STAMP).unlink(missing_ok=True)
    uv = provide_uv()
    if not (uv and install_with_uv(uv, wanted)):
        install_with_pip(wanted)
    partial = VENV / f"{STAMP}.new"
    partial.write_text(json.dumps(now))
    partial.replace(VENV / STAMP)


def read_stamp() -> dict | None:
    try:
        stamp = json.loads((VENV / STAMP).read_text())
    except (OSError, ValueError):
        return None
    return stamp if stamp.get("kind") in RICHER and usable(VENV, stamp.get("python")) else None


def usable(venv: Path, version: list[int] | None) -> bool:
    """Whether the environment's interpreter still runs and has the version it was made with."""
    ask = [str(venv / "bin" / "python"), "-I", "-c", "import sys; print(list(sys.version_info[:2]))"]
    try:
        return subprocess.run(ask, capture_output=True, text=True).stdout.strip() == str(version)
    except OSError:
        return False


def digest(name: str) -> str:
    return hashlib.sha256((LOCKS / f"{name}.txt").read_bytes()).hexdigest()


def provide_uv() -> str | None:
    """A uv of the pinned version in an environment of its own, else any uv there is, else None."""
    uv, mark = TOOLS / "bin" / "uv", TOOLS / "uv.lock.sha256"
    if mark.exists() and mark.read_text() == digest("uv") and runs([str(uv), "--version"]):
        return str(uv)
    shutil.rmtree(TOOLS, ignore_errors=True)
    pip = make_venv_with_pip(TOOLS)
    fetch = [*pip, "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--no-deps"]
    if pip and runs([*fetch, "-r", str(LOCKS / "uv.txt")], loud=True):
        mark.write_text(digest("uv"))
        return str(uv)
    return shutil.which("uv")


def make_venv_with_pip(where: Path) -> list[str]:
    """The pip command for a new environment; an empty list when this Python can give it none."""
    python = str(where / "bin" / "python")
    if runs([PYTHON, "-I", "-m", "venv", str(where)]):
        return [python, "-I", "-m", "pip", "--disable-pip-version-check"]
    shutil.rmtree(where, ignore_errors=True)  # Debian without python3-venv has venv but not ensurepip
    outside = [PYTHON, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    bare = runs([PYTHON, "-I", "-m", "venv", "--without-pip", str(where)])
    if bare and runs([*outside, "--version"]):
        return outside
    shutil.rmtree(where, ignore_errors=True)
    return []


def install_with_uv(uv: str, wanted: str) -> bool:
    environment = os.environ | settings_from_pip() | {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    environment.pop("VIRTUAL_ENV", None)
    python = str(VENV / "bin" / "python")
    if not VENV.exists() and not runs([uv, "venv", "--quiet", "--python", PYTHON, str(VENV)], environment, loud=True):
        return False
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python]
    return runs([*sync, str(LOCKS / f"{wanted}.txt")], environment, loud=True)


def install_with_pip(wanted: str) -> None:
    print("uv is not to be had or did not succeed; pip takes its place, which is slower.", file=sys.stderr)
    shutil.rmtree(VENV, ignore_errors=True)
    pip = make_venv_with_pip(VENV)
    if not pip:
        raise Impossible(
            f"{sys.executable} cannot make a virtual environment with pip. Install the missing part "
            "(on Debian and Ubuntu: apt-get install python3-venv) and run the command again."
        )
    install = [*pip, "install", "--quiet", "--require-hashes", "-r", str(LOCKS / f"{wanted}.txt")]
    if not runs(install, loud=True):
        raise Impossible(
            "The packages could not be installed; the reason stands above. Behind a proxy or a mirror, set "
            "HTTPS_PROXY or PIP_INDEX_URL, or configure pip."
        )


def settings_from_pip() -> dict[str, str]:
    """pip's configuration (files and PIP_ variables) in uv's words; what uv was told itself stays."""
    own = TOOLS / "bin" / "python"
    ask = [str(own) if own.exists() else PYTHON, "-m", "pip", "config", "list"]
    listing = subprocess.run(ask, capture_output=True, text=True)
    found: dict[str, str] = {}
    for scope in ("global.", "install.", ":env:."):  # the later one wins, as in pip
        for line in listing.stdout.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(scope):
                option = name.removeprefix(scope).replace("_", "-")
                found[option] = " ".join(str(ast.literal_eval(value)).split())
    words = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "no-index": "UV_NO_INDEX",
        "cert": "SSL_CERT_FILE",
        "proxy": "ALL_PROXY",
        "trusted-host": "UV_INSECURE_HOST",
    }
    told = {word: found[name] for name, word in words.items() if found.get(name)}
    if "UV_INDEX" in told:  # hashes are pinned: whichever index has the file may serve it
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "UV_FIND_LINKS" in told:
        told["UV_FIND_LINKS"] = told["UV_FIND_LINKS"].replace(" ", ",")
    return {word: value for word, value in told.items() if word not in os.environ}


def runs(command: list[str], environment: dict[str, str] | None = None, *, loud: bool = False) -> bool:
    """Whether the command ends well; `loud` lets its error output through."""
    quiet = None if loud else subprocess.DEVNULL
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=quiet)
    except OSError:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
