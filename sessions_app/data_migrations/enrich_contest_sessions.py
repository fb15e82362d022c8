"""``enrich_contest_sessions``: every document of the contest trainer becomes a session with its
attempts completed from the problem bank, and its analytics (contests.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    Conflict,
    DataMigration,
    Insert,
    Outcome,
    Reject,
    RowSource,
    Step,
    Unchanged,
    Update,
    build,
    option,
    register,
)
from sessions_app.contests.building import attempt_values, result_values, session_title
from sessions_app.contests.problems import complete
from sessions_app.contests.reading import LONGEST_NAME, ContestDocument, Unreadable
from sessions_app.data_migrations.contest_checks import CHECKS
from sessions_app.data_migrations.contest_context import (
    ContestContext,
    Person,
    context_of,
    public_ref,
    shared_id,
)
from sessions_app.data_migrations.contest_growth import GrowthDigest
from sessions_app.data_migrations.contest_merge import merge
from sessions_app.legacy_imports.contests import CONTEST_USERS
from sessions_app.models import (
    ContestResult,
    LegacyContestSession,
    LegacyIdentity,
    Problem,
    ProblemAttempt,
    Session,
    SessionKind,
)

#: Columns of a staged document that the migration looks at.
COLUMNS: Final = [
    "key", "document", "username", "session_ref", "session_id", "staged_at",
]  # fmt: skip


@dataclass(frozen=True)
class EnrichOptions:
    keep_mode: bool = option(False, "Keep the mode “contest”, which otherwise is “competition”.")
    user: str = option("", "Only the documents of the user of this name.")


def _documents(staged: QuerySet[LegacyContestSession]) -> RowSource:
    """Documents that are new, changed, or that bank or users can complete further by now."""
    selected = staged.annotate(growth=GrowthDigest())
    return RowSource(selected, key="key", fields=COLUMNS, digest="growth")


class EnrichStep(Step):
    """Each document becomes a session, its result and its attempts."""

    source = _documents(LegacyContestSession.objects.all())
    writes = [Session, ContestResult, ProblemAttempt, LegacyContestSession]

    def __init__(self, options: EnrichOptions) -> None:
        super().__init__(options)
        if options.user:
            self.source = _documents(LegacyContestSession.objects.filter(username=options.user))

    def load(self, rows: Sequence[Any]) -> ContestContext:
        return context_of(rows)

    def transform(self, row: Any, context: ContestContext) -> Outcome:
        document = context.documents[row.pk]
        if isinstance(document, Unreadable):
            raise Reject(document.code, document.detail)
        complete(document, context.bank)
        carried = context.carried.get(row.pk)
        if carried is None:
            public_id = _public_id(row, document, context)
            if isinstance(public_id, Conflict):
                return public_id
        else:
            public_id = carried.session.session_id
        session, result, attempts = self.objects(row, document, context, public_id)
        warnings = document.notes.warnings()
        if carried is None:
            changes = [Insert(each) for each in (session, result, *attempts)]
            return Apply([*changes, Update(row, session=session)], warnings)
        merged = merge(carried, session, result, attempts)
        if isinstance(merged, Conflict):
            return merged
        return Apply(merged, warnings) if merged else Unchanged()

    def objects(
        self, row: Any, document: ContestDocument, context: ContestContext, public_id: str
    ) -> tuple[Session, ContestResult, list[ProblemAttempt]]:
        """What the document becomes, unsaved."""
        made = _created_at(row, document)
        carried = context.carried.get(row.pk)
        created_at = carried.session.created_at if carried else made  # kept when merged again
        person = _person(document, context)
        account = person.account if person else None
        ended_at = document.completed_at
        session = build(
            Session,
            session_id=public_id,
            kind=SessionKind.CONTEST.value,
            title=session_title(document),
            status=document.status.value,
            user_id=account,
            created_at=created_at,
            updated_at=ended_at or created_at,
            started_at=created_at,
            ended_at=ended_at,
            last_activity_at=ended_at or created_at,
        )
        result = build(
            ContestResult,
            session=session,
            user_id=account,
            user_ref=document.user_ref or (person.legacy_id if person else ""),
            **result_values(document, keep_mode=self.options.keep_mode),
        )
        attempts = [
            build(ProblemAttempt, result=result, **attempt_values(each))
            for each in document.attempts
        ]
        return session, result, attempts


def _public_id(row: Any, document: ContestDocument, context: ContestContext) -> str | Conflict:
    """The public id that the document's session is given: its own, where that is free."""
    own = public_ref(row)
    if row.pk in context.repeated:
        return Conflict(
            "duplicate_session",
            gettext_noop(
                "An earlier document of %(username)s has the session id %(own)s too. "
                "Give one of them another id in the file, or waive this one."
            )
            % {"username": document.username, "own": own},
        )
    holder = context.taken.get(own)
    first = context.first_users.get(row.pk, document.username)
    others = holder is not None and holder.username not in (None, document.username)
    if first == document.username and not others:
        if holder is not None:
            return _taken(own)
        return own
    wanted = shared_id(own, document.username)
    if len(wanted) > LONGEST_NAME:
        raise Reject(
            "invalid_document",
            gettext_noop(
                "The session id “%(own)s” belongs to another user, and with the name of "
                "this one it is longer than %(longest_name)s characters."
            )
            % {"own": own, "longest_name": LONGEST_NAME},
        )
    document.notes.add("session_id_shared", f"{own} becomes {wanted}")
    return _taken(wanted) if wanted in context.taken else wanted


def _taken(public_id: str) -> Conflict:
    return Conflict(
        "session_id_taken",
        gettext_noop(
            "There is a session %(public_id)s already, which this document did not become."
        )
        % {"public_id": public_id},
    )


def _created_at(row: Any, document: ContestDocument) -> datetime:
    """When the session was made; else the earliest time that the document tells."""
    if document.created_at is not None:
        return document.created_at
    times = [attempt.attempted_at for attempt in document.attempts]
    told = min((time for time in (*times, document.completed_at) if time), default=None)
    taken = "the earliest time in it is taken" if told else "the time of its import is taken"
    document.notes.add("missing_created_at", taken)
    made: datetime = told or row.staged_at
    return made


def _person(document: ContestDocument, context: ContestContext) -> Person | None:
    """Who the document's user is: by the id that it gives, else by name."""
    by_id = context.by_legacy_id.get(document.user_ref) if document.user_ref else None
    return by_id or context.by_username.get(document.username)


@register
class EnrichContestSessions(DataMigration):
    """Every document of the contest trainer becomes a session of the same shape, its attempts
    completed from the problem bank, with its analytics.
    """

    version = 1
    options = EnrichOptions
    steps = [EnrichStep]
    checks = CHECKS
    cutover_key = "contest_sessions"

    @classmethod
    def recommendations(cls, summary: dict[str, Any]) -> list[str]:
        """What should be imported before the documents are carried over."""
        advice = []
        if not Problem.objects.exists():
            advice.append(
                gettext_noop("Import the problems first: attempts are completed from them.")
            )
        if not LegacyIdentity.objects.filter(kind=CONTEST_USERS).exists():
            advice.append(
                gettext_noop("Import the users first: sessions without an id are given theirs.")
            )
        return advice

    @classmethod
    def health(cls) -> dict[str, Any]:
        """What waits for a run, and what the bank does not know."""
        documents = LegacyContestSession.objects
        return {
            "documents": documents.count(),
            "not_carried": documents.filter(session=None).count(),
            "without_account": ContestResult.objects.filter(user=None).count(),
            "unresolved_attempts": ProblemAttempt.objects.filter(
                Q(correct_answer=None) | Q(difficulty=None) | Q(topics=None), problem=None
            ).count(),
        }
