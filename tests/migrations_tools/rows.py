"""One row of every model of the engine, as runs, imports and people leave them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from migrations_tools.models import (
    Batch,
    Check,
    Cutover,
    DualWritten,
    LedgerEntry,
    LegacyImport,
    Mismatch,
    Notice,
    QueuedImport,
    RejectedLine,
    RetentionRecord,
    ReviewItem,
    RowChange,
    Run,
    Transition,
    Waiver,
)


def make_one_of_each(number: int) -> Run:
    """A finished run called ``number``, with everything that refers to it."""
    actor = User.objects.create_user(f"engine-actor-{number}")
    common = {"definition": f"definition_{number}", "actor": actor}
    plan = Run.objects.create(version=1, kind="plan", state="completed", **common)
    run = Run.objects.create(
        version=1,
        kind="apply",
        state="completed",
        plan=plan,
        counted_steps=[0],
        verification_state="passed",
        verified_at=timezone.now(),
        finished_at=timezone.now(),
        **common,
    )
    Run.objects.create(version=1, kind="rollback", state="completed", parent=run, **common)
    batch = Batch.objects.create(
        run=run,
        step=0,
        number=1,
        size=2,
        state="done",
        counts={"outcomes": {"applied": 1, "review": 1}},
        finished_at=timezone.now(),
    )
    entry = {"run": run, "batch": batch, "step": 0, "key": f"key-{number}"}
    LedgerEntry.objects.create(outcome="review", confidence=0.5, **entry)
    RowChange.objects.create(model="shop.order", pk_text=str(number), operation="insert", **entry)
    ReviewItem.objects.create(
        run=run, step=0, key=f"key-{number}", decided_by=actor, decision="parked"
    )
    Check.objects.create(
        verification=run.pk,
        definition=run.definition,
        run=run,
        code="outcomes",
        title="Every key has an outcome",
        ok=True,
        examined=2,
        failures=0,
    )
    moved = Transition.objects.create(run=run, action="complete", actor=actor, surface="admin")
    Notice.objects.create(transition=moved, kind="completion", channel=f"c{number}", title="Done")
    Waiver.objects.create(step=0, key=f"key-{number}", reason="never", **common)
    DualWritten.objects.create(definition=run.definition, step=0, key=f"key-{number}")
    cutover = Cutover.objects.create(key=f"cutover-{number}")
    Mismatch.objects.create(
        cutover=cutover, operation="list", digest=str(number), explained_by=actor
    )
    RetentionRecord.objects.create(kind="purge", run=run, actor=actor, reason="old")
    done = LegacyImport.objects.create(
        kind="users", file_name="u.csv", size=1, sha256="", rejected=1, actor=actor
    )
    RejectedLine.objects.create(legacy_import=done, line=2, code="not_json", detail="no object")
    QueuedImport.objects.create(
        kind="users", file_name="u.csv", stored="s", actor=actor, legacy_import=done, state="done"
    )
    return run
