"""Changing the stage of a cutover, explaining differences, waiving keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.cutover.believed import forget
from migrations_tools.cutover.keys import get_cutover
from migrations_tools.cutover.moving import move_stage
from migrations_tools.cutover.stages import STAGE_SENTENCES, STAGE_TRANSITIONS, Stage
from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.models.cutover import Cutover, Mismatch, Waiver
from migrations_tools.selectors.cutover import unclean_keys
from migrations_tools.selectors.readiness import needs_of
from migrations_tools.services.actors import require

_RULES: Final = ("mismatch_budget", "latency_budget_ms", "ignored")
MOST_MILLISECONDS: Final = 3_600_000.0


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
        raise CutoverRefused(_("A cutover needs a reason: it stays in the history."))
    if stage not in Stage.values:
        raise CutoverRefused(
            _("There is no stage “%(stage)s”; stages are: %(known)s.")
            % {"stage": stage, "known": ", ".join(Stage.values)}
        )
    if read_percentage is not None and not 0 <= read_percentage <= 100:
        raise CutoverRefused(_("The share of readers is a whole number from 0 to 100."))
    with transaction.atomic():
        cutover = _held(name)
        if stage != cutover.stage:
            _refuse_way(cutover, stage)
        for need in needs_of(key, cutover, stage, read_percentage):
            if not need.holds:
                raise CutoverRefused(need.refusal, code=need.code, **need.fields)
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
        ways = ", ".join(sorted(allowed)) or _("nowhere")
        raise CutoverRefused(
            _("%(key)s is at %(stage)s: %(stage_sentences)s From there it can go to: %(ways)s.")
            % {
                "key": cutover.key,
                "stage": cutover.stage,
                "stage_sentences": _(STAGE_SENTENCES[cutover.stage]),
                "ways": ways,
            },
            stage=cutover.stage,
        )


def change_rules(
    name: str,
    *,
    acting_user: User,
    surface: str,
    reason: str,
    mismatch_budget: float,
    latency_budget_ms: float,
    ignored: Sequence[Mapping[str, str]],
) -> Cutover:
    """Set the budgets of shadow reads – a share 0–1, and milliseconds – and the fields that may
    differ: objects with ``field`` and ``operation``, an operation's name or ``*``.
    """
    require(acting_user, "cutover", surface=surface)
    get_cutover(name)
    if not reason.strip():
        raise CutoverRefused(_("New rules need a reason: it stays in the history."))
    if not 0 <= mismatch_budget <= 1 or not 0 < latency_budget_ms <= MOST_MILLISECONDS:
        raise CutoverRefused(
            _(
                "The budget of differences is a share from 0 to 1, that of time "
                "milliseconds above 0."
            ),
            code="bad_budget",
        )
    rules = [
        {"operation": rule.get("operation") or "*", "field": rule["field"]} for rule in ignored
    ]
    with transaction.atomic():
        cutover = _held(name)
        before = {field: getattr(cutover, field) for field in _RULES}
        cutover.mismatch_budget, cutover.latency_budget_ms = mismatch_budget, latency_budget_ms
        cutover.ignored = rules
        cutover.save(update_fields=list(_RULES))
        record_action(
            None,
            action="cutover_rules",
            acting_user=acting_user,
            surface=surface,
            reason=reason,
            details={
                "cutover": name,
                "before": before,
                "after": {field: getattr(cutover, field) for field in _RULES},
            },
        )
        transaction.on_commit(lambda: forget(name))
    return cutover


def explain_mismatch(
    mismatch: Mismatch, *, acting_user: User, surface: str, explanation: str
) -> Mismatch:
    """Say why a difference is none to worry about; it no longer stands in the way."""
    require(acting_user, "cutover", surface=surface)
    if not explanation.strip():
        raise CutoverRefused(_("An explanation cannot be blank."))
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
        raise CarryoverError(
            _("A waiver needs a reason: it stays for good."), code="reason_missing"
        )
    steps = [step for step, found in unclean_keys(run) if found == key]
    if not steps:
        raise CarryoverError(
            _(
                "Key %(key)s is neither quarantined nor in conflict in run %(run)s, or "
                "it is waived already."
            )
            % {"key": key, "run": run.pk},
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
