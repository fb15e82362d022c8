"""What stands in the way of a cutover, and how it goes."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef

from migrations_tools.cutover.keys import CutoverKey
from migrations_tools.cutover.stages import RULES, STAGE_SENTENCES, STAGE_TRANSITIONS
from migrations_tools.models import Run
from migrations_tools.models.cutover import Cutover, Mismatch, Waiver
from migrations_tools.selectors.summary import newest_entries
from migrations_tools.states import Outcome


def unclean_keys(run: Run) -> list[tuple[int, str]]:
    """Step and key of what the run quarantined or left in conflict, and nobody waived."""
    waived = Waiver.objects.filter(
        definition=run.definition, step=OuterRef("step"), key=OuterRef("key")
    )
    unclean = newest_entries(run).filter(
        ~Exists(waived), outcome__in=[Outcome.QUARANTINED, Outcome.CONFLICT]
    )
    return list(unclean.order_by("step", "key").values_list("step", "key"))


def cutover_status(key: CutoverKey) -> dict[str, Any]:
    """The stage, what it means, where it can go, and the figures of shadow reads, as JSON."""
    cutover = Cutover.objects.filter(key=key.name).first() or Cutover(key=key.name)
    compared = cutover.compared
    rules = RULES[cutover.stage]
    mismatches = Mismatch.objects.filter(cutover__key=key.name)
    return {
        "cutover": key.name,
        "title": key.title,
        "migration": key.definition,
        "stage": cutover.stage,
        "meaning": STAGE_SENTENCES[cutover.stage],
        "next": sorted(STAGE_TRANSITIONS[cutover.stage]),
        "since": None if cutover.since is None else cutover.since.isoformat(),
        "read_percentage": cutover.read_percentage,
        "writes": [side.value for side in rules.writes],
        "reads": "legacy" if key.forced_to_legacy() else rules.reads.value,
        "forced_to_legacy": key.forced_to_legacy(),
        "compared": compared,
        "mismatched": cutover.mismatched,
        "legacy_ms": round(cutover.legacy_ms / compared, 2) if compared else None,
        "new_ms": round(cutover.new_ms / compared, 2) if compared else None,
        "mismatches": [
            {
                "id": found.pk,
                "operation": found.operation,
                "subject": found.subject,
                "times": found.times,
                "error": found.error,
                "explanation": found.explanation,
            }
            for found in mismatches[:20]
        ],
        "waived": Waiver.objects.filter(definition=key.definition).count(),
    }
