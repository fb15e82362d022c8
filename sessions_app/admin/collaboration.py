"""Collaboration sessions: who is in them, what was done, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.admin.lists import EmptyState, WithList
from migrations_tools.cutover.stages import STAGE_SENTENCES, Side
from migrations_tools.selectors.cutover import cutover_status
from sessions_app.admin.collaboration_operations import OPERATIONS
from sessions_app.admin.forms import CollaborationWordsForm
from sessions_app.admin.operations import Button, WithOperations
from sessions_app.admin.sessions import FileInline, SessionAdmin, StatusFilter
from sessions_app.collaboration.state import Collaboration, Member
from sessions_app.cutovers import COLLABORATION
from sessions_app.models import (
    CollaborationSession,
    ParticipantRole,
    ParticipantStatus,
    Session,
    SessionParticipant,
    SessionStatus,
)
from sessions_app.services.collaboration import leading_session, leading_side

MOST_CHANGES: Final = 50  # of a session and its people that are listed

_FIRST: Final = {ParticipantStatus.ACTIVE: 0, ParticipantStatus.INVITED: 1}
_TOLD: Final = ("title", "description", "status", "role")


@dataclass(frozen=True)
class ParticipantRow:
    member: Member
    buttons: list[Button]


@dataclass(frozen=True)
class ChangeRow:
    """A change of a session or of somebody in it; ``differences`` are (field, before, after)."""

    at: datetime
    who: str
    reason: str
    subject: str
    differences: list[tuple[str, str, str]]


@admin.register(CollaborationSession)
class CollaborationSessionAdmin(WithList, WithOperations, SessionAdmin):
    """The words of a session are changed by the form, its people and status by operations; both
    in the owner's name, whichever system leads.
    """

    form = CollaborationWordsForm
    change_form_template = "sessions_app/admin/collaboration.html"
    empty_state = EmptyState(
        title=gettext_lazy("No collaboration session is here yet"),
        text=gettext_lazy(
            "Import the rows of the old platform and run their migration; sessions that people "
            "make are listed here as well."
        ),
        link=gettext_lazy("Import a file"),
    )
    list_display = ["session_id", "title", "status", "people", "last_activity_at", "created_at"]
    list_filter = [StatusFilter, "participants__role", "last_activity_at", "created_at"]
    search_fields = [*SessionAdmin.search_fields, "participants__email"]
    inlines = [FileInline]
    operations = OPERATIONS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        people = (
            SessionParticipant.objects.belonging()
            .filter(session=OuterRef("pk"))
            .order_by()
            .values("session")
            .annotate(number=Count("pk"))
        )
        sessions: QuerySet[Session] = super().get_queryset(request)
        return sessions.annotate(people_count=Coalesce(Subquery(people.values("number")), 0))

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Addresses are found by those who may see them."""
        fields = [str(name) for name in super().get_search_fields(request)]
        return fields if _may_see_people(request) else list(SessionAdmin.search_fields)

    @admin.display(description=gettext_lazy("people"), ordering="people_count")
    def people(self, session: Session) -> int:
        return session.people_count  # type: ignore[attr-defined, no-any-return]  # annotated

    def sections(self, request: HttpRequest, obj: Session) -> dict[str, Any]:
        leading = leading_session(obj.session_id)
        cutover = cutover_status(COLLABORATION.key)
        may_see = _may_see_people(request)
        return {
            "leads_old": leading_side() is Side.LEGACY,
            "stage_sentence": _(STAGE_SENTENCES[cutover["stage"]]),
            "known_to_leading": leading is not None,
            "may_see_people": may_see,
            "participants": self._participants(request, obj, leading) if may_see else [],
            "changes": list(changes_of(obj, with_people=may_see)),
        }

    def _participants(
        self, request: HttpRequest, obj: Session, leading: Collaboration | None
    ) -> list[ParticipantRow]:
        """As the leading system has them: those who are there, the invited, then the others."""
        if leading is None:
            return []
        may = self.may_operate(request, obj) and leading.status == SessionStatus.ACTIVE
        members = sorted(
            leading.members.values(),
            key=lambda each: (
                each.role != ParticipantRole.OWNER,
                _FIRST.get(each.status, len(_FIRST)),
                each.email,
            ),
        )
        return [
            ParticipantRow(member, self._buttons_of(obj, member) if may else [])
            for member in members
        ]

    def _buttons_of(self, obj: Session, member: Member) -> list[Button]:
        """Those that the rules may allow; the owner stays until the ownership is transferred."""
        if member.role == ParticipantRole.OWNER or not member.belongs:
            return []
        names = ["role", "transfer", "remove"]
        if member.status != ParticipantStatus.ACTIVE:
            names.remove("transfer")
        chosen = {"email": member.email}
        return [
            Button(
                operation.label,
                f"{self.address_of(obj, operation.name)}?"
                + urlencode(chosen | ({"role": member.role} if operation.name == "role" else {})),
                operation.dangerous,
            )
            for operation in self.operations
            if operation.name in names
        ]


def _may_see_people(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("sessions_app.view_sessionparticipant"))


def changes_of(session: Session, *, with_people: bool = True) -> Iterator[ChangeRow]:
    """The newest changes of a session and its people, with what differs; two queries."""
    own = session.history.select_related("history_user")[: MOST_CHANGES + 1]
    people = (
        SessionParticipant.history.filter(session_id=session.pk)
        .select_related("history_user")
        .order_by("-history_date", "-history_id")[: MOST_CHANGES * 2]
    )
    newest_first = sorted(
        [*own, *(people if with_people else ())], key=lambda row: row.history_date, reverse=True
    )
    for place, row in enumerate(newest_first[:MOST_CHANGES]):
        before = next(
            (
                older
                for older in newest_first[place + 1 :]
                if type(older) is type(row) and older.id == row.id
            ),
            None,
        )
        yield ChangeRow(
            at=row.history_date,
            who=str(row.history_user or _("the system")),
            reason=row.history_change_reason or row.get_history_type_display(),
            subject=getattr(row, "email", "") or _("the session"),
            differences=[] if before is None else list(_differences(before, row)),
        )


def _differences(before: Any, after: Any) -> Iterator[tuple[str, str, str]]:
    for name in _TOLD:
        old, new = getattr(before, name, None), getattr(after, name, None)
        if old != new:
            label = after._meta.get_field(name).verbose_name
            shown = f"get_{name}_display"
            if hasattr(after, shown):
                old, new = getattr(before, shown)(), getattr(after, shown)()
            yield str(label), str(old or "–"), str(new or "–")
