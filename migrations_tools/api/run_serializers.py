"""How runs are told: the JSON of SPEC §3, and what a page about a run shows beside it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import User
from rest_framework import serializers

from migrations_tools.api.access import may_read
from migrations_tools.definitions.base import DataMigration
from migrations_tools.models import Run
from migrations_tools.selectors.progress import progress_of
from migrations_tools.selectors.summary import nothing_to_do, problems_of, summarise
from migrations_tools.states import RunKind, state_sentence

#: Problems that a run's own page names; ``problems`` has them all.
MOST_PROBLEMS: Final = 100
#: What of a plan's report replaces the sums of the keys it looked at.
_FORECAST: Final = ("total", "outcomes", "warnings", "codes")


class CountsField(serializers.DictField):
    """Numbers by name."""

    child = serializers.IntegerField()


class RunListSerializer(serializers.ModelSerializer[Run]):
    """A run in a list."""

    run = serializers.UUIDField(source="id")
    migration = serializers.CharField(source="definition")
    kind = serializers.CharField()
    state = serializers.CharField()
    verification_state = serializers.CharField()
    actor = serializers.CharField(source="actor.username")
    parent = serializers.UUIDField(  # type: ignore[assignment]  # the run taken back
        source="parent_id", allow_null=True
    )
    plan = serializers.UUIDField(source="plan_id", allow_null=True)

    class Meta:
        model = Run
        fields = (
            "run",
            "migration",
            "version",
            "kind",
            "state",
            "state_reason",
            "verification_state",
            "verified_at",
            "actor",
            "reason",
            "parent",
            "plan",
            "created_at",
            "started_at",
            "finished_at",
        )


class ProblemSerializer(serializers.Serializer[Any]):
    """A key that did not simply go through, or a warning that has a detail."""

    key = serializers.CharField()
    outcome = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a run is; rate in keys per second, eta in seconds, share 0–1."""

    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    share = serializers.FloatField(allow_null=True)
    rate = serializers.FloatField(allow_null=True)
    eta = serializers.FloatField(allow_null=True)


class RunSerializer(serializers.Serializer[Any]):
    """A run: its summary, what its state means, and how far it is."""

    run = serializers.UUIDField(allow_null=True, help_text="null: there was nothing to do.")
    migration = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    total = serializers.IntegerField()
    outcomes = CountsField()
    warnings = CountsField()
    codes = CountsField()
    problems = ProblemSerializer(many=True, help_text=f"The first {MOST_PROBLEMS}.")
    changes = serializers.DictField(child=CountsField())
    categories = CountsField()
    risks = serializers.ListField(child=serializers.CharField())
    recommendations = serializers.ListField(child=serializers.CharField())
    seconds = serializers.FloatField()
    rows_per_second = serializers.FloatField()
    sentence = serializers.CharField(required=False)
    state_reason = serializers.CharField(required=False)
    progress = ProgressSerializer(required=False)
    version = serializers.IntegerField(required=False)
    options = serializers.DictField(required=False)
    tuning = serializers.DictField(required=False)
    actor = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)
    parent = serializers.UUIDField(  # type: ignore[assignment]  # the run taken back
        allow_null=True, required=False
    )
    plan = serializers.UUIDField(allow_null=True, required=False)
    reviewed = serializers.UUIDField(allow_null=True, required=False)
    verification_state = serializers.CharField(required=False)
    verified_at = serializers.DateTimeField(allow_null=True, required=False)
    created_at = serializers.DateTimeField(required=False)
    started_at = serializers.DateTimeField(allow_null=True, required=False)
    finished_at = serializers.DateTimeField(allow_null=True, required=False)
    forecast = serializers.DictField(
        allow_null=True, required=False, help_text="Of a plan: estimate, samples, explain …"
    )


def told_run(run: Run, reader: User) -> dict[str, Any]:
    """A run as `RunSerializer` has it; what quotes rows only for those who may read them."""
    summary = summarise(run, problems=False)
    if may_read(reader, "ledger"):
        summary["problems"] = _first(run)
    forecast = None
    if run.kind == RunKind.PLAN and "total" in run.report:
        forecast = {name: value for name, value in run.report.items() if name != "requested"}
        summary.update({name: forecast.pop(name) for name in _FORECAST})
        if not may_read(reader, "changes"):
            forecast.pop("samples", None)
    progress = progress_of(run)
    more = {
        "sentence": state_sentence(run.kind, run.state),
        "state_reason": run.state_reason,
        "progress": {
            "done": progress.done,
            "total": progress.total,
            "share": progress.share,
            "rate": None if progress.rate is None else round(progress.rate, 1),
            "eta": None if progress.eta is None else round(progress.eta, 1),
        },
        "version": run.version,
        "options": run.options,
        "tuning": run.tuning,
        "actor": run.actor.get_username(),
        "reason": run.reason,
        "parent": run.parent_id,
        "plan": run.plan_id,
        "reviewed": run.reviewed_id,
        "verification_state": run.verification_state,
        "verified_at": run.verified_at,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "forecast": forecast,
    }
    return dict(RunSerializer({**summary, **more}).data)


def _first(run: Run) -> list[dict[str, str]]:
    return [problem for problem, _ in zip(problems_of(run), range(MOST_PROBLEMS), strict=False)]


def told_nothing(definition: type[DataMigration], kind: str) -> dict[str, Any]:
    """The same shape where no run was made because there is nothing to do."""
    return dict(RunSerializer(nothing_to_do(definition, kind)).data)
