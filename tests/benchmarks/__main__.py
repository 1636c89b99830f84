"""Measures the calls against what a user would pick instead: see `--help`.

Every contender does the same work on the same rows: the token by its digest with the team that it
is granted, the user by team, locked where it changes, types and definitions validated, JSON merged,
the changed columns and `updated_at` written, and a line of the history, committed durably, the same
answer. It is asked a few calls first, and measured only if it is right. Rounds are interleaved, so
that whatever else the machine does meets all of them.
"""

import argparse
import json
import platform
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.benchmarks import correctness, databases, load
from tests.benchmarks.contenders import ANSWERED, FLOOR, SERVED, floor, served

WARM_UP = 1.0  # seconds


def clients_of(kind: str) -> tuple[int, ...]:
    """Return by how many clients at a time a kind of call is measured."""
    return (1, 2) if kind == "bulk update" else (1, 16)


def measured(took: list[float], seconds: float, cpu: float, users: int = 1) -> dict[str, float]:
    """Return the figures of calls that changed `users` users each."""
    took = sorted(took)
    return {
        "per_second": len(took) * users / seconds,
        "cpu_ms": cpu / len(took) / users * 1000,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[len(took) * 99 // 100] * 1000,
    }


def measure(
    name: str, seeded: databases.Seeded, kinds: list[str], seconds: float, round_: int, log: Path
) -> dict[tuple[str, int], dict[str, float]]:
    """Measure one contender once: by kind of call and number of clients."""
    results = {}
    with served(name, seeded, log) as server:
        if round_ == 0:
            correctness.check(server.port, seeded, kinds)
        for kind, clients in [(each, n) for each in kinds for n in clients_of(each)]:
            seed = f"{name} {round_} {kind} {clients}"
            load.run(server.port, seeded, clients, min(WARM_UP, seconds), f"{seed} warm-up", kind)
            before = server.usage()
            took = load.run(server.port, seeded, clients, seconds, seed, kind)
            after = server.usage()
            users = next(load.calls(seeded, seed, kind)).users
            results[kind, clients] = {
                **measured(took.calls, took.elapsed, after.cpu - before.cpu, users),
                "worker_mb": after.memory / 1e6,
            }
    return results


def measure_floor(
    seeded: databases.Seeded, recorded: tuple[list[floor.Statement], int], seconds: float
) -> dict[tuple[str, int], dict[str, float]]:
    results = {}
    for clients in clients_of("update"):
        before = correctness.changes(seeded)
        took, cpu = floor.run(seeded, *recorded, clients, seconds)
        assert correctness.changes(seeded) == before + len(took), "not one line in the history each"
        results["update", clients] = measured(took, seconds, cpu)
    return results


def summary(rounds: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the median and the spread (the least and the most) of each figure."""
    return {
        figure: {
            "median": statistics.median(values),
            "least": min(values),
            "most": max(values),
        }
        for figure in rounds[0]
        for values in [[each[figure] for each in rounds]]
    }


def table(results: list[dict[str, Any]]) -> str:
    """Return the results as a Markdown table, each beside its ratio to ours."""
    lines = [
        "| call | users | clients | contender | per second (least to most) | ours is "
        f"| of its speed with {results[0]['users']:,} | server CPU ms | p50 ms | p99 ms "
        "| worker MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in results:
        rate = each["per_second"]
        ratio = f"{each['ours_over_it']['median']:.2f} times" if "ours_over_it" in each else ""
        memory = f"{each['worker_mb']['most']:.0f}" if "worker_mb" in each else ""
        lines.append(
            f"| {each['call']} | {each['users']:,} | {each['clients']} | {each['contender']} "
            f"| {rate['median']:.0f} ({rate['least']:.0f} to {rate['most']:.0f}) "
            f"| {ratio} | {each['of_fewest']['median']:.2f} "
            f"| {each['cpu_ms']['median']:.2f} | {each['p50_ms']['median']:.2f} "
            f"| {each['p99_ms']['median']:.2f} | {memory} |"
        )
    return "\n".join(lines)


def soak(seeded: databases.Seeded, calls: int, log: Path) -> None:
    """Print the memory of a worker of ours after each tenth of `calls`."""
    with served("ours", seeded, log) as server:
        made = 0
        for tenth in range(11):
            while made < calls * tenth / 10:
                made += len(load.run(server.port, seeded, 16, 2, f"{made}").calls)
            print(f"{made:>9,} calls: {server.usage().memory / 1e6:.1f} MB")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__.split(":")[0]
    )
    parser.add_argument(
        "--database",
        default="postgresql://postgres@127.0.0.1:5432/postgres",
        help="a database of the PostgreSQL server on which others are made, or `sqlite`",
    )
    parser.add_argument(
        "--users", type=int, nargs="+", default=[10_000], help="sizes, each a database of its own"
    )
    parser.add_argument(
        "--calls",
        nargs="+",
        choices=load.KINDS,
        default=list(load.KINDS),
        metavar="CALL",
        help=f"of: {', '.join(load.KINDS)}",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument(
        "--only", nargs="+", choices=[*SERVED, FLOOR], default=[*SERVED, FLOOR], metavar="CONTENDER"
    )
    parser.add_argument("--json", type=Path, help="a file to write all figures to")
    parser.add_argument(
        "--soak", type=int, metavar="CALLS", help="show the memory over so many calls instead"
    )
    parser.add_argument("--log", type=Path, help="a file for what the servers print")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        log = options.log or Path(folder) / "servers.log"
        seeded = []
        try:
            for users in sorted(options.users):  # the fewest first: the others are compared with it
                print(f"seeding {users:,} users", file=sys.stderr)
                seeded.append(databases.make(options.database, users, Path(folder)))
            if options.soak:
                soak(seeded[0], options.soak, log)
                return
            results = run(seeded, options, log)
        except Exception:
            if log.exists():
                print(log.read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            for each in seeded:
                databases.drop(options.database, each)
    print(table(results))
    if options.json:
        machine = {"python": platform.python_version(), "machine": platform.platform()}
        options.json.write_text(json.dumps({**machine, "results": results}, indent=2))


def run(
    seeded: list[databases.Seeded], options: argparse.Namespace, log: Path
) -> list[dict[str, Any]]:
    has_floor = FLOOR in options.only and "update" in options.calls
    recorded = {each: floor.record(each) for each in seeded if has_floor}
    rounds: dict[tuple[str, int, int, str], list[dict[str, float]]] = defaultdict(list)
    for round_ in range(options.rounds):
        for name in options.only:
            kinds = [kind for kind in options.calls if kind in ANSWERED[name]]
            for each in seeded if kinds else []:  # side by side, for they are compared too
                print(f"round {round_ + 1}: {name}, {each.users:,} users", file=sys.stderr)
                if name == FLOOR:
                    figures = measure_floor(each, recorded[each], options.seconds)
                else:
                    figures = measure(name, each, kinds, options.seconds, round_, log)
                for (kind, clients), result in figures.items():
                    rounds[kind, each.users, clients, name].append(result)
    for (kind, users, clients, name), figures in rounds.items():
        # Round by round, for what else the machine does changes between them.
        for ours, its in zip(rounds.get((kind, users, clients, "ours"), ()), figures, strict=False):
            its["ours_over_it"] = ours["per_second"] / its["per_second"]
        fewest = rounds[kind, seeded[0].users, clients, name]
        for first, its in zip(fewest, figures, strict=True):
            its["of_fewest"] = its["per_second"] / first["per_second"]
    return [
        {
            "call": kind,
            "users": users,
            "clients": clients,
            "contender": name,
            **summary(figures),
        }
        for (kind, users, clients, name), figures in sorted(
            rounds.items(), key=lambda each: options.calls.index(each[0][0])
        )
    ]


if __name__ == "__main__":
    main()
