"""What a run left behind: ledger, changes, problems, transitions, batches, checks (SPEC §4)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.filters import IntegerFilter, WholeOrder, YesNoFilter
from migrations_tools.api.pages import Entries, Pages
from migrations_tools.api.runs import readable_run
from migrations_tools.models import Batch, Check, LedgerEntry, RowChange, Run, Transition
from migrations_tools.selectors.problems import problem_entries
from migrations_tools.states import BatchState, Operation, Outcome


class LedgerEntrySerializer(serializers.ModelSerializer[LedgerEntry]):
    """One key, one attempt, one outcome."""

    batch = serializers.IntegerField(source="batch_id")
    outcome = serializers.CharField()
    warnings = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(allow_null=True)),
        allow_null=True,
        help_text="Pairs of code and detail.",
    )

    class Meta:
        model = LedgerEntry
        fields: tuple[str, ...] = (
            "id",
            "batch",
            "step",
            "key",
            "attempt",
            "outcome",
            "code",
            "detail",
            "category",
            "confidence",
            "warnings",
        )


class ProblemEntrySerializer(LedgerEntrySerializer):
    """The newest word on a key that did not simply go through; whether somebody waived it."""

    waived = serializers.BooleanField()

    class Meta(LedgerEntrySerializer.Meta):
        fields = (*LedgerEntrySerializer.Meta.fields, "waived")


class RowChangeSerializer(serializers.ModelSerializer[RowChange]):
    """One written row: before and after of the columns written."""

    batch = serializers.IntegerField(source="batch_id")
    pk = serializers.CharField(source="pk_text")
    operation = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()

    class Meta:
        model = RowChange
        fields = ("id", "batch", "step", "key", "model", "pk", "operation", "before", "after")


class TransitionSerializer(serializers.ModelSerializer[Transition]):
    """A change of state, or an action of a person."""

    actor = serializers.CharField(source="actor.username")
    surface = serializers.CharField()
    details = serializers.JSONField()

    class Meta:
        model = Transition
        fields = (
            "id",
            "action",
            "from_state",
            "to_state",
            "actor",
            "surface",
            "reason",
            "details",
            "at",
        )


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A range of keys that one worker carries over in one transaction."""

    state = serializers.CharField()
    counts = serializers.JSONField()
    step = serializers.IntegerField()
    number = serializers.IntegerField()
    sweep = serializers.IntegerField()
    attempts = serializers.IntegerField()
    size = serializers.IntegerField()

    class Meta:
        model = Batch
        fields = (
            "id",
            "step",
            "number",
            "sweep",
            "state",
            "size",
            "attempts",
            "owner",
            "lease_until",
            "started_at",
            "finished_at",
            "seconds",
            "counts",
            "error",
        )


class CheckSerializer(serializers.ModelSerializer[Check]):
    """One check of one verification; the sample names rows."""

    sample = serializers.JSONField()

    class Meta:
        model = Check
        fields = (
            "id",
            "verification",
            "code",
            "title",
            "ok",
            "examined",
            "failures",
            "edited_since",
            "sample",
            "seconds",
            "at",
        )


class LedgerFilters(filters.FilterSet):
    """What of the ledger is wanted."""

    outcome = filters.MultipleChoiceFilter(choices=Outcome.choices)
    code = filters.CharFilter(max_length=60)
    key = filters.CharFilter(max_length=1_000)
    step = IntegerFilter(min_value=0, max_value=32_767)


class ProblemFilters(filters.FilterSet):
    """Which problems are wanted."""

    outcome = filters.ChoiceFilter(choices=Outcome.choices, method="unfiltered")
    code = filters.CharFilter(max_length=60, method="unfiltered")

    def unfiltered(self, queryset: Any, name: str, value: str) -> Any:
        """The selector does it: a code is that of the key or of a warning."""
        return queryset


class ChangeFilters(filters.FilterSet):
    """Which changes are wanted."""

    model = filters.CharFilter(max_length=100)
    operation = filters.ChoiceFilter(choices=Operation.choices)
    key = filters.CharFilter(max_length=1_000)


class BatchFilters(filters.FilterSet):
    """Which batches are wanted."""

    state = filters.ChoiceFilter(choices=BatchState.choices)
    step = IntegerFilter(min_value=0, max_value=32_767)


class CheckFilters(filters.FilterSet):
    """Which results are wanted."""

    verification = filters.UUIDFilter()
    ok = YesNoFilter()
    code = filters.CharFilter(max_length=60)


def _described(operation_id: str, serializer: type[serializers.BaseSerializer[Any]]) -> Any:
    """Describes the list that a view answers."""
    listed = serializer(many=True)
    return extend_schema_view(get=extend_schema(operation_id=operation_id, responses=listed))


class _PartView(GenericAPIView[Any]):
    """A list of what belongs to one run."""

    reading = "ledger"
    filter_backends: Any = (filters.DjangoFilterBackend,)

    def get(self, request: Request, run: str) -> Response:
        found = self.rows(readable_run(request, run, self.reading))
        page = self.paginate_queryset(self.filter_queryset(found))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def rows(self, run: Run) -> QuerySet[Any]:
        return self.get_queryset().filter(run=run)


@extend_schema_view(
    get=extend_schema(operation_id="runs_ledger_list", responses=LedgerEntrySerializer(many=True))
)
class LedgerView(_PartView):
    """What became of every source key, attempt by attempt, as it was written."""

    queryset = LedgerEntry.objects.all()
    serializer_class = LedgerEntrySerializer
    pagination_class = Entries
    filterset_class = LedgerFilters


@extend_schema_view(
    get=extend_schema(
        operation_id="runs_problems_list", responses=ProblemEntrySerializer(many=True)
    )
)
class ProblemView(_PartView):
    """Keys that did not simply go through, and keys with warnings; the newest attempt counts."""

    queryset = LedgerEntry.objects.all()
    serializer_class = ProblemEntrySerializer
    pagination_class = Entries
    filterset_class = ProblemFilters

    def rows(self, run: Run) -> QuerySet[Any]:
        asked = self.request.query_params
        return problem_entries(run, asked.get("outcome", ""), asked.get("code", ""))


@extend_schema_view(
    get=extend_schema(operation_id="runs_changes_list", responses=RowChangeSerializer(many=True))
)
class ChangeView(_PartView):
    """The journal: every row that was written, before and after."""

    reading = "changes"
    queryset = RowChange.objects.all()
    serializer_class = RowChangeSerializer
    pagination_class = Entries
    filterset_class = ChangeFilters


@extend_schema_view(
    get=extend_schema(
        operation_id="runs_transitions_list", responses=TransitionSerializer(many=True)
    )
)
class TransitionView(_PartView):
    """Who did what, when, from where and why."""

    reading = "runs"
    queryset = Transition.objects.select_related("actor")
    serializer_class = TransitionSerializer
    pagination_class = Entries
    filter_backends = ()


@extend_schema_view(
    get=extend_schema(operation_id="runs_batches_list", responses=BatchSerializer(many=True))
)
class BatchView(_PartView):
    """The batches of a run."""

    reading = "runs"
    queryset = Batch.objects.all()
    serializer_class = BatchSerializer
    pagination_class = Pages
    filter_backends = (filters.DjangoFilterBackend, WholeOrder)
    filterset_class = BatchFilters
    ordering_fields = ("step", "number", "seconds", "size", "finished_at")
    ordering = ("step", "number")


@extend_schema_view(
    get=extend_schema(operation_id="runs_checks_list", responses=CheckSerializer(many=True))
)
class CheckView(_PartView):
    """Results of the verifications of a run, the newest first; samples name keys."""

    queryset = Check.objects.all()
    serializer_class = CheckSerializer
    pagination_class = Pages
    filter_backends = (filters.DjangoFilterBackend, WholeOrder)
    filterset_class = CheckFilters
    ordering_fields = ("code", "ok", "failures", "at")
    ordering = ("-at",)
