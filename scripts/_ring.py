"""`scripts/ring`: a call comes in, rings at an extension, and ends, told as the exchange's bridge would tell it.

Sit down in the console (/console) at the extension first. Without `--number` it is a family of the demo world.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.accounts.signing import sign  # noqa: E402

DOOR = "/channels/phone/events"


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/ring", description=__doc__)
    parser.add_argument("--extension", default="8001", help="where it rings (8001)")
    parser.add_argument("--number", help="who calls; default is the first family of the demo world")
    parser.add_argument("--seconds", type=float, default=60, help="how long it rings (60)")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "var")
    options = parser.parse_args()
    known = json.loads((options.data_dir / "demo" / "credentials.json").read_text(encoding="utf-8"))
    number = options.number or known["families"][0]["phone"]
    call = f"ring-{secrets.token_hex(6)}"
    tell(known, call, number, "call.queued", 1, queue="居家养老")
    tell(known, call, number, "agent.offered", 2, agent=options.extension)
    print(f"{number} rings at {options.extension} for {options.seconds:.0f} s; Ctrl+C hangs up")
    try:
        time.sleep(options.seconds)
    except KeyboardInterrupt:
        print()
    tell(known, call, number, "call.abandoned", 3)


def tell(known: dict[str, object], call: str, number: str, event: str, seq: int, **facts: str) -> None:
    """Post one event, signed like any system's."""
    said = {
        "type": event, "source": "freeswitch", "source_instance": "demo", "call_id": call, "caller": number,
        "called": "12349", "at": datetime.now(UTC).isoformat(), "seq": seq, **facts,
    }  # fmt: skip
    body, key = json.dumps(said).encode(), known["telephony"]
    headers = sign(
        key["secret"],
        "POST",
        DOOR,
        "",
        body,
        int(time.time()),
        secrets.token_hex(12),
        key=key["app_key"],  # type: ignore[index]
    )
    answer = httpx.post(
        f"{known['base_url']}{DOOR}", content=body, headers=headers | {"Content-Type": "application/json"}
    )
    answer.raise_for_status()


if __name__ == "__main__":
    main()
