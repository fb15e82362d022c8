"""Contest sessions and progress as the API tells them (contests.md)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from sessions_app.models import SESSION_TRANSITIONS, SessionKind, SessionStatus
from sessions_app.services.contest_sessions import SaveOutcome

CONTEST_STATUSES = [
    (status.value, status.label)
    for status in SessionStatus
    if status in SESSION_TRANSITIONS[SessionKind.CONTEST]
]


class ContestItemSerializer(serializers.Serializer[Any]):
    """A contest session in a list: the document without attempts and analytics.

    ``accuracy`` is a percentage of all attempts.
    """

    session_id = serializers.CharField()
    session_status = serializers.ChoiceField(choices=CONTEST_STATUSES, source="status")
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(source="ended_at", allow_null=True)
    username = serializers.CharField(source="contest_result.username")
    year = serializers.IntegerField(source="contest_result.year", allow_null=True)
    contest = serializers.CharField(source="contest_result.contest")
    mode = serializers.CharField(source="contest_result.mode")
    shuffle = serializers.BooleanField(source="contest_result.shuffle")
    score = serializers.FloatField(source="contest_result.score", allow_null=True)
    total_attempted = serializers.IntegerField(source="contest_result.total_attempted")
    accuracy = serializers.FloatField(
        source="contest_result.performance_metrics.accuracy_percentage",
        allow_null=True,
        default=None,
    )
    total_time_ms = serializers.IntegerField(source="contest_result.total_time_ms")


class ProblemAttemptSerializer(serializers.Serializer[Any]):
    """One attempt of a document; unknown keys of the old document follow."""

    problem_number = serializers.IntegerField(allow_null=True)
    problem_id = serializers.CharField(allow_null=True)
    is_correct = serializers.BooleanField()
    selected_answer = serializers.CharField(allow_null=True)
    correct_answer = serializers.CharField(allow_null=True)
    time_spent_ms = serializers.IntegerField()
    time_spent_seconds = serializers.FloatField()
    attempt_timestamp = serializers.DateTimeField(allow_null=True)
    difficulty = serializers.CharField(allow_null=True)
    topics = serializers.ListField(child=serializers.CharField(), allow_null=True)


class PerformanceSerializer(serializers.Serializer[Any]):
    attempted = serializers.IntegerField()
    correct = serializers.IntegerField()
    accuracy = serializers.FloatField()


class ContestDocumentSerializer(serializers.Serializer[Any]):
    """For the description only: the 19 fields in their order, then keys that the old document had
    besides. `sessions_app.selectors.contest_document` makes it.
    """

    session_id = serializers.CharField()
    session_status = serializers.ChoiceField(choices=CONTEST_STATUSES)
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    username = serializers.CharField()
    user_id = serializers.CharField(allow_null=True)
    year = serializers.IntegerField(allow_null=True)
    contest = serializers.CharField(allow_null=True)
    mode = serializers.CharField(allow_null=True)
    shuffle = serializers.BooleanField()
    score = serializers.FloatField(allow_null=True)
    total_attempted = serializers.IntegerField()
    problems_attempted = ProblemAttemptSerializer(many=True)
    performance_metrics = serializers.DictField(child=serializers.FloatField(allow_null=True))
    topic_performance = serializers.DictField(child=PerformanceSerializer())
    difficulty_performance = serializers.DictField(child=PerformanceSerializer())
    total_time_ms = serializers.IntegerField()
    total_time_seconds = serializers.FloatField()
    total_time_minutes = serializers.FloatField()


class NewContestSessionSerializer(serializers.Serializer[Any]):
    """For the description only: what has to be there. Other fields of the document, and names that
    documents had over the years, are understood too; `sessions_app.contests.reading` reads it.
    """

    session_id = serializers.CharField()
    year = serializers.IntegerField()
    contest = serializers.CharField()
    problems_attempted = serializers.ListField(child=serializers.DictField())
    mode = serializers.CharField(required=False)
    session_status = serializers.ChoiceField(choices=CONTEST_STATUSES, required=False)


class ContestWarningSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class SavedContestSessionSerializer(serializers.Serializer[Any]):
    """What became of a session that was saved, and what was noticed in it."""

    session_id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[(each.value, each.value) for each in SaveOutcome])
    warnings = ContestWarningSerializer(many=True)


class ContestTotalsSerializer(serializers.Serializer[Any]):
    attempted = serializers.IntegerField()
    correct = serializers.IntegerField()
    accuracy = serializers.FloatField()


class OwnContestTotalsSerializer(ContestTotalsSerializer):
    sessions = serializers.IntegerField()
    total_time_ms = serializers.IntegerField()


class ContestBucketSerializer(ContestTotalsSerializer):
    name = serializers.CharField()


class TopicProgressSerializer(ContestBucketSerializer):
    weighted = serializers.FloatField()


class ProgressPointSerializer(serializers.Serializer[Any]):
    session_id = serializers.CharField()
    at = serializers.DateTimeField()
    accuracy = serializers.FloatField()


class LastContestSessionSerializer(ProgressPointSerializer):
    contest = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    mode = serializers.CharField()
    attempted = serializers.IntegerField()
    correct = serializers.IntegerField()


class ProgressTrendSerializer(serializers.Serializer[Any]):
    sessions = ProgressPointSerializer(many=True)
    change = serializers.FloatField(allow_null=True, help_text="Percentage points.")


class ContestProgressSerializer(serializers.Serializer[Any]):
    """`sessions_app.selectors.contest_progress.progress`."""

    totals = OwnContestTotalsSerializer()
    last_sessions = LastContestSessionSerializer(many=True)
    trend = ProgressTrendSerializer()
    topics = TopicProgressSerializer(many=True)
    difficulties = ContestBucketSerializer(many=True)
    percentile = serializers.FloatField(allow_null=True)
    cohort = serializers.IntegerField(help_text="Other people.")


class CohortAccuraciesSerializer(serializers.Serializer[Any]):
    lower_quartile = serializers.FloatField(allow_null=True)
    median = serializers.FloatField(allow_null=True)
    upper_quartile = serializers.FloatField(allow_null=True)


class CohortProgressSerializer(serializers.Serializer[Any]):
    """`sessions_app.selectors.contest_progress.cohort_progress`."""

    people = serializers.IntegerField()
    totals = ContestTotalsSerializer()
    accuracies = CohortAccuraciesSerializer()
    topics = ContestBucketSerializer(many=True)
    difficulties = ContestBucketSerializer(many=True)
