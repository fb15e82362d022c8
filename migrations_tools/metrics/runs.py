"""Figures of runs, read from their rows at every scrape, by a query for each figure.

All processes tell the same, and a worker needs no address of its own to be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db import DatabaseError, connection, transaction
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from migrations_tools.states import (
    RUNNABLE_STATES,
    BatchState,
    ReviewDecision,
    RunKind,
    RunState,
    VerificationState,
)

log = structlog.get_logger(__name__)

_PATIENCE: Final = "5s"  # a scrape waits no longer for the database


@dataclass(frozen=True, slots=True)
class Figure:
    """A gauge. ``sql`` answers rows of its labels, and the value last."""

    name: str
    meaning: str
    labels: Sequence[str]
    sql: str
    parameters: Callable[[], dict[str, Any]] = dict


FIGURES: Final = (
    Figure(
        "carryover_runs",
        "Runs by data migration, kind and state.",
        ("definition", "kind", "state"),
        "SELECT definition, kind, state, count(*) FROM migrations_tools_run GROUP BY 1, 2, 3",
    ),
    Figure(
        "carryover_run_keys",
        "Keys of the newest apply run of a data migration, by outcome.",
        ("definition", "outcome"),
        """
        WITH newest AS (
            SELECT DISTINCT ON (definition) id, definition, counted_steps
            FROM migrations_tools_run WHERE kind = %(apply)s
            ORDER BY definition, created_at DESC, id DESC
        )
        SELECT n.definition, o.key, sum(o.value::bigint)
        FROM newest n
        JOIN migrations_tools_batch b ON b.run_id = n.id
        CROSS JOIN LATERAL jsonb_each_text(b.counts -> 'outcomes') o
        WHERE n.counted_steps IS NULL OR n.counted_steps @> to_jsonb(b.step)
        GROUP BY 1, 2
        """,
        lambda: {"apply": RunKind.APPLY.value},
    ),
    Figure(
        "carryover_queue_length",
        "What waits for a worker.",
        ("queue",),
        "SELECT queue, count(since) FROM ({waiting}) waiting GROUP BY 1",
    ),
    Figure(
        "carryover_queue_age_seconds",
        "How long the oldest that waits for a worker has waited.",
        ("queue",),
        """
        SELECT queue, coalesce(greatest(extract(epoch FROM now() - min(since)), 0), 0)
        FROM ({waiting}) waiting GROUP BY 1
        """,
    ),
    Figure(
        "carryover_run_silence_seconds",
        "Time since a run at work finished its last batch, or began.",
        ("definition",),
        """
        SELECT r.definition, greatest(0, extract(epoch FROM now() - max(coalesce(
            (SELECT max(b.finished_at) FROM migrations_tools_batch b WHERE b.run_id = r.id),
            r.started_at, r.created_at))))
        FROM migrations_tools_run r
        WHERE r.state = %(running)s AND r.kind = ANY(%(writing)s) GROUP BY 1
        """,
        lambda: {
            "running": RunState.RUNNING.value,
            "writing": [RunKind.APPLY.value, RunKind.ROLLBACK.value],
        },
    ),
    Figure(
        "carryover_expired_leases",
        "Batches whose worker let its lease run out, and that nobody has taken over yet.",
        (),
        """
        SELECT count(*) FROM migrations_tools_batch b JOIN migrations_tools_run r ON r.id = b.run_id
        WHERE b.state = %(running)s AND b.lease_until < now() AND r.state = ANY(%(runnable)s)
        """,
        lambda: {"running": BatchState.RUNNING.value, "runnable": sorted(RUNNABLE_STATES)},
    ),
    Figure(
        "carryover_verification_age_seconds",
        "Time since the newest passed verification of a data migration with runs that stand.",
        ("definition",),
        """
        SELECT definition, extract(epoch FROM now() - max(verified_at))
        FROM migrations_tools_run
        WHERE kind = %(apply)s AND state <> %(undone)s AND verification_state = %(passed)s
        GROUP BY 1
        """,
        lambda: {
            "apply": RunKind.APPLY.value,
            "undone": RunState.ROLLED_BACK.value,
            "passed": VerificationState.PASSED.value,
        },
    ),
    Figure(
        "carryover_failed_verifications",
        "Runs that stand and whose last verification failed.",
        ("definition",),
        """
        SELECT definition, count(*) FILTER (WHERE verification_state = %(failed)s)
        FROM migrations_tools_run WHERE kind = %(apply)s AND state <> %(undone)s GROUP BY 1
        """,
        lambda: {
            "apply": RunKind.APPLY.value,
            "undone": RunState.ROLLED_BACK.value,
            "failed": VerificationState.FAILED.value,
        },
    ),
    Figure(
        "carryover_reviews_open",
        "Keys that wait for a person's decision.",
        ("definition",),
        """
        SELECT r.definition, count(*)
        FROM migrations_tools_reviewitem i JOIN migrations_tools_run r ON r.id = i.run_id
        WHERE i.decision = %(open)s GROUP BY 1
        """,
        lambda: {"open": ReviewDecision.OPEN.value},
    ),
    Figure(
        "carryover_stopped",
        "1 while the global stop holds everything up.",
        (),
        "SELECT count(*) FROM (SELECT 1 FROM migrations_tools_governor WHERE stopped LIMIT 1) s",
    ),
)

#: Whatever waits: (queue, since when); every queue has a row, so that none is missing when empty.
_WAITING: Final = """
    SELECT 'runs' AS queue, r.created_at AS since FROM migrations_tools_run r
    WHERE r.state = 'queued' AND r.kind IN ('apply', 'rollback')
    UNION ALL SELECT 'verifications', r.created_at FROM migrations_tools_run r
    WHERE r.verification_state = 'waiting'
    UNION ALL SELECT 'imports', i.created_at FROM migrations_tools_queuedimport i
    WHERE i.state = 'queued'
    UNION ALL SELECT 'notices', n.created_at FROM migrations_tools_notice n
    WHERE n.sent_at IS NULL AND NOT n.given_up
    UNION ALL SELECT unnest(ARRAY['runs', 'verifications', 'imports', 'notices']), NULL
"""


class RunCollector(Collector):
    """Reads `FIGURES` when it is asked. Where the database does not answer, it says only that."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("carryover_database_up", "1 where the database answers.")
        try:
            read = [_read(figure) for figure in FIGURES]
        except DatabaseError as error:
            log.warning("no figures of runs", error=type(error).__name__)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from read


def _read(figure: Figure) -> GaugeMetricFamily:
    family = GaugeMetricFamily(figure.name, figure.meaning, labels=figure.labels)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_PATIENCE])
        cursor.execute(figure.sql.replace("{waiting}", _WAITING), figure.parameters())
        for *labels, value in cursor.fetchall():
            family.add_metric([str(label) for label in labels], float(value))
    return family
