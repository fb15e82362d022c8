"""Driving quarantined keys of a completed run again."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.cutting import AGAIN
from migrations_tools.engine.transitions import change_state
from migrations_tools.exceptions import CarryoverError, TransitionRefused
from migrations_tools.models import Batch, Run
from migrations_tools.selectors.problems import quarantined_of
from migrations_tools.selectors.summary import newest_entries
from migrations_tools.services.actors import require
from migrations_tools.services.queueing import refuse_while_active
from migrations_tools.states import Outcome, RunKind, RunState, VerificationState

#: Keys of one batch that drives quarantined keys again.
RETRY_BATCH_KEYS = 500


def retry_run(
    run: Run, keys: Sequence[str], *, acting_user: User, surface: str, code: str = ""
) -> Run | None:
    """Drive quarantined keys again: these, those of a code, or all; None where there is none."""
    require(acting_user, "run", surface=surface, run=run)
    if run.reviewed_id is not None:
        raise TransitionRefused(
            gettext(
                "Run %(run)s carried decisions out. Those it could not are open again; "
                "decide them anew: datamigrate review %(reviewed_id)s list"
            )
            % {"run": run.pk, "reviewed_id": run.reviewed_id},
            run=str(run.pk),
            state=run.state,
        )
    with transaction.atomic():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.kind != RunKind.APPLY or locked.state != RunState.COMPLETED:
            raise TransitionRefused(
                gettext(
                    "Run %(run)s (%(kind)s) is %(state)s: only completed apply runs can be retried."
                )
                % {
                    "run": run.pk,
                    "kind": locked.get_kind_display(),
                    "state": locked.get_state_display(),
                },
                run=str(run.pk),
                state=locked.state,
            )
        waiting = quarantined_keys(locked)
        unknown = sorted(set(keys) - {key for _, key in waiting})
        if unknown:
            raise CarryoverError(
                gettext("Key %(unknown)s is not quarantined in run %(run)s.")
                % {"unknown": unknown[0], "run": run.pk},
                code="not_quarantined",
            )
        named = set(keys)
        if code:
            of_code = set(quarantined_of(locked, code))
            named = named & of_code if keys else of_code
        chosen = [found for found in waiting if found[1] in named or not (keys or code)]
        if not chosen:
            return None
        refuse_while_active(get_definition(locked.definition))
        _cut_again(locked, chosen)
        change_state(
            locked,
            RunState.RUNNING,
            action="retry",
            acting_user=acting_user,
            surface=surface,
            reason=f"{len(chosen)} quarantined keys",
            finished_at=None,
            verification_state=VerificationState.NONE,
            key_ranges=locked.key_ranges,
        )
    return locked


def quarantined_keys(run: Run) -> list[tuple[int, str]]:
    """Step and key of everything whose newest attempt is quarantined."""
    newest = newest_entries(run).filter(outcome=Outcome.QUARANTINED)
    return list(newest.order_by("step", "key").values_list("step", "key"))


def _cut_again(run: Run, chosen: Sequence[tuple[int, str]]) -> None:
    """Batches of exactly these keys; recomputed steps follow once they are done."""
    definition = get_definition(run.definition)
    for step in sorted({step for step, _ in chosen}):
        keys = [key for own, key in chosen if own == step]
        number = Batch.objects.filter(run=run, step=step).count()
        for place in range(0, len(keys), RETRY_BATCH_KEYS):
            number += 1
            part = keys[place : place + RETRY_BATCH_KEYS]
            Batch.objects.create(
                run=run, step=step, number=number, sweep=AGAIN, keys=part, size=len(part)
            )
    for index, found in enumerate(definition.steps):
        if found.recomputed and str(index) in run.key_ranges:
            run.key_ranges[str(index)].update(again=True, closed=False)
