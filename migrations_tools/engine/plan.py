"""The plan: a forecast by the real ``transform``, what it would change, how long it may take."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL
from django.db.models.functions import Random
from django.utils.translation import gettext as _

from migrations_tools.definitions.sources import RowSource
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.rehearse import Progress, rehearse
from migrations_tools.engine.sql import column_list, quoted
from migrations_tools.exceptions import PlanRefused
from migrations_tools.models import Run
from migrations_tools.selectors.summary import counts_of, seconds_of, spread_of
from migrations_tools.states import RunKind, RunState

#: Up to here every key is looked at; beyond, a stratified sample of ``SAMPLE_KEYS`` per step.
MOST_KEYS = 50_000
SAMPLE_KEYS = 2_000
#: A batch query that reads a table of this many rows from end to end is refused.
LARGE_TABLE = 100_000
#: Bytes of journal, ledger and history written per key, as measured on the shipped migrations.
BYTES_PER_KEY = 2_500


def selected_keys(context: RunContext) -> dict[int, int]:
    """Number of selected keys by counted step."""
    return {
        index: step.source.keys(context.selection(index)).count()
        for index, step in enumerate(context.steps)
        if step.counted
    }


def anything_selected(context: RunContext) -> bool:
    """Whether any counted step has a key to look at."""
    return any(
        step.source.keys(context.selection(index)).exists()
        for index, step in enumerate(context.steps)
        if step.counted
    )


def anything_outstanding(context: RunContext) -> bool:
    """Whether the run's plan saw a key that no run answered for since."""
    planned = map(context.planned, range(len(context.steps)))
    return any(keys is not None and keys.any_outstanding() for keys in planned)


def forecast(context: RunContext, progress: Progress = lambda keys: None) -> dict[str, Any]:
    """The plan's report. ``outcomes`` are scaled up where only a sample was looked at."""
    _refresh_statistics(context)
    explained = _explain(context)
    selected = selected_keys(context)
    limit = context.run.tuning.get("limit")
    total = min(sum(selected.values()), limit or 1 << 62)
    sampled = total > MOST_KEYS
    sample = {index: sample_keys(context, index) for index in selected} if sampled else None
    started = time.monotonic()
    samples = rehearse(context, sample=sample, limit=limit, progress=progress)
    seconds = time.monotonic() - started
    counts, spread = counts_of(context.run), spread_of(context.run)
    examined = sum(counts["outcomes"].values())
    factor = total / examined if sampled and examined else 1.0
    summary = {
        "total": total,
        "examined": examined,
        "sampled": sampled,
        "outcomes": _scaled(counts["outcomes"], factor),
        "warnings": _scaled(counts["warnings"], factor),
        "codes": _scaled(counts["codes"], factor),
        "categories": _scaled(counts["categories"], factor),
        "confidence": [
            {**tenth, "keys": round(tenth["keys"] * factor)} for tenth in spread["confidence"]
        ],
        "warned": round(spread["warned"] * factor),
        "seconds": round(seconds, 3),
    }
    return {
        **summary,
        "samples": samples,
        "risks": context.definition.risks(summary),
        "recommendations": context.definition.recommendations(summary),
        "estimate": _estimate(context, total, examined, seconds),
        "disk": _disk(total),
        "explain": explained,
    }


def _refresh_statistics(context: RunContext) -> None:
    """Let the database look at the source tables: a file may have been imported just now."""
    tables = {step.source.model._meta.db_table for step in context.steps}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f"ANALYZE {quoted(table)}")


def _scaled(counts: dict[str, int], factor: float) -> dict[str, int]:
    return {name: round(number * factor) for name, number in counts.items()}


def sample_keys(context: RunContext, index: int) -> list[str]:
    """First, last, largest, most NULLs, and random keys of a step, in key order."""
    source = context.steps[index].source
    keys = source.keys(context.selection(index)).values_list("k", flat=True)
    strata = [keys.order_by("k"), keys.order_by("-k")]
    if isinstance(source, RowSource):
        table = quoted(source.model._meta.db_table)
        columns = column_list((str(f.column) for f in source.model._meta.concrete_fields), table)
        strata += [
            keys.order_by(RawSQL(f"pg_column_size({table}.*)", []).desc()),  # noqa: S611 - quoted name
            keys.order_by(RawSQL(f"num_nulls({columns})", []).desc()),  # noqa: S611 - quoted names
        ]
    share = SAMPLE_KEYS // 10
    chosen = {key for stratum in strata for key in stratum[:share]}
    chosen.update(keys.order_by(Random())[: SAMPLE_KEYS - len(chosen)])
    return [str(key) for key in sorted(chosen)]


def _estimate(context: RunContext, total: int, examined: int, seconds: float) -> dict[str, Any]:
    """An interval for the duration in seconds, and how the last one compared with reality."""
    expected = seconds / examined * total if examined else 0.0
    last = (
        Run.objects.filter(
            definition=context.run.definition,
            kind=RunKind.APPLY,
            plan__isnull=False,
            finished_at__isnull=False,
        )
        .exclude(state=RunState.CANCELLED)
        .order_by("-created_at")
        .first()
    )
    previous = None
    if last is not None and last.plan is not None:
        previous = {
            "run": str(last.pk),
            "estimated": last.plan.report.get("estimate", {}).get("seconds"),
            "actual": round(seconds_of(last), 2),
        }
    return {
        "seconds": [round(expected * 0.5, 2), round(expected * 2.0, 2)],
        "previous": previous,
    }


def _disk(total: int) -> dict[str, Any]:
    """Bytes the journal will take, and bytes free where the server's disk can be seen."""
    needed = total * BYTES_PER_KEY
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'usage') "
            "THEN current_setting('data_directory', true) END"
        )
        (folder,) = cursor.fetchone()
    here = folder and connection.settings_dict["HOST"] in ("", "localhost", "127.0.0.1")
    here = here or (folder and str(connection.settings_dict["HOST"]).startswith("/"))
    free = shutil.disk_usage(folder).free if here and Path(folder).is_dir() else None
    if free is not None and needed > free:
        raise PlanRefused(
            _(
                "The run needs about %(needed)s GB for journal and history, and only "
                "%(free)s GB are free: free some space, or run a part with --limit."
            )
            % {"needed": f"{needed / 1000000000.0:.1f}", "free": f"{free / 1000000000.0:.1f}"},
            code="disk_full",
        )
    return {"needed": needed, "free": free}


def _explain(context: RunContext) -> list[dict[str, Any]]:
    """The plan of each batch query; refuses one that reads a large table from end to end."""
    found = []
    for index, step in enumerate(context.steps):
        if not step.counted:
            continue
        keys = step.source.keys(context.selection(index)).order_by("k")[:1_000]
        sql, parameters = keys.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
            (tree,) = cursor.fetchone()
        root = (json.loads(tree) if isinstance(tree, str) else tree)[0]["Plan"]
        scanned = _sequential_scans(root)
        table = step.source.model._meta.db_table
        if table in scanned and _rows_of(table) > LARGE_TABLE:
            raise PlanRefused(
                _(
                    "%(step)s: finding the next keys reads the whole table %(table)s: create "
                    "an index on %(key_name)s, or ANALYZE the table."
                )
                % {
                    "step": step.title().capitalize(),
                    "table": table,
                    "key_name": step.source.key_name,
                },
                code="sequential_scan",
            )
        found.append({"step": step.title(), "node": root["Node Type"], "cost": root["Total Cost"]})
    return found


def _sequential_scans(node: dict[str, Any]) -> set[str]:
    own = {node["Relation Name"]} if node["Node Type"] == "Seq Scan" else set()
    return own.union(*(_sequential_scans(child) for child in node.get("Plans", [])))


def _rows_of(table: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)", [quoted(table)]
        )
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0
