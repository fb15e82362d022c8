"""Projects that lessons work on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    Insert,
    Outcome,
    Reject,
    RowSource,
    Skip,
    Step,
    Update,
    build,
)
from sessions_app.data_migrations.lessons.links import became, compare, in_order, linked
from sessions_app.data_migrations.lessons.values import (
    Warnings,
    flag,
)
from sessions_app.models import (
    LegacyLessonProject,
    Lesson,
    LessonProject,
    Project,
)

_LONGEST_REFERENCE: Final = 255  # characters


@dataclass(slots=True)
class ProjectFacts:
    """``projects`` are those that there are; ``first`` → for each lesson and project the row."""

    lessons: Mapping[str, tuple[Any, ...]]
    projects: Collection[UUID]
    first: Mapping[tuple[str, str], str]
    standing: Collection[tuple[int, str]]
    linked: Mapping[int, LessonProject]


class LessonProjectStep(Step):
    """Each row becomes a project of its lesson: the one with that id, or the id alone where this
    system has no such project.
    """

    source = RowSource(LegacyLessonProject, key="key")
    writes = [LessonProject, LegacyLessonProject]

    def load(self, rows: Sequence[Any]) -> ProjectFacts:
        lessons = became(Lesson, {row.lesson_key for row in rows} - {None}, "pk")
        keys = {row.project_key for row in rows} - {None}
        known = Project.objects.real().filter(pk__in=filter(None, map(as_uuid, keys)))
        same = LegacyLessonProject.objects.filter(lesson_key__in=lessons, project_key__in=keys)
        ordered = sorted(
            same.values_list("lesson_key", "project_key", "key"),
            key=lambda found: in_order(found[2]),
            reverse=True,
        )
        standing = LessonProject.objects.filter(lesson__in=[pk for (pk,) in lessons.values()])
        return ProjectFacts(
            lessons=lessons,
            projects=set(known.values_list("pk", flat=True)),
            first={(str(lesson), str(project)): key for lesson, project, key in ordered},
            standing={
                (lesson, str(project or ref))
                for lesson, project, ref in standing.values_list(
                    "lesson_id", "project_id", "project_ref"
                )
            },
            linked=linked(LessonProject, rows, "lesson_project_id"),
        )

    def transform(self, row: Any, facts: ProjectFacts) -> Outcome:
        warnings: Warnings = []
        if row.lesson_key not in facts.lessons:
            raise Reject(
                "lesson_missing",
                gettext_noop("Lesson project %(key)s: there is no lesson %(lesson_key)s.")
                % {"key": row.key, "lesson_key": row.lesson_key},
            )
        if row.project_key is None or len(row.project_key) > _LONGEST_REFERENCE:
            raise Reject(
                "project_missing",
                gettext_noop("Lesson project %(key)s names no project.") % {"key": row.key},
            )
        lesson = facts.lessons[row.lesson_key][0]
        project = as_uuid(row.project_key)
        is_known = project in facts.projects
        if not is_known:
            warnings.append("unknown_project")
        values = {
            "lesson_id": lesson,
            "project_id": project if is_known else None,
            "project_ref": row.project_key,
            "is_required": flag(row.document, "is_required", False, warnings),
        }
        if row.lesson_project_id is not None:
            return compare(facts.linked.get(row.lesson_project_id), values)
        is_first = facts.first.get((row.lesson_key, row.project_key)) == row.key
        if not is_first or (lesson, str(values["project_id"] or row.project_key)) in facts.standing:
            return Skip(
                "repeated_project",
                gettext_noop("Lesson project %(key)s is there already.") % {"key": row.key},
            )
        made = build(LessonProject, **values)
        return Apply([Insert(made), Update(row, lesson_project=made)], warnings)


def as_uuid(text: str) -> UUID | None:
    """The UUID that the text is, in any of its forms."""
    try:
        return UUID(text)
    except ValueError:
        return None
