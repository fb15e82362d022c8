"""Contest sessions: what somebody attempted, and what it came to (contests.md).

The session itself – public id, status, times – is a `Session` of kind ``contest``.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history
from migrations_tools.models import StagedRow
from sessions_app.models.session import Session


class Difficulty(models.TextChoices):
    EASY = "easy", _("easy")
    MEDIUM = "medium", _("medium")
    HARD = "hard", _("hard")


class Problem(models.Model):
    """One problem of the bank. ``contest_id`` is the contest's name without spaces, ``_``, the
    year: ``AMC10A_2022``; its case does not count.

    ``correct_answer`` is what attempts are filled with: ``choice_answer``, which the newer shape
    of problem files gives, else ``answer_key``, the letter of the older one (contests.md "Input
    and models"). ``topics`` are names, the area before the sub-topic. ``external_ids`` are the ids
    that the files give the problem.
    """

    contest_id = models.CharField(max_length=100)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    contest = models.CharField(max_length=80, blank=True, default="")
    number = models.PositiveIntegerField()
    correct_answer = models.TextField(blank=True, default="")
    choice_answer = models.TextField(blank=True, default="")
    answer_key = models.TextField(blank=True, default="")
    difficulty = models.CharField(max_length=20, choices=Difficulty, blank=True, default="")
    topics = models.JSONField(default=list, blank=True)
    external_ids = ArrayField(models.CharField(max_length=255), default=list, blank=True)

    history = tracked_history()

    class Meta:
        ordering = ["contest_id", "number"]
        constraints = [
            models.UniqueConstraint(Lower("contest_id"), F("number"), name="problem_once"),
            models.CheckConstraint(condition=~Q(contest_id=""), name="problem_contest_not_blank"),
            models.CheckConstraint(condition=Q(number__gt=0), name="problem_number_positive"),
        ]
        indexes = [GinIndex(fields=["external_ids"], name="problem_by_external_id")]

    def __str__(self) -> str:
        return f"{self.contest_id} {self.number}"


class ContestResult(models.Model):
    """What a contest session came to. Times are whole milliseconds.

    ``user_ref`` is the id that the old system's users file gave the person, as text. Analytics
    are derived from the attempts: ``performance_metrics`` by name, the others by topic and by
    difficulty, each ``{attempted, correct, accuracy}``. ``extra`` holds keys of the document that
    have no field here.
    """

    session = models.OneToOneField(Session, models.PROTECT, related_name="contest_result")
    username = models.CharField(max_length=255, db_collation="C")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contest_results",
    )
    user_ref = models.TextField(blank=True, default="")
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    contest = models.TextField(blank=True, default="")
    mode = models.TextField(blank=True, default="")
    shuffle = models.BooleanField(default=False)
    score = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    total_attempted = models.PositiveIntegerField(default=0)
    performance_metrics = models.JSONField(default=dict, blank=True)
    topic_performance = models.JSONField(default=dict, blank=True)
    difficulty_performance = models.JSONField(default=dict, blank=True)
    total_time_ms = models.PositiveBigIntegerField(default=0)
    extra = models.JSONField(default=dict, blank=True)

    history = tracked_history()

    class Meta:
        ordering = ["-session__created_at", "-id"]
        indexes = [models.Index(fields=["username"], name="contest_result_by_username")]

    def __str__(self) -> str:
        return f"{self.username}: {self.contest} {self.year or ''}".strip()


class ProblemAttempt(models.Model):
    """One attempt, at its ``position`` (from 1) in the session.

    ``problem_ref`` is the problem's id as written, ``problem`` the one of the bank that it was
    found to be. Null answers, difficulty and topics are not known. ``topics`` are names in the
    order of the document, each once. Time is whole milliseconds.
    """

    result = models.ForeignKey(
        ContestResult, models.PROTECT, related_name="attempts", db_index=False
    )
    position = models.PositiveIntegerField()
    problem_number = models.PositiveIntegerField(null=True, blank=True)
    problem = models.ForeignKey(
        Problem, models.PROTECT, null=True, blank=True, related_name="attempts"
    )
    problem_ref = models.TextField(blank=True, default="")
    is_correct = models.BooleanField()
    selected_answer = models.TextField(null=True, blank=True)  # noqa: DJ001 - null: not known
    correct_answer = models.TextField(null=True, blank=True)  # noqa: DJ001 - likewise
    time_spent_ms = models.PositiveBigIntegerField(default=0)
    attempted_at = models.DateTimeField(null=True, blank=True)
    difficulty = models.TextField(null=True, blank=True)  # noqa: DJ001 - likewise
    topics = models.JSONField(null=True, blank=True)
    extra = models.JSONField(default=dict, blank=True)

    history = tracked_history()

    class Meta:
        ordering = ["result", "position"]
        constraints = [
            models.UniqueConstraint(fields=["result", "position"], name="attempt_position_once"),
            models.CheckConstraint(condition=Q(position__gt=0), name="attempt_position_positive"),
        ]
        indexes = [
            # what the next run asks of sessions that are done
            models.Index(
                fields=["result"],
                name="attempt_incomplete",
                condition=Q(correct_answer=None) | Q(difficulty=None) | Q(topics=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.problem_ref or self.problem_number or ''}".strip()


class ContestSave(models.Model):
    """When an account saved a contest session last: not more than once a second."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id}: {self.saved_at}"


class LegacyContestSession(StagedRow):
    """One document of the contest trainer, as exported.

    ``username`` and ``session_ref`` are what the document calls its user and itself, blank where
    it does not say so in text of at most 255 characters. ``session`` is what it became.
    """

    key = models.CharField(max_length=255, unique=True, db_collation="C")
    line = models.TextField()
    document = models.JSONField()
    username = models.CharField(max_length=255, blank=True, default="", db_collation="C")
    session_ref = models.CharField(max_length=255, blank=True, default="", db_collation="C")
    session = models.ForeignKey(
        Session, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(session__isnull=False),
                name="legacy_contest_session_once",
            ),
        ]
        indexes = [
            models.Index(fields=["session_ref"], name="legacy_contest_by_ref"),
            models.Index(fields=["username", "key"], name="legacy_contest_by_username"),
        ]

    def __str__(self) -> str:
        return gettext("legacy contest session %(key)s") % {"key": self.key}
