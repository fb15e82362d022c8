"""Making and queueing runs: one active run per definition and per written table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils.translation import gettext as _

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.options import parse_options
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine import plan
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.fingerprint import image_columns
from migrations_tools.engine.transitions import change_state
from migrations_tools.exceptions import ActiveRun, DependencyUnfinished
from migrations_tools.models import Run
from migrations_tools.states import STATE_SENTENCES, RunKind, RunState

Options = Mapping[str, Any]


def new_run(
    definition: type[DataMigration],
    kind: str,
    acting_user: User,
    options: Options | None,
    tuning: Options | None,
) -> Run:
    """An unsaved run; raises InvalidOption."""
    parse_options(definition.options, options or {})
    return Run(
        definition=definition.name,
        version=definition.version,
        kind=kind,
        options={name.replace("-", "_"): value for name, value in (options or {}).items()},
        tuning={name: value for name, value in (tuning or {}).items() if value is not None},
        counted_steps=definition.counted_steps(),
        columns=image_columns(definition),
        tables=[model._meta.db_table for model in definition.written_models()],
        actor=acting_user,
    )


def lock_queue() -> None:
    """Let nobody else queue a run until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('carryover queue', 0))")


def queue_run(run: Run, acting_user: User, surface: str, reason: str = "") -> None:
    """Save and queue a run that will write: one per definition and per written table."""
    lock_queue()
    refuse_while_active(get_definition(run.definition))
    store_run(run)
    change_state(
        run,
        RunState.QUEUED,
        action="queue",
        acting_user=acting_user,
        surface=surface,
        reason=run.reason or reason,
    )


def store_run(run: Run) -> None:
    """Save a run; of one that waits for a worker only what the worker made of it."""
    if run._state.adding:
        run.save(force_insert=True)
    else:
        run.save(update_fields=["plan", "fingerprint"])


def refuse_before_dependencies(definition: type[DataMigration]) -> None:
    """Refuse to plan or run what depends on a migration that still has something to do."""
    for name in definition.depends_on:
        dependency = get_definition(name)
        waiting = Run(definition=name, version=dependency.version, kind=RunKind.PLAN)
        if plan.anything_selected(RunContext.of(waiting)):
            raise DependencyUnfinished(
                _(
                    "%(name)s builds on %(dependency)s, which is not done: run “datamigrate run "
                    "%(dependency)s” first."
                )
                % {"name": definition.name, "dependency": name},
                dependency=name,
            )


def refuse_while_active(definition: type[DataMigration]) -> None:
    """Refuse a second run of the definition, or one that writes a table another is writing."""
    tables = {model._meta.db_table for model in definition.written_models()}
    for active in Run.objects.all().active():
        shared = sorted(tables & set(active.tables))
        if active.definition == definition.name or shared:
            what = (
                _("is")
                if active.definition == definition.name
                else _("writes %(shared)s and is") % {"shared": shared[0]}
            )
            raise ActiveRun(
                _(
                    "Run %(active)s of %(definition)s %(what)s %(state)s. "
                    "%(state_sentences)s To go on with it: datamigrate resume %(active)s"
                )
                % {
                    "active": active.pk,
                    "definition": active.definition,
                    "what": what,
                    "state": active.get_state_display(),
                    "state_sentences": _(STATE_SENTENCES[active.state]),
                },
                run=str(active.pk),
            )
