"""The cutover of the guarantee department: its old system and this one, side by side (SPEC §2.8).

While no cutover has begun, and once it is complete, this application writes its own tables alone:
the department works here, whether or not it ever had another system. In between, whatever people
enter, decide and issue here goes to the old tables as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from django.db import transaction

from guarantees.models import ActionStatus, Guarantee, GuaranteeAction
from migrations_tools.cutover.keys import CutoverKey, register_cutover
from migrations_tools.cutover.stages import Stage
from migrations_tools.cutover.switch import Switch

T = TypeVar("T")

_MOST: Final = 1_000  # names that a refusal could list


def _only_in_new() -> Sequence[str]:
    """Guarantees and issued actions that the old tables do not know."""
    guarantees = Guarantee.objects.filter(legacy_records=None).order_by("pk")
    actions = GuaranteeAction.objects.filter(legacy_records=None, status=ActionStatus.ISSUED)
    numbers = guarantees.values_list("number", flat=True)[:_MOST]
    issued = actions.order_by("pk").values_list("action_type", "number")[:_MOST]
    return [f"guarantee {number}" for number in numbers] + [
        f"{action_type} of {number}" for action_type, number in issued
    ]


GUARANTEES: Final = Switch(
    register_cutover(
        CutoverKey(
            name="guarantees",
            title="Bank guarantees",
            definition="split_imported_records",
            environment="USE_NEW_GUARANTEE_SYSTEM",
            only_in_new=_only_in_new,
        )
    )
)


def write_both(*, legacy: Callable[[], object], new: Callable[[], T]) -> T:
    """Write here, and in the old tables where the stage says so, the leading side first.

    One transaction: an error of either side undoes both.
    """
    answers: list[T] = []
    with transaction.atomic():
        if GUARANTEES.held_stage() == Stage.OFF:
            return new()
        GUARANTEES.write(legacy=lambda _: legacy(), new=lambda _: answers.append(new()))
    return answers[0]
