"""Semesters and cohorts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    Insert,
    Outcome,
    Reject,
    RowSource,
    Step,
    Update,
    Warning_,
    build,
)
from sessions_app.data_migrations.lessons.links import (
    became,
    compare,
    in_order,
    linked,
    named,
    people,
)
from sessions_app.data_migrations.lessons.values import (
    Warnings,
    day_or_none,
    flag,
    short_text,
    word,
    written,
    zone_of,
)
from sessions_app.legacy_imports.lessons import legacy_id
from sessions_app.models import Cohort, LegacyCohort, LegacySemester, Semester, SemesterStatus


@dataclass(slots=True)
class SemesterFacts:
    """``first`` → for each code the key of the row that keeps it; ``taken`` → semesters that stand
    here already, by code.
    """

    zone: tzinfo
    people: Mapping[str, int]
    first: Mapping[str, str]
    taken: Mapping[str, int]
    linked: Mapping[int, Semester]


class SemesterStep(Step):
    """Each row becomes a semester. Of several with one code the first keeps it."""

    source = RowSource(LegacySemester, key="key")
    writes = [Semester, LegacySemester]

    def load(self, rows: Sequence[Any]) -> SemesterFacts:
        codes = {code for row in rows if (code := _own_code(row.document.get("code")))}
        # an academy has few semesters, and each of them may claim a code in another spelling
        claims = LegacySemester.objects.order_by().values_list("document__code", "key")
        known = ((_own_code(code), key) for code, key in claims)
        by_code = sorted(
            ((code, key) for code, key in known if code in codes),
            key=lambda found: in_order(found[1]),
        )
        return SemesterFacts(
            zone=zone_of(self.options.source_tz),
            people=people(named(rows, "master_instructor_id")),
            first=dict(reversed(by_code)),
            taken=dict(Semester.objects.filter(code__in=codes).values_list("code", "pk")),
            linked=linked(Semester, rows, "semester_id"),
        )

    def transform(self, row: Any, facts: SemesterFacts) -> Outcome:
        warnings: Warnings = []
        values = semester_values(row, facts, warnings)
        if row.semester_id is not None:
            return compare(facts.linked.get(row.semester_id), values)
        semester = build(Semester, **values)
        return Apply([Insert(semester), Update(row, semester=semester)], warnings)


def _own_code(value: Any) -> str:
    """The code that a row gives its semester, blank where it gives none."""
    return "" if isinstance(value, dict | list) else short_text({"code": value}, "code", [])


def semester_values(row: Any, facts: SemesterFacts, warnings: Warnings) -> dict[str, Any]:
    """What the row says of a semester. Raises Reject where it ends before it starts."""
    document = row.document
    code = _code(row, facts, warnings)
    start = day_or_none(document, "start_date", facts.zone, warnings)
    end = day_or_none(document, "end_date", facts.zone, warnings)
    if start is not None and end is not None and end < start:
        raise Reject(
            "end_before_start",
            gettext_noop("Semester %(key)s ends on %(end)s, before %(start)s.")
            % {"key": row.key, "end": end, "start": start},
        )
    status = word(document, "status")
    if status not in SemesterStatus.values:
        warnings.append(
            Warning_(
                "unknown_status",
                gettext_noop("Semester %(key)s has the status “%(status)s”: draft.")
                % {"key": row.key, "status": status},
            )
        )
        status = SemesterStatus.DRAFT.value
    return {
        "code": code,
        "name": short_text(document, "name", warnings) or code,
        "start_date": start,
        "end_date": end,
        "status": status,
        "is_active": flag(document, "is_active", True, warnings),
        "master_instructor_id": person_of(document, "master_instructor_id", facts.people, warnings),
        "venue": short_text(document, "location_venue", warnings),
        "city": short_text(document, "location_city", warnings),
        "address": written(document, "location_address"),
    }


def _code(row: Any, facts: SemesterFacts, warnings: Warnings) -> str:
    code = short_text(row.document, "code", warnings)
    if not code:
        code = f"semester-{row.key}"
        warnings.append(
            Warning_(
                "missing_code",
                gettext_noop("Semester %(key)s has no code; it is called %(code)s.")
                % {"key": row.key, "code": code},
            )
        )
        return code
    holder = facts.taken.get(code)
    is_taken = holder is not None and holder != row.semester_id
    if not is_taken and facts.first.get(code, row.key) == row.key:
        return code
    warnings.append(
        Warning_(
            "duplicate_code",
            gettext_noop("Another semester has the code “%(code)s”; the id is added.")
            % {"code": code},
        )
    )
    return f"{code[:200]}-{row.key}"[:255]


def person_of(
    document: Mapping[str, Any], column: str, known: Mapping[str, int], warnings: Warnings
) -> int | None:
    """The account, or none with a warning where the row names nobody that there is."""
    key = legacy_id(document.get(column))
    if key is not None and key not in known:
        warnings.append(
            Warning_(
                "unknown_instructor", gettext_noop("There is no person %(key)s.") % {"key": key}
            )
        )
    return None if key is None else known.get(key)


@dataclass(slots=True)
class CohortFacts:
    semesters: Mapping[str, tuple[Any, ...]]
    linked: Mapping[int, Cohort]


class CohortStep(Step):
    """Each row becomes a cohort of its semester."""

    source = RowSource(LegacyCohort, key="key")
    writes = [Cohort, LegacyCohort]

    def load(self, rows: Sequence[Any]) -> CohortFacts:
        return CohortFacts(
            semesters=became(Semester, named(rows, "semester_id"), "pk"),
            linked=linked(Cohort, rows, "cohort_id"),
        )

    def transform(self, row: Any, facts: CohortFacts) -> Outcome:
        warnings: Warnings = []
        key = legacy_id(row.document.get("semester_id"))
        if key is None or key not in facts.semesters:
            raise Reject(
                "semester_missing",
                gettext_noop("Cohort %(key)s has no semester (%(semester)s).")
                % {"key": row.key, "semester": key},
            )
        values = {
            "semester_id": facts.semesters[key][0],
            "name": short_text(row.document, "name", warnings) or f"cohort-{row.key}",
        }
        if row.cohort_id is not None:
            return compare(facts.linked.get(row.cohort_id), values)
        cohort = build(Cohort, **values)
        return Apply([Insert(cohort), Update(row, cohort=cohort)], warnings)
