"""The data migration ``assign_orphan_sessions`` (agents.md)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, OuterRef, Subquery, TextField
from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    DataMigration,
    Decision,
    Outcome,
    Reject,
    Review,
    RowSource,
    Skip,
    Step,
    Update,
    Warning_,
    option,
    register,
)
from migrations_tools.definitions.changes import Change
from migrations_tools.models import ReviewItem
from migrations_tools.states import ReviewDecision
from sessions_app.data_migrations.orphan_checks import CHECKS
from sessions_app.data_migrations.orphan_decision import (
    Counts,
    DecisionType,
    OrphanDecision,
    Projects,
    decide,
    evidence_of,
    project_uuid,
)
from sessions_app.data_migrations.orphan_health import health_of
from sessions_app.data_migrations.orphan_risks import recommendations_of, risks_of
from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Project, Session
from sessions_app.models.project import INACTIVE_STATUSES

PROJECT_NOT_FOUND = "PROJECT_NOT_FOUND"
PROJECT_INACTIVE = "PROJECT_INACTIVE"
CONCURRENT_SWITCH_IN_PROGRESS = "CONCURRENT_SWITCH_IN_PROGRESS"
STATE_INCONSISTENCY = "STATE_INCONSISTENCY"


@dataclass(frozen=True)
class AssignOptions:
    min_evidence: int = option(
        1, "A decision on fewer events than these is tentative at most.", min_value=0
    )
    skip_low_confidence: bool = option(False, "Leave tentative decisions unwritten.")


@dataclass(frozen=True)
class ProjectChoice:
    project: str = option("", "The id of the project that the session belongs to.")


class Evidence(Subquery):
    """The evidence of a session as text: a line for each project that events name, in bytewise
    order, with the number of events. Read from the index ``event_evidence`` alone.
    """

    template = (
        "coalesce((SELECT string_agg(translate(e.project, E'\\n', ' ') || ' ' || e.events, E'\\n' "
        "ORDER BY e.project) FROM (%(subquery)s) e), '')"
    )
    output_field = TextField()

    def __init__(self) -> None:
        events = ActivityEvent.objects.evidence().filter(session_ref=OuterRef("session_id"))
        counted = events.order_by("project").values("project").annotate(events=Count("*"))
        super().__init__(counted)


@dataclass(frozen=True, slots=True)
class Known:
    """What a batch knows: ids by how they are written, the projects that evidence or persons name
    and that are there, and the inactive ones of them. Equal evidence, which many sessions have,
    is weighed once: ``weighed``.
    """

    spellings: Projects
    projects: Mapping[str, Project]
    inactive: Collection[str]
    weighed: dict[str, tuple[Counts, OrphanDecision]] = field(default_factory=dict)


class AssignStep(Step):
    """Each orphan goes to the project its events name, to a person, or to the sentinel."""

    source = RowSource(
        Session.objects.orphans().annotate(evidence=Evidence()),
        key="session_id",
        fields=["session_id", "project_id", "title"],
        digest="evidence",
        hashed=True,
        remembers=False,
    )
    writes = [Session]
    choices = ProjectChoice
    held_code = CONCURRENT_SWITCH_IN_PROGRESS

    def load(self, rows: Sequence[Any]) -> Known:
        """The projects that the evidence names: one query."""
        return _known(rows, set())

    def load_decided(self, rows: Sequence[Any], decisions: Sequence[Decision]) -> Known:
        """Also the projects that persons chose: one query."""
        chosen = {decision.choice.get("project", "") for decision in decisions}
        return _known(rows, chosen)

    def transform(self, row: Any, context: Known) -> Outcome:
        counts, decision = context.weighed.get(row.evidence) or self._weigh(row.evidence, context)
        kind, confidence, warnings = decision.verdict
        told: dict[str, Any] = {
            "category": kind.value,
            "confidence": confidence,
            "warnings": warnings,
        }
        if kind is DecisionType.UNASSIGNED:
            return Apply([Update(row, project=UNASSIGNED_ID)], **told)
        if kind is DecisionType.MANUAL_REVIEW:
            return _review(row, counts, decision, context, told)
        if kind is DecisionType.TENTATIVE and self.options.skip_low_confidence:
            detail = gettext_noop("%(named)s of %(total)s events name project %(top)s.") % {
                "named": decision.named,
                "total": decision.total,
                "top": decision.top,
            }
            return Skip("low_confidence", detail, **told)
        return _assign(row, str(decision.top), context, told)

    def _weigh(self, evidence: str, context: Known) -> tuple[Counts, OrphanDecision]:
        counts = evidence_of(evidence, context.spellings)
        least = self.options.min_evidence
        decision = decide(counts, inactive=context.inactive, min_evidence=least)
        return context.weighed.setdefault(evidence, (counts, decision))

    def decided(self, row: Any, context: Known, decision: Decision) -> Outcome:
        """What a person decided: the proposal, another project, or the sentinel."""
        told: dict[str, Any] = {
            "category": DecisionType.MANUAL_REVIEW.value,
            "confidence": None,
            "warnings": [],
        }
        match decision.kind:
            case ReviewDecision.PARKED:
                return Apply([Update(row, project=UNASSIGNED_ID)], **told)
            case ReviewDecision.CHOSEN:
                chosen = str(project_uuid(decision.choice["project"]))
                return _assign(row, chosen, context, told)
        return _assign(row, str(decision.proposal["project"]), context, told)

    def confirm(self, changes: Sequence[Change]) -> None:
        """The stored project is the decided one, whatever triggers did meanwhile."""
        decided = {
            change.pk: change.values["project"] for change in changes if isinstance(change, Update)
        }
        stored = Session.objects.filter(pk__in=decided).values_list("pk", "session_id", "project")
        for pk, session_id, project in stored:
            if project != decided[pk]:
                raise Reject(
                    STATE_INCONSISTENCY,
                    gettext_noop(
                        "Session %(session_id)s was to get project %(decided)s and has %(project)s."
                    )
                    % {"session_id": session_id, "decided": decided[pk], "project": project},
                )

    @classmethod
    def check_choice(cls, choice: ProjectChoice, items: Sequence[ReviewItem]) -> None:
        """A real project that exists. One that takes no new sessions may be chosen too."""
        pk = project_uuid(choice.project)
        if pk is None or not Project.objects.real().filter(pk=pk).exists():
            raise Reject(
                PROJECT_NOT_FOUND,
                gettext_noop("There is no project “%(project)s”.") % {"project": choice.project},
            )


def _known(rows: Sequence[Any], chosen: Collection[str]) -> Known:
    spellings = Projects()
    named = {
        spellings[line.rpartition(" ")[0]]
        for text in {row.evidence for row in rows}
        for line in text.split("\n")
    }
    pks = [pk for pk in map(project_uuid, named.union(chosen)) if pk is not None]
    projects = {str(found.pk): found for found in Project.objects.real().filter(pk__in=pks)}
    inactive = {pk for pk, found in projects.items() if found.status in INACTIVE_STATUSES}
    return Known(spellings, projects, inactive)


def _assign(row: Any, target: str, context: Known, told: dict[str, Any]) -> Outcome:
    """Assign, after the checks before the write (agents.md "Run")."""
    project = context.projects.get(target)
    if project is None:
        raise Reject(
            PROJECT_NOT_FOUND,
            gettext_noop("There is no project %(target)s.") % {"target": target},
            **told,
        )
    if project.status in INACTIVE_STATUSES:
        detail = gettext_noop("Project “%(name)s” is %(status)s.") % {
            "name": project.name,
            "status": project.status,
        }
        told = {**told, "warnings": [*told["warnings"], Warning_(PROJECT_INACTIVE, detail)]}
    return Apply([Update(row, project=project.pk)], **told)


def _review(
    row: Any,
    counts: Mapping[str, int],
    decision: OrphanDecision,
    context: Known,
    told: dict[str, Any],
) -> Review:
    """Everything that a person needs to decide: the candidates, the most named one first."""
    ordered = sorted(counts, key=lambda project: (-counts[project], project))
    candidates = [
        {
            "project": project,
            "name": found.name if (found := context.projects.get(project)) else None,
            "status": found.status if found else None,
            "events": counts[project],
        }
        for project in ordered
    ]
    proposal = {"project": candidates[0]["project"], "name": candidates[0]["name"]}
    evidence = {"title": row.title, "events": decision.total, "projects": candidates}
    return Review(proposal, evidence=evidence, **told)


@register
class AssignOrphanSessions(DataMigration):
    """Agent sessions without a project get the one that their events name.

    Evidence that is not clear enough goes to a person; without any the session is parked.
    """

    version = 1
    options = AssignOptions
    steps = [AssignStep]
    checks = CHECKS

    @classmethod
    def risks(cls, summary: dict[str, Any]) -> list[str]:
        return risks_of(summary)

    @classmethod
    def recommendations(cls, summary: dict[str, Any]) -> list[str]:
        return recommendations_of(summary)

    @classmethod
    def health(cls) -> dict[str, Any]:
        return health_of(cls.name)
