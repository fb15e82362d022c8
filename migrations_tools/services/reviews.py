"""Deciding what runs left to review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_tools.definitions.base import DataMigration, Step
from migrations_tools.definitions.options import parse_options
from migrations_tools.definitions.outcomes import Reject
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.cutting import DECIDED, MOST_SWEEPS
from migrations_tools.engine.fingerprint import fingerprint
from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import ReviewRefused
from migrations_tools.models import Batch, ReviewItem, Run
from migrations_tools.services.actors import require
from migrations_tools.services.queueing import lock_queue, new_run, queue_run
from migrations_tools.services.runs import get_run
from migrations_tools.states import ReviewDecision, RunKind

#: Keys of one batch that carries decisions out.
DECIDED_BATCH_KEYS = 500


def get_reviewed_run(reference: str) -> Run:
    """The run whose items ``reference`` means; raises UnknownRun.

    ``last`` means the newest queue: not the run that carried its decisions out, nor one that
    took a run back.
    """
    run = get_run(reference)
    while reference == "last" and not run.review_items.exists():
        meant = run.parent if run.kind == RunKind.ROLLBACK else run.reviewed
        if meant is None:
            break
        run = meant
    return run


def decide(
    run: Run,
    decision: str,
    keys: Sequence[str],
    *,
    acting_user: User,
    surface: str,
    choice: Mapping[str, Any] | None = None,
    reason: str = "",
) -> Run | None:
    """Decide items that ``run`` left to review, those of ``keys`` or all that wait.

    Queues an apply run that carries the decisions out, and returns it; None where nothing waits
    and for what is skipped, which writes nothing. ``choice`` gives the values of a CHOSEN target
    by the names of the step's ``choices``. Raises ReviewRefused, InvalidOption or ActiveRun,
    with nothing decided then: an item is decided once, whoever is first.
    """
    require(acting_user, "review", surface=surface, run=run)
    definition = get_definition(run.definition)
    _refuse_misuse(decision, keys, choice)
    with transaction.atomic():
        if decision != ReviewDecision.SKIPPED:
            lock_queue()
        items = _held_items(run, keys)
        if not items:
            return None
        values = _chosen_values(definition, decision, choice, items)
        decision_run = None
        if decision != ReviewDecision.SKIPPED:
            decision_run = _queue(definition, run, items, acting_user, surface, reason)
        for step, chosen in values.items():
            own = [item.pk for item in items if item.step == step]
            ReviewItem.objects.filter(pk__in=own).update(
                decision=decision,
                choice=chosen,
                decided_by=acting_user,
                decided_at=Now(),
                reason=reason,
                decision_run=decision_run,
            )
        record_action(
            run,
            action="review",
            acting_user=acting_user,
            surface=surface,
            reason=reason,
            details={
                "decision": decision,
                "keys": [item.key for item in items],
                "run": None if decision_run is None else str(decision_run.pk),
            },
        )
    return decision_run


def _refuse_misuse(decision: str, keys: Sequence[str], choice: Mapping[str, Any] | None) -> None:
    if decision not in set(ReviewDecision.values) - {ReviewDecision.OPEN}:
        raise ReviewRefused(
            _("“%(decision)s” is no decision.") % {"decision": decision}, code="unknown_decision"
        )
    if decision != ReviewDecision.CHOSEN:
        if choice:
            raise ReviewRefused(
                _("Values belong to a choice; accepting, parking and skipping take none."),
                code="choice_not_taken",
            )
    elif not keys:
        raise ReviewRefused(
            _("A choice is made for the keys that it names, not for all."), code="keys_missing"
        )


def _held_items(run: Run, keys: Sequence[str]) -> list[ReviewItem]:
    """The waiting items of ``keys``, or all; locked, so that nobody else decides them meanwhile.

    Raises ReviewRefused for a key that is unknown, decided already, or looked at again since.
    """
    held = ReviewItem.objects.filter(run=run)
    held = held.filter(key__in=keys) if keys else held.filter(decision=ReviewDecision.OPEN)
    items = list(held.order_by("id").select_for_update(no_key=True))
    waiting = set(
        ReviewItem.objects.filter(pk__in=[item.pk for item in items])
        .waiting()
        .values_list("pk", flat=True)
    )
    chosen = [item for item in items if item.pk in waiting]
    left = sorted(set(keys) - {item.key for item in chosen})
    if left:
        raise _refusal(run, left[0], [item for item in items if item.key == left[0]])
    return chosen


def _refusal(run: Run, key: str, items: Sequence[ReviewItem]) -> ReviewRefused:
    """Why ``key``, whose items these are, cannot be decided."""
    if not items:
        return ReviewRefused(
            _("Run %(run)s left no key “%(key)s” to review: datamigrate review %(run)s list")
            % {"run": run.pk, "key": key},
            code="unknown_review",
            key=key,
        )
    item = items[-1]
    if item.decided_by is None or item.decided_at is None:
        return ReviewRefused(
            _(
                "The review of %(key)s is out of date: run %(run)s was taken back, or a "
                "later run looked at the key. “datamigrate run %(definition)s” looks at "
                "what is left."
            )
            % {"key": key, "run": run.pk, "definition": run.definition},
            code="superseded",
            key=key,
        )
    who, when = item.decided_by.get_username(), timezone.localtime(item.decided_at)
    return ReviewRefused(
        _("%(key)s was decided already: %(decision)s, by %(who)s, %(when)s.")
        % {
            "key": key,
            "decision": item.get_decision_display(),
            "who": who,
            "when": f"{when:%Y-%m-%d %H:%M:%S}",
        },
        code="already_decided",
        key=key,
        decided_by=who,
        decided_at=item.decided_at.isoformat(),
    )


def _chosen_values(
    definition: type[DataMigration],
    decision: str,
    choice: Mapping[str, Any] | None,
    items: Sequence[ReviewItem],
) -> dict[int, dict[str, Any] | None]:
    """Step → what is stored of the choice for its items; None for the other decisions.

    Raises ReviewRefused where a step knows nothing of decisions, or refuses the choice.
    """
    values: dict[int, dict[str, Any] | None] = {}
    for index in sorted({item.step for item in items}):
        step = definition.steps[index]
        values[index] = None
        if decision != ReviewDecision.SKIPPED and step.decided is Step.decided:
            raise ReviewRefused(
                _("%(name)s does not say what a decision does; keys of it can only be skipped.")
                % {"name": definition.name},
                code="decision_not_supported",
            )
        if decision == ReviewDecision.CHOSEN:
            own = [item for item in items if item.step == index]
            values[index] = _choice_for(step, choice or {}, own)
    return values


def _choice_for(
    step: type[Step], choice: Mapping[str, Any], items: Sequence[ReviewItem]
) -> dict[str, Any]:
    """The whole choice, with its defaults, that ``step`` agrees to."""
    if step.choices is None:
        raise ReviewRefused(
            _("There is nothing to choose from; accept, park or skip."), code="choice_not_supported"
        )
    chosen = parse_options(step.choices, choice)
    if chosen == step.choices():
        names = ", ".join(asdict(chosen))
        raise ReviewRefused(
            _("Say what is chosen: %(names)s.") % {"names": names}, code="choice_missing"
        )
    try:
        step.check_choice(chosen, items)
    except Reject as refused:
        raise ReviewRefused(str(refused), code=refused.code) from refused
    return asdict(chosen)


def _queue(
    definition: type[DataMigration],
    reviewed: Run,
    items: Sequence[ReviewItem],
    acting_user: User,
    surface: str,
    reason: str,
) -> Run:
    """A run of exactly these keys, and of what is recomputed from them; raises ActiveRun."""
    run = new_run(definition, RunKind.APPLY, acting_user, reviewed.options, None)
    run.reviewed, run.reason = reviewed, reason
    run.fingerprint = fingerprint(RunContext.of(run), evidence=False)
    keys = {
        index: [item.key for item in items if item.step == index]
        for index, step in enumerate(definition.steps)
        if step.counted
    }
    # nothing to cut, nothing to sweep for: the step is closed as soon as its batches are done
    run.key_ranges = {
        str(index): {"upper": None, "selected": len(own), "sweep": MOST_SWEEPS, "closed": False}
        for index, own in keys.items()
    }
    queue_run(run, acting_user, surface)
    Batch.objects.bulk_create(
        Batch(run=run, step=index, number=number, sweep=DECIDED, keys=part, size=len(part))
        for index, own in keys.items()
        for number, part in enumerate(_parts(own), start=1)
    )
    return run


def _parts(keys: Sequence[str]) -> list[Sequence[str]]:
    return [
        keys[place : place + DECIDED_BATCH_KEYS]
        for place in range(0, len(keys), DECIDED_BATCH_KEYS)
    ]
