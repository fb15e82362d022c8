"""Records of the old session systems beside what they became."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.comparisons import Comparison, FieldPair, Origin, Words, comes_from, compares
from sessions_app.collaboration.state import Collaboration
from sessions_app.contests.problems import complete
from sessions_app.contests.reading import Unreadable
from sessions_app.data_migrations.enrich_contest_sessions import EnrichOptions, EnrichStep
from sessions_app.models import (
    ActivityEvent,
    Attendance,
    Booking,
    Cohort,
    ContestResult,
    Feedback,
    LegacyAttendance,
    LegacyBooking,
    LegacyCohort,
    LegacyCollaborationRow,
    LegacyContestSession,
    LegacyFeedback,
    LegacyLesson,
    LegacyLessonProject,
    LegacySemester,
    Lesson,
    LessonProject,
    Semester,
    Session,
    SessionKind,
)
from sessions_app.selectors.collaboration import legacy_session, session_by_id

# ---------------------------------------------------------------------------- collaboration


@compares("normalize_collaboration_sessions")
def compare_collaboration(step: int, key: str) -> Comparison | None:
    """By session id: what all rows of it say together, and the session with its people."""
    rows = list(LegacyCollaborationRow.objects.filter(session_key=key).order_by("id"))
    session = Session.objects.filter(session_id=key, kind=SessionKind.COLLABORATION).first()
    if step != 0 or not (rows or session):
        return None
    here = session_by_id(key) if session else None
    title = _("Collaboration session %(id)s") % {"id": key}
    pairs = _pairs(_flat(legacy_session(key)), _flat(here))
    return Comparison(title, rows, [session] if session else [], pairs)


def _flat(session: Collaboration | None) -> dict[str, Any]:
    """A session as values by name; those of people carry their address."""
    if session is None:
        return {}
    told = session.as_dict()
    found: dict[str, Any] = {}
    for name, value in told.items():
        if name == "members":
            for member in value:
                email = member.pop("email")
                found |= {f"{email}: {each}": said for each, said in member.items()}
        else:
            found[name] = value
    return found


def _pairs(legacy: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldPair]:
    return [
        FieldPair(name.replace("_", " "), legacy.get(name), new.get(name))
        for name in dict.fromkeys((*legacy, *new))
    ]


# ---------------------------------------------------------------------------- agent sessions


@compares("assign_orphan_sessions")
def compare_agent_session(step: int, key: str) -> Comparison | None:
    """By session id: the project that its file and its events name, and the one it has."""
    session = Session.objects.filter(session_id=key, kind=SessionKind.AGENT).first()
    if step != 0 or session is None:
        return None
    events = ActivityEvent.objects.evidence().filter(session_ref=key)
    counted = events.order_by().values("project").annotate(events=Count("*")).order_by("-events")
    most = [f"{found['project']} ({found['events']})" for found in counted[:5]]
    written = session.metadata.get("project_id")
    project = session.project_id and str(session.project_id)
    fields = [
        FieldPair(_("project as its file names it"), written, project, compared=bool(written)),
        FieldPair(_("projects that its events name"), ", ".join(most), project, compared=False),
        FieldPair(
            _("status"), session.metadata.get("status") or session.status, session.status, False
        ),
    ]
    title = _("Agent session %(id)s") % {"id": key}
    return Comparison(title, [], [session], fields)


# ---------------------------------------------------------------------------- contests

_SESSION_FIELDS: Final = ("title", "status", "created_at", "started_at", "ended_at")
_RESULT_FIELDS: Final = (
    "username", "user_ref", "year", "contest", "mode", "shuffle", "score", "total_attempted",
    "total_time_ms", "performance_metrics",
)  # fmt: skip
_ATTEMPT_FIELDS: Final = ("problem_ref", "is_correct", "selected_answer", "correct_answer")


@compares("enrich_contest_sessions")
def compare_contest_session(step: int, key: str) -> Comparison | None:
    """By the key of the document: what carrying it over would make now, and what is there."""
    row = LegacyContestSession.objects.filter(key=key).select_related("session").first()
    if step != 0 or row is None:
        return None
    session = row.session
    title = _("Contest session %(id)s") % {"id": key}
    enrich = EnrichStep(EnrichOptions())
    context = enrich.load([row])
    document = context.documents[row.pk]
    if isinstance(document, Unreadable):
        fields = [FieldPair(document.code, document.detail, None, compared=False)]
        return Comparison(title, [row], [session] if session else [], fields)
    complete(document, context.bank)
    public_id = session.session_id if session else row.session_ref
    made, result, attempts = enrich.objects(row, document, context, public_id)
    stored = getattr(session, "contest_result", None)
    fields = [_field(name, made, session) for name in _SESSION_FIELDS]
    fields += [_field(name, result, stored) for name in _RESULT_FIELDS]
    there = {} if stored is None else {each.position: each for each in stored.attempts.all()}
    for attempt in attempts:
        place = _("attempt %(n)s") % {"n": attempt.position}
        fields += [
            _field(name, attempt, there.get(attempt.position), place) for name in _ATTEMPT_FIELDS
        ]
    return Comparison(title, [row], [session] if session else [], fields)


def _field(name: str, legacy: Model, new: Model | None, place: str = "") -> FieldPair:
    label = name.replace("_", " ")
    return FieldPair(
        f"{place}: {label}" if place else label,
        getattr(legacy, name),
        None if new is None else getattr(new, name),
    )


# ---------------------------------------------------------------------------- lessons


@dataclass(frozen=True)
class _Staged:
    """A staged model: the link to what a row became, and where a column's value stands there.

    Columns that are not named are told and not compared: ids of the old system, and words that the
    migration translates.
    """

    model: type[Model]
    link: str
    columns: Mapping[str, str]
    title: Words


#: By the step of the migration.
_STAGED: Final = (
    _Staged(
        LegacySemester,
        "semester",
        {
            "code": "code", "name": "name", "start_date": "start_date", "end_date": "end_date",
            "location_venue": "venue", "location_city": "city", "location_address": "address",
        },
        gettext_lazy("Semester"),
    ),
    _Staged(LegacyCohort, "cohort", {"name": "name"}, gettext_lazy("Cohort")),
    _Staged(
        LegacyLesson,
        "lesson",
        {
            "title": "session.title", "description": "session.description",
            "capacity": "capacity", "location": "location", "meeting_link": "meeting_link",
            "credit_cost": "credit_cost", "target_specialization": "target_specialization",
        },
        gettext_lazy("Lesson"),
    ),
    _Staged(
        LegacyBooking,
        "booking",
        {"status": "status", "waitlist_position": "waitlist_position"},
        gettext_lazy("Booking"),
    ),
    _Staged(LegacyAttendance, "attendance", {"status": "status"}, gettext_lazy("Attendance")),
    _Staged(
        LegacyFeedback,
        "feedback",
        {"rating": "rating", "comment": "comment"},
        gettext_lazy("Feedback"),
    ),
    _Staged(
        LegacyLessonProject,
        "lesson_project",
        {"is_required": "is_required"},
        gettext_lazy("Project of a lesson"),
    ),
)  # fmt: skip


@compares("upgrade_lessons")
def compare_academy_row(step: int, key: str) -> Comparison | None:
    """By the legacy id: the columns of the row, and what stands where they went."""
    if step >= len(_STAGED):
        return None
    staged = _STAGED[step]
    row: Any = staged.model._default_manager.filter(key=key).first()
    if row is None:
        return None
    # the link may outlive its target
    target = staged.model._meta.get_field(staged.link).related_model
    became = target._default_manager.filter(pk=getattr(row, f"{staged.link}_id")).first()  # type: ignore[union-attr]
    fields = []
    document = row.document if isinstance(row.document, dict) else {}
    for column in dict.fromkeys((*staged.columns, *document)):
        path = staged.columns.get(column)
        new = _at(became, path) if path and became is not None else None
        fields.append(FieldPair(column, document.get(column), new, compared=path is not None))
    return Comparison(f"{staged.title} {key}", [row], [became] if became else [], fields)


# ------------------------------------------------------------------------ where things came from


@comes_from(Session)
def origin_of_session(session: Session) -> Origin | None:
    """By the kind of the session; None where no old row tells of it."""
    key = session.session_id
    if session.kind == SessionKind.AGENT:
        return "assign_orphan_sessions", 0, key
    if session.kind == SessionKind.COLLABORATION:
        known = LegacyCollaborationRow.objects.filter(session_key=key).exists()
        return ("normalize_collaboration_sessions", 0, key) if known else None
    if session.kind == SessionKind.CONTEST:
        rows = LegacyContestSession.objects.filter(session=session)
        row = rows.values_list("key", flat=True).first()
        return None if row is None else ("enrich_contest_sessions", 0, row)
    lesson = getattr(session, "lesson", None)
    return None if lesson is None else origin_in_academy(lesson)


@comes_from(ContestResult)
def origin_of_result(result: ContestResult) -> Origin | None:
    return origin_of_session(result.session)


@comes_from(Semester, Cohort, Lesson, Booking, Attendance, Feedback, LessonProject)
def origin_in_academy(obj: Any) -> Origin | None:
    """The row that links to the object."""
    for step, staged in enumerate(_STAGED):
        if isinstance(obj, staged.model._meta.get_field(staged.link).related_model):  # type: ignore[arg-type]
            rows = staged.model._default_manager.filter(**{f"{staged.link}_id": obj.pk})
            key = rows.values_list("key", flat=True).first()
            return None if key is None else ("upgrade_lessons", step, key)
    return None


def _at(obj: Any, path: str) -> Any:
    for name in path.split("."):
        obj = getattr(obj, name)
    return obj
