"""What staged rows become: the one place that says it (guarantees.md N1–N4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import BooleanField, Case, CharField, Count, F, Q, TextField, Value, When
from django.db.models.functions import Coalesce, Lower
from django.db.models.lookups import In

from guarantees.models.action import ActionType
from guarantees.models.number import trimmed

if TYPE_CHECKING:
    from guarantees.models.staging import ImportedRecord  # noqa: F401 - named by the queryset below

#: Types of a row that is an import; NULL counts as '' (N1).
IMPORT_TYPES = ("", "import")

#: Type of a row (N2), or of the session of an import row (N4) → the action it is.
ACTION_TYPES = {
    "extension_action": ActionType.EXTENSION,
    "release_action": ActionType.RELEASE,
}


def _word(column: str) -> Lower:
    """A type as it is compared: without white space around it, in small letters."""
    return Lower(Coalesce(trimmed(column), Value("", TextField())))


def _typed(*names: str) -> Q:
    return Q(In(_word("record_type"), names))


def _in_session_typed(*names: str) -> Q:
    return Q(In(_word("session__session_type"), names))


def _boolean(condition: Q) -> Case:
    """``condition`` as a CASE: PostgreSQL then expects neither few nor nearly all rows of it.

    Of a comparison with an expression it expects one row in 200, and sorts the table for a batch.
    """
    return Case(When(condition, then=Value(True)), default=False, output_field=BooleanField())


_BECOMES_GUARANTEE = _typed(*IMPORT_TYPES) & ~_in_session_typed(*ACTION_TYPES)


class ImportedRecordQuerySet(models.QuerySet["ImportedRecord"]):
    def becoming_guarantees(self) -> ImportedRecordQuerySet:
        """Import rows, without those in sessions of actions (N1, N4)."""
        return self.filter(_boolean(_BECOMES_GUARANTEE))

    def not_becoming_guarantees(self) -> ImportedRecordQuerySet:
        """All other rows, with ``action_type``: '' where the type is unsupported (N2–N4)."""
        whens = [
            When(_typed(name) | _typed(*IMPORT_TYPES) & _in_session_typed(name), then=Value(action))
            for name, action in ACTION_TYPES.items()
        ]
        return self.filter(_boolean(~_BECOMES_GUARANTEE)).annotate(
            action_type=Case(*whens, default=Value(""), output_field=CharField())
        )

    def with_session(self) -> ImportedRecordQuerySet:
        """With what the session says of a row; null where the session is unknown."""
        return self.annotate(
            session_type=F("session__session_type"),
            session_created_at=F("session__created_at"),
            session_file_name=F("session__file_name"),
            session_staged_at=F("session__staged_at"),
        )

    def repeated_numbers(self) -> models.QuerySet[Any, Any]:
        """Numbers that several rows have: ``number`` and ``rows``; blank ones are left out (N7)."""
        return (
            self.annotate(number=trimmed("guarantee_number"))
            .exclude(Q(number__isnull=True) | Q(number=""))
            .order_by()
            .values("number")
            .annotate(rows=Count("pk"))
            .filter(rows__gt=1)
        )
