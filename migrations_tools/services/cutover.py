"""Changing the stage of a cutover, explaining differences, waiving keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from migrations_tools.cutover.keys import CutoverKey, get_cutover
from migrations_tools.cutover.moving import move_stage
from migrations_tools.cutover.stages import STAGE_SENTENCES, STAGE_TRANSITIONS, Stage, share_of_new
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.models.cutover import Cutover, Mismatch, Waiver
from migrations_tools.selectors.completion import newest_completed, waiting_keys
from migrations_tools.selectors.cutover import unclean_keys
from migrations_tools.services.actors import require
from migrations_tools.states import VerificationState

#: A verification may be this old when the new side takes the lead.
FRESH = timedelta(hours=24)
#: Names of what only the new system has, listed in a refusal.
MOST_LISTED = 20


class CutoverRefused(CarryoverError):
    """The stage cannot be changed so; nothing was changed."""

    code = "cutover_refused"


def change_stage(
    name: str,
    stage: str,
    *,
    acting_user: User,
    surface: str,
    reason: str,
    read_percentage: int | None = None,
) -> Cutover:
    """Move a cutover to another stage, or – within live – to another share of readers.

    Waits for writes in flight. Raises CutoverRefused where the table of stages or a precondition
    forbids it.
    """
    require(acting_user, "cutover", surface=surface)
    key = get_cutover(name)
    if not reason.strip():
        raise CutoverRefused("A cutover needs a reason: it stays in the history.")
    if stage not in Stage.values:
        raise CutoverRefused(f"There is no stage “{stage}”; stages are: {', '.join(Stage.values)}.")
    if read_percentage is not None and not 0 <= read_percentage <= 100:
        raise CutoverRefused("The share of readers is a whole number from 0 to 100.")
    with transaction.atomic():
        cutover = _held(name)
        if stage != cutover.stage:
            _refuse_way(cutover, stage)
            _refuse_unready(key, cutover, stage)
        share = cutover.read_percentage if read_percentage is None else read_percentage
        if share_of_new(stage, share) < share_of_new(cutover.stage, cutover.read_percentage):
            _refuse_losing_sight(key)
        return move_stage(
            cutover,
            stage,
            acting_user=acting_user,
            surface=surface,
            reason=reason,
            read_percentage=read_percentage,
        )


def _held(name: str) -> Cutover:
    Cutover.objects.get_or_create(key=name)
    return Cutover.objects.select_for_update().get(key=name)


def _refuse_way(cutover: Cutover, stage: str) -> None:
    allowed = STAGE_TRANSITIONS[cutover.stage]
    if stage not in allowed:
        ways = ", ".join(sorted(allowed)) or "nowhere"
        raise CutoverRefused(
            f"{cutover.key} is at {cutover.stage}: {STAGE_SENTENCES[cutover.stage]} From there it "
            f"can go to: {ways}.",
            stage=cutover.stage,
        )


def _refuse_unready(key: CutoverKey, cutover: Cutover, stage: str) -> None:
    """What has to be true before the stage may begin."""
    if stage == Stage.SHADOW and cutover.stage == Stage.DUAL_WRITE:
        _verified_run(key)
    if stage == Stage.LIVE and cutover.stage == Stage.SHADOW:
        _fresh_and_clean(key, cutover)


def _refuse_losing_sight(key: CutoverKey) -> None:
    """Somebody will read the old system again: it has to know what the new one knows."""
    only_new = list(key.only_in_new())
    if only_new:
        more = f" and {len(only_new) - MOST_LISTED} more" if len(only_new) > MOST_LISTED else ""
        raise CutoverRefused(
            f"The old system does not know {', '.join(only_new[:MOST_LISTED])}{more}: they "
            "would be lost from sight.",
            code="only_in_new",
            only_in_new=only_new[:MOST_LISTED],
        )


def _verified_run(key: CutoverKey) -> Run:
    run = newest_completed(get_definition(key.definition))
    if run is None:
        raise CutoverRefused(
            f"No run of {key.definition} is completed: datamigrate run {key.definition}",
            code="run_missing",
        )
    if run.verification_state != VerificationState.PASSED:
        raise CutoverRefused(
            f"Run {run.pk} is not verified: datamigrate verify {run.pk}", code="not_verified"
        )
    return run


def _fresh_and_clean(key: CutoverKey, cutover: Cutover) -> None:
    run = _verified_run(key)
    if run.verified_at is None or database_time() - run.verified_at > FRESH:
        raise CutoverRefused(
            f"The verification of run {run.pk} is older than 24 hours: datamigrate verify {run.pk}",
            code="verification_old",
        )
    waiting = waiting_keys(get_definition(key.definition))
    if waiting:
        raise CutoverRefused(
            f"{waiting} keys came since the last run: datamigrate run {key.definition}",
            code="delta_waiting",
        )
    unclean = unclean_keys(run)
    if unclean:
        raise CutoverRefused(
            f"{len(unclean)} keys of run {run.pk} are not carried over, such as "
            f"{', '.join(key for _, key in unclean[:5])}: correct them, or waive them one by one.",
            code="run_unclean",
        )
    unexplained = Mismatch.objects.filter(cutover=cutover, explained_by=None).count()
    if unexplained:
        raise CutoverRefused(
            f"{unexplained} differences between the systems are unexplained.",
            code="mismatches",
        )


def explain_mismatch(
    mismatch: Mismatch, *, acting_user: User, surface: str, explanation: str
) -> Mismatch:
    """Say why a difference is none to worry about; it no longer stands in the way."""
    require(acting_user, "cutover", surface=surface)
    if not explanation.strip():
        raise CutoverRefused("An explanation cannot be blank.")
    with transaction.atomic():
        mismatch.explained_by, mismatch.explanation = acting_user, explanation
        mismatch.save(update_fields=["explained_by", "explanation"])
        record_action(
            None,
            action="explain_mismatch",
            acting_user=acting_user,
            surface=surface,
            reason=explanation,
            details={"cutover": mismatch.cutover.key, "mismatch": mismatch.pk},
        )
    return mismatch


def waive_key(run: Run, key: str, *, acting_user: User, surface: str, reason: str) -> list[Waiver]:
    """Decide that a quarantined or conflicting key will never be carried over.

    It no longer makes a run unclean. Raises CarryoverError where the key is neither in ``run``.
    """
    require(acting_user, "waive", surface=surface, run=run)
    if not reason.strip():
        raise CarryoverError("A waiver needs a reason: it stays for good.", code="reason_missing")
    steps = [step for step, found in unclean_keys(run) if found == key]
    if not steps:
        raise CarryoverError(
            f"Key {key} is neither quarantined nor in conflict in run {run.pk}, or it is waived "
            "already.",
            code="not_waivable",
        )
    with transaction.atomic():
        details: dict[str, Any] = {"key": key, "steps": steps}
        waivers = [
            Waiver.objects.create(
                definition=run.definition, step=step, key=key, reason=reason, actor=acting_user
            )
            for step in steps
        ]
        record_action(
            run,
            action="waive",
            acting_user=acting_user,
            surface=surface,
            reason=reason,
            details=details,
        )
    return waivers
