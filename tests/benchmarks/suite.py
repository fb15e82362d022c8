"""Everything that ``make bench`` measures, one part after the other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from tests.benchmarks.collaboration import measure_collaboration
from tests.benchmarks.databases import Databases
from tests.benchmarks.imports import measure_imports
from tests.benchmarks.lessons import measure_lessons
from tests.benchmarks.machine import load, machine_facts
from tests.benchmarks.migration import measure_memory, measure_migration
from tests.benchmarks.orphans import measure_orphans
from tests.benchmarks.results import Results
from tests.benchmarks.sizes import Sizes

_PARTS = {
    "the migration and its peers": measure_migration,
    "imports": measure_imports,
    "orphans": measure_orphans,
    "memory of a worker": measure_memory,
    "a person's collaboration sessions": measure_collaboration,
    "lists of lessons": measure_lessons,
}

_NOTES = (
    "Contenders take turns on fresh copies of the same staged rows, on one server, with all "
    "indexes, constraints and triggers in place; each is a process of its own. Ratios are of "
    "contenders of the same round. After each the rows of every table are counted, and a "
    "difference fails the benchmark.",
    "The time of a run goes from the queue to completed: claims, leases, sweeps for late rows, "
    "history, journal, ledger, digests, seal. The plan before it has a row of its own.",
    "The loops read values by the same functions and write the same guarantees, actions, batches, "
    "links and history, but no ledger and no journal. They are slow, so they get fewer rows, and "
    "rates are compared.",
    "The hand-written SQL writes the same rows, digests included, 5,000 old rows a transaction. It "
    "reads the plain shapes of amounts and dates only, gives no warnings, and can be neither "
    "paused, resumed nor shared between workers.",
    "A person's collaboration sessions: each contender lists the sessions of the same people, with "
    "all participants of each, and the lists are compared. The old path reads the staged rows by "
    "two look-ups and merges them in code; the old collection had no index on addresses. It is "
    "measured again with such indexes.",
    "The analysis of orphans reads each with its evidence, digest included, and decides; the bare "
    "GROUP BY counts the same events by session and project and fetches the groups.",
    "Bare parsing and COPY fills the same staging tables, but computes no content hash and finds "
    "no row again; of a SQLite file it reads the two large tables.",
    "Lessons have semesters, cohorts and instructors of their own and ten bookings each; a student "
    "lists them. The loop reads relations by one query and makes five more for every lesson; both "
    "ways tell the same of each. Rows are lessons listed.",
)


def measure(sizes: Sizes, tell: Callable[[str], object] = lambda text: None) -> Results:
    """Measure everything. Raises ContenderFailed and CountsDifferError."""
    results = Results()
    before = load()
    with Databases() as databases:
        for name, part in _PARTS.items():
            started = time.monotonic()
            tell(f"{name} …")
            part(databases, sizes, results)
            tell(f"{name}: {time.monotonic() - started:.0f} s")
    results.notes += [*machine_facts(), f"Rounds: {sizes.rounds}.", *_NOTES]
    if before > 0.2 * (os.cpu_count() or 1):
        results.notes.append(
            f"The machine had other work too (load {before:.1f} when it began): absolute times "
            "are longer than they would be, and two workers had no two free cores."
        )
    return results
