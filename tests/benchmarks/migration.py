"""``split_imported_records`` beside loops and hand-written SQL, with workers, and taken back."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.databases import Databases
from tests.benchmarks.results import Goal, Measured, Results, megabytes, ratios
from tests.benchmarks.sizes import Sizes


class CountsDifferError(Exception):
    """Two contenders did not do the same work: their times cannot be compared."""


def measure_migration(databases: Databases, sizes: Sizes, results: Results) -> None:
    """All contenders in turn, round after round."""
    large = databases.staged(databases.legacy_file(sizes.rows))
    small = databases.staged(databases.legacy_file(sizes.slow_rows))
    own = {
        name: results.new(title, sizes.rows)
        for name, title in {
            "plan": "the plan that a run makes first (a sample above 50,000 keys)",
            "run": "**split_imported_records**, one worker",
            "verify": "its verification",
            "rollback": "its rollback",
        }.items()
    }
    two = results.new("split_imported_records, two workers", sizes.rows)
    by_hand = results.new("hand-written set-based SQL, same writes", sizes.rows)
    loops = {
        "save_loop": results.new("`save()` loop, no ledger and journal", sizes.slow_rows),
        "bulk_loop": results.new(
            "`bulk_create_with_history` loop, no ledger and journal", sizes.slow_rows
        ),
    }
    wanted_small = databases.contend(small, "set_based")["counts"]
    _compare("the engine on few rows", databases.contend(small, "engine"), wanted_small)
    for _ in range(sizes.rounds):
        answer = databases.contend(large, "engine", rest=True)
        wanted = answer["counts"]
        for name, measured in own.items():
            measured.add(answer["seconds"][name], answer["peak"] if name == "run" else None)
        _time(databases, by_hand, wanted, large, "set_based")
        _time(databases, two, wanted, large, "engine", workers=2)
        for name, measured in loops.items():
            _time(databases, measured, _domain(wanted_small), small, "loop", name=name)
    run = own["run"]
    results.goals += [
        Goal("`save()` loop: rate of ours", "×", ratios(run, loops["save_loop"]), at_least=25),
        Goal(
            "`bulk_create_with_history` loop: rate of ours",
            "×",
            ratios(run, loops["bulk_loop"]),
            at_least=4,
        ),
        Goal("hand-written SQL: time of ours", "×", ratios(by_hand, run), at_most=1.5),
        Goal("two workers: rate of one", "×", ratios(two, run), at_least=1.5),
        Goal("rollback: rate of the run", "×", ratios(own["rollback"], run), at_least=1),
        Goal(
            "verification: share of the run's time",
            "%",
            [100 * ratio for ratio in ratios(run, own["verify"])],
            at_most=25,
        ),
    ]


def measure_memory(databases: Databases, sizes: Sizes, results: Results) -> None:
    """Peak memory of a worker over few and over many rows."""
    peaks = []
    for rows in sizes.memory_rows:
        template = databases.staged(databases.legacy_file(rows))
        measured = results.new("split_imported_records in a process of its own", rows)
        answer = databases.contend(template, "engine")
        measured.add(answer["seconds"]["run"], answer["peak"])
        peaks.append(answer["peak"])
    few, many = sizes.memory_rows
    what = f"memory of a worker at {many:,} rows"
    results.goals += [
        Goal(f"{what}: that at {few:,}", "×", [peaks[1] / peaks[0]], at_most=1.2),
        Goal(what, "MB", [megabytes(peaks[1])], at_most=300),
    ]


def _time(
    databases: Databases,
    measured: Measured,
    wanted: dict[str, int],
    template: str,
    task: str,
    **arguments: Any,
) -> None:
    answer = databases.contend(template, task, **arguments)
    _compare(measured.name, answer, wanted)
    measured.add(answer["seconds"]["run"], answer["peak"])


def _compare(name: str, answer: dict[str, Any], wanted: dict[str, int]) -> None:
    counts = answer["counts"]
    differing = {
        table: (counts.get(table), wanted.get(table))
        for table in sorted({*counts, *wanted})
        if counts.get(table) != wanted.get(table)
    }
    if differing:
        told = ", ".join(f"{table} {one} and {other}" for table, (one, other) in differing.items())
        raise CountsDifferError(f"{name} did not write what the others did: {told}.")


def _domain(counts: dict[str, int]) -> dict[str, int]:
    return {
        table: number
        for table, number in counts.items()
        if not table.startswith(("ledger", "journal"))
    }
