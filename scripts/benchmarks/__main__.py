"""`scripts/bench NAME [options]`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from benchmarks import board, cockpit, dispatch, hhcrsp, lifecycle, race, readers, rounds, surge, vrptw


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True)
    way = names.add_parser("lifecycle", help="orders from placing to the statement, over HTTP")
    way.add_argument("--clients", default="1,8,32", help="closed-loop clients, one level after the other")
    way.add_argument("--seconds", type=float, default=15.0, help="per level")
    way.add_argument("--past", type=int, default=0, help="past orders to load for the second half, e.g. 1000000")
    way.add_argument("--web-processes", type=int, default=1)
    way.add_argument("--floor", type=int, default=300, help="lifecycles to record and replay with asyncpg alone")
    way.add_argument("--statements", action="store_true", help="print where the recorded time went")
    way.add_argument("--data-dir", help="kept afterwards; default is a temporary one")
    match = names.add_parser("dispatch", help="one order against a province of caregivers, beside the full scan")
    match.add_argument("--caregivers", type=int, default=100_000)
    match.add_argument("--orders", type=int, default=1000)
    match.add_argument("--turns", type=int, default=8, help="how often every order is asked")
    match.add_argument("--compare", type=int, default=1000, help="orders that are matched by the full scan, too")
    match.add_argument("--budget-ms", type=float, default=10.0, help="p99 of the database time of one order")
    match.add_argument("--seed", type=int, default=1)
    match.add_argument("--data-dir", help="kept afterwards; default is a temporary one")
    hostile = names.add_parser("race", help="hostile operations from many clients, audited after every slice")
    race.add_arguments(hostile)
    hhcrsp.add_arguments(names.add_parser("hhcrsp", help="synchronised rounds: gap to the best known plans"))
    vrptw.add_arguments(names.add_parser("vrptw", help="ordinary rounds: gap to the best known plans"))
    rounds.add_arguments(names.add_parser("rounds", help="a city's day of rounds beside VROOM alone, and repairs"))
    surge.add_arguments(names.add_parser("surge", help="ten times the calls, all in one street; nobody is lost"))
    cockpit.add_arguments(names.add_parser("cockpit", help="the cockpit's figures over years of orders"))
    board.add_arguments(names.add_parser("board", help="the live board in a browser: delay, frames, memory"))
    readers.add_arguments(names.add_parser("readers", help="hundreds of consoles and thousands of family pages, live"))
    options = parser.parse_args()
    if options.name in ("hhcrsp", "vrptw"):
        return {"hhcrsp": hhcrsp.run, "vrptw": vrptw.run}[options.name](options)
    benches = {
        "lifecycle": lifecycle,
        "dispatch": dispatch,
        "race": race,
        "rounds": rounds,
        "surge": surge,
        "cockpit": cockpit,
        "board": board,
        "readers": readers,
    }
    return asyncio.run(benches[options.name].run(options))


if __name__ == "__main__":
    sys.exit(main())
