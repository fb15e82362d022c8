"""What a contender does, in a process of its own: ``python -m tests.benchmarks.tasks TASK JSON``.

Prints one JSON object: seconds, numbers of rows, peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

TASKS: dict[str, Callable[..., dict[str, Any]]] = {}
Task = Callable[..., dict[str, Any]]


def task(function: Task) -> Task:
    TASKS[function.__name__] = function
    return function


class Clock:
    """Seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Any:
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started


def peak_memory() -> int:
    """The most memory that this process held at once, in bytes."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@task
def settle() -> dict[str, Any]:
    """VACUUM and ANALYZE, as autovacuum would in time."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM (FREEZE, ANALYZE)")
    return {}


@task
def engine(workers: int = 1, *, rest: bool = False) -> dict[str, Any]:
    """Plan and run the migration; with ``rest`` also verify it and roll it back."""
    from migrations_tools.management.datamigrate.running import work
    from migrations_tools.services import rollback, runs, verification
    from migrations_tools.services.actors import system_user
    from tests.benchmarks.counts import counts_of

    who: Any = {"acting_user": system_user(), "surface": "command"}
    clock = Clock()
    with clock("plan"):
        run = runs.start_run("split_imported_records", **who)
    assert run is not None
    with clock("run"):
        if workers == 1:
            run = runs.work_run(run)
        else:
            work(run, workers, **who)
            run.refresh_from_db()
    assert run.state == "completed", run.state
    answer = {"seconds": clock.seconds, "counts": counts_of(run), "peak": peak_memory()}
    if rest:
        with clock("verify"):
            verified = verification.verify_run(run, **who)
        assert verified["ok"], [check for check in verified["checks"] if not check["ok"]]
        with clock("rollback"):
            back = rollback.roll_back_run(run, reason="benchmark", **who)
            assert back is not None
            back = runs.work_run(back)
        run.refresh_from_db()
        assert run.state == "rolled_back", run.state
        left = counts_of(run)
        assert left["guarantees"] == left["links to guarantees"] == 0, left
    return answer


@task
def set_based() -> dict[str, Any]:
    """The hand-written SQL."""
    from tests.benchmarks.counts import counts_of
    from tests.benchmarks.set_based import split_by_sql

    clock = Clock()
    with clock("run"):
        run = split_by_sql()
    return {"seconds": clock.seconds, "counts": counts_of(run), "peak": peak_memory()}


@task
def loop(name: str) -> dict[str, Any]:
    """One of the loops of plain Django."""
    from tests.benchmarks import loops
    from tests.benchmarks.counts import counts_of

    clock = Clock()
    with clock("run"):
        getattr(loops, name)()
    return {"seconds": clock.seconds, "counts": counts_of(None), "peak": peak_memory()}


@task
def stage_orphans(sessions: int) -> dict[str, Any]:
    """Orphans with their events, in an empty database."""
    from tests.benchmarks.orphans import stage

    stage(sessions)
    return {}


@task
def analyse_orphans() -> dict[str, Any]:
    """The bare GROUP BY and the analysis, each once to warm up."""
    from migrations_tools.engine.worker import spare_the_collector
    from tests.benchmarks.orphans import analyse, group_by

    spare_the_collector()  # as a worker does
    clock = Clock()
    for _ in range(2):
        with clock("bare"):
            group_by()
        with clock("analysis"):
            analyse()
    return {"seconds": clock.seconds, "peak": peak_memory()}


@task
def assign_orphans() -> dict[str, Any]:
    """The analysis, then the migration itself."""
    from migrations_tools.services import runs, verification
    from migrations_tools.services.actors import system_user

    who: Any = {"acting_user": system_user(), "surface": "command"}
    clock = Clock()
    clock.seconds.update(analyse_orphans()["seconds"])
    with clock("plan"):
        run = runs.start_run("assign_orphan_sessions", **who)
    assert run is not None
    with clock("run"):
        run = runs.work_run(run)
    assert run.state == "completed", run.state
    with clock("verify"):
        verified = verification.verify_run(run, **who)
    assert verified["ok"], [check for check in verified["checks"] if not check["ok"]]
    return {"seconds": clock.seconds, "peak": peak_memory()}


@task
def import_file(file: str, table: str | None = None) -> dict[str, Any]:
    """The import of a legacy file."""
    from migrations_tools.imports.service import import_legacy
    from migrations_tools.services.actors import system_user

    who: Any = {"acting_user": system_user(), "surface": "command"}
    clock = Clock()
    with clock("import"):
        (done,) = import_legacy("guarantees", [Path(file)], table=table, **who)
    return {"seconds": clock.seconds, "rows": _staged(), "read": done.read, "peak": peak_memory()}


@task
def bare_import(file: str) -> dict[str, Any]:
    """Parsing and COPY, nothing else."""
    from tests.benchmarks.bare_import import copy_file

    clock = Clock()
    with clock("import"):
        read = copy_file(Path(file))
    return {"seconds": clock.seconds, "rows": _staged(), "read": read, "peak": peak_memory()}


@task
def list_sessions(people: int, *, new: bool, indexed: bool = False) -> dict[str, Any]:
    """The collaboration sessions of so many people, one person after the other."""
    from tests.benchmarks.collaboration import index_addresses, lists_of

    if indexed:
        index_addresses()
    lists_of(1, new=new)  # the first query of a process pays for its connection
    clock = Clock()
    with clock("list"):
        found = lists_of(people, new=new)
    return {"seconds": clock.seconds, "lists": found, "peak": peak_memory()}


@task
def lesson_lists(lessons: int, page_size: int, lists: int, loops: int) -> dict[str, Any]:
    """The list of lessons, and the loop that it takes the place of, each some times over."""
    from tests.benchmarks import lesson_lists as data

    student = data.make_lessons(lessons)
    settle()
    items = data.ours(student, page_size)  # both are warm
    naive = data.five_queries_each(page_size)
    assert len(items) == len(naive) == page_size
    assert all(map(data.same, items, naive))
    clock = Clock()
    with clock("lists"):
        for _ in range(lists):
            data.ours(student, page_size)
    with clock("loops"):
        for _ in range(loops):
            data.five_queries_each(page_size)
    return {"seconds": clock.seconds, "peak": peak_memory()}


def _staged() -> int:
    from guarantees.models import ImportedRecord

    return ImportedRecord.objects.count()


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))) + "\n")
