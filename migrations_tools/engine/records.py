"""The own record of plans and dry runs, kept on a second connection while data is rolled back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from migrations_tools.engine.ledger import Entry, write_ledger
from migrations_tools.engine.side import side_connection
from migrations_tools.models import Batch, Run
from migrations_tools.states import BatchState


def open_record(
    run: Run, step: int, number: int, after: str | None, last: str, keys: Sequence[str] | None
) -> Batch:
    """A batch of a run whose data will be rolled back; committed at once."""
    batch = Batch(
        run_id=run.pk,
        step=step,
        number=number,
        after_key=after,
        last_key=last,
        keys=None if keys is None else list(keys),
        state=BatchState.RUNNING,
        fencing=1,
    )
    with side_connection() as side, side.cursor() as cursor:
        cursor.execute(
            "INSERT INTO migrations_tools_batch (run_id, step, number, sweep, after_key, last_key, "
            "keys, state, attempts, owner, fencing, size, counts, seconds, error, started_at) "
            "VALUES (%s, %s, %s, 0, %s, %s, %s::jsonb, %s, 1, '', 1, 0, '{}', 0, '', "
            "clock_timestamp()) RETURNING id",
            [
                run.pk,
                step,
                number,
                after,
                last,
                None if keys is None else json.dumps(list(keys)),
                BatchState.RUNNING,
            ],
        )
        (batch.pk,) = cursor.fetchone()
    return batch


def close_record(
    batch: Batch, entries: Sequence[Entry], counts: dict[str, Any], seconds: float
) -> None:
    """Store what became of the keys; committed at once."""
    with side_connection() as side, side.cursor() as cursor:
        write_ledger(cursor, batch, entries)
        cursor.execute(
            "UPDATE migrations_tools_batch SET state = %s, size = %s, counts = %s::jsonb, "
            "seconds = %s, finished_at = clock_timestamp() WHERE id = %s",
            [BatchState.DONE, len(entries), json.dumps(counts), seconds, batch.pk],
        )
