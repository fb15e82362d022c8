"""Agent sessions: orphans, switches, evidence; and what people do with a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.admin.addresses import admin_address
from migrations_tools.admin.lists import EmptyState, WithList
from migrations_tools.dashboard import Card, Figure, Item
from migrations_tools.definitions.registry import get_definition
from migrations_tools.states import Surface
from sessions_app.admin.forms import AgentWordsForm
from sessions_app.admin.operations import Deed, Operation, OperationForm, ReasonForm, WithOperations
from sessions_app.admin.sessions import SessionAdmin, StatusFilter, SwitchInline
from sessions_app.models import (
    UNASSIGNED_ID,
    AgentSession,
    Project,
    Session,
    SessionStatus,
)
from sessions_app.selectors.agent_sessions import (
    DEFINITION,
    events_of,
    evidence_of,
    project_names,
    waiting_review,
)
from sessions_app.services import agent_sessions

MOST_EVENTS: Final = 25  # of a session that its page shows
MOST_EVIDENCE: Final = 20  # projects that its page names


class SwitchForm(ReasonForm):
    field_order = ["project", "reason"]

    project = forms.ModelChoiceField(
        label=gettext_lazy("Project"), queryset=Project.objects.selectable()
    )


class AssignForm(ReasonForm):
    field_order = ["name", "reason"]

    name = forms.CharField(
        label=gettext_lazy("Project"),
        max_length=255,
        help_text=gettext_lazy("Its name, or a part that no other project's name has."),
    )


class EndForm(ReasonForm):
    field_order = ["to_status", "reason"]

    to_status = forms.TypedChoiceField(
        label=gettext_lazy("It is"),
        choices=[
            (status.value, status.label)
            for status in (SessionStatus.COMPLETED, SessionStatus.ABANDONED)
        ],
        coerce=SessionStatus,
        initial=SessionStatus.COMPLETED,
    )


def _switch(deed: Deed) -> str:
    agent_sessions.switch_project(deed.obj, **_given(deed))
    return _("The session belongs to “%(project)s” now.") % {"project": deed.obj.project}


def _assign(deed: Deed) -> str:
    agent_sessions.assign_by_name(deed.obj, **_given(deed))
    return _("The session belongs to “%(project)s” now.") % {"project": deed.obj.project}


def _end(deed: Deed) -> str:
    ended = agent_sessions.end_session(deed.obj, **_given(deed))
    return _("The session is %(status)s.") % {"status": ended.get_status_display()}


def _recover(deed: Deed) -> str:
    agent_sessions.recover_session(only=deed.obj, acting_user=deed.user, surface=Surface.ADMIN)
    return _("The session is active again.")


def _given(deed: Deed) -> dict[str, Any]:
    return {**deed.values, "acting_user": deed.user, "surface": Surface.ADMIN}


def _is_open(deed: Deed) -> bool:
    return bool(deed.obj.status == SessionStatus.ACTIVE and deed.obj.ended_at is None)


def _may_be_assigned(deed: Deed) -> bool:
    """Orphans and parked ones get their project even after their end."""
    return deed.obj.project_id in (None, UNASSIGNED_ID) or _is_open(deed)


def _may_be_recovered(deed: Deed) -> bool:
    return bool(deed.obj.user_id == deed.user.pk and deed.obj.status == SessionStatus.INACTIVE)


OPERATIONS: Final = (
    Operation(
        name="assign",
        label=gettext_lazy("Assign by name"),
        form=AssignForm,
        offered=_may_be_assigned,
        sentence=lambda deed: _(
            "The session goes to the project of this name. If several fit, nothing is done and "
            "they are listed."
        ),
        carry_out=_assign,
    ),
    Operation(
        name="switch",
        label=gettext_lazy("Switch project"),
        form=SwitchForm,
        offered=_is_open,
        sentence=lambda deed: _(
            "The session, which goes on, belongs to another project from now on. Its events stay "
            "as they are."
        ),
        carry_out=_switch,
    ),
    Operation(
        name="end",
        label=gettext_lazy("End"),
        form=EndForm,
        offered=_is_open,
        dangerous=True,
        sentence=lambda deed: _("The session ends now. It cannot be taken up again."),
        carry_out=_end,
    ),
    Operation(
        name="recover",
        label=gettext_lazy("Recover"),
        form=OperationForm,
        offered=_may_be_recovered,
        sentence=lambda deed: _("Your newest session, which timed out, goes on."),
        carry_out=_recover,
    ),
)


class ProjectFilter(admin.SimpleListFilter):
    """Orphans, parked ones, and those that belong somewhere."""

    title = gettext_lazy("project")
    parameter_name = "belongs"

    _KEPT: Final[dict[str, Callable[[Any], Any]]] = {
        "orphan": lambda sessions: sessions.filter(project__isnull=True),
        "parked": lambda sessions: sessions.filter(project=UNASSIGNED_ID),
        "assigned": lambda sessions: sessions.exclude(project__isnull=True).exclude(
            project=UNASSIGNED_ID
        ),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("orphan", _("none: orphans")),
            ("parked", _("parked as unassigned")),
            ("assigned", _("belongs to a project")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        kept = self._KEPT.get(self.value() or "")
        found: QuerySet[Session] = queryset if kept is None else kept(queryset)
        return found


@admin.register(AgentSession)
class AgentSessionAdmin(WithList, WithOperations, SessionAdmin):
    form = AgentWordsForm
    change_form_template = "sessions_app/admin/agent.html"
    tools = [(gettext_lazy("Health and alerts"), "sessions_app_agentsession_health")]
    empty_state = EmptyState(
        title=gettext_lazy("No agent session is here yet"),
        text=gettext_lazy(
            "Import projects, sessions and events of the agents' system; then plan the migration "
            "that gives orphans their projects."
        ),
        link=gettext_lazy("Import a file"),
    )
    list_display = ["session_id", "title", "status", "project", "user", "last_activity_at"]
    list_filter = [StatusFilter, ProjectFilter, "last_activity_at"]
    list_select_related = ["project", "user"]
    search_fields = [*SessionAdmin.search_fields, "project__name", "user__username"]
    fields = [*SessionAdmin.fields, ("project", "user")]
    readonly_fields = [*SessionAdmin.readonly_fields, "project", "user"]
    inlines = [SwitchInline]
    operations = OPERATIONS

    def sections(self, request: HttpRequest, obj: Session) -> dict[str, Any]:
        events = list(events_of(obj)[:MOST_EVENTS])
        names = project_names({event.project for event in events if event.project})
        review = waiting_review(obj)
        return {
            "is_orphan": obj.project_id is None,
            "evidence": evidence_of(obj)[:MOST_EVIDENCE],
            "events": [(event, names.get(event.project or "", event.project)) for event in events],
            "all_events": admin_address("sessions_app_activityevent_changelist", q=obj.session_id),
            "review": review,
            "review_address": ""
            if review is None
            else admin_address("migrations_tools_reviewitem_change", review.pk),
        }

    def get_urls(self) -> list[URLPattern]:
        address = path(
            "health/",
            self.admin_site.admin_view(self.health_view),
            name="sessions_app_agentsession_health",
        )
        return [address, *super().get_urls()]

    def health_view(self, request: HttpRequest) -> HttpResponse:
        """Figures of orphans and their migration, as ``datamigrate health`` tells them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Health of agent sessions"),
            "card": _health_card(get_definition(DEFINITION).health()),
            "list_address": _list_address(),
        }
        return TemplateResponse(request, "sessions_app/admin/agent_health.html", context)


def _list_address() -> str:
    return reverse("admin:sessions_app_agentsession_changelist")


def _health_card(told: Mapping[str, Any]) -> Card:
    """``told`` is what ``datamigrate health`` says of the migration."""
    reviews = admin_address("migrations_tools_reviewitem_changelist")
    damaged, broken = len(told["damaged_backups"]), told["broken_foreign_keys"]
    return Card(
        title=_("Where sessions belong"),
        figures=[
            Figure(told["orphans"], _("orphans"), f"{_list_address()}?belongs=orphan", "warn"),
            Figure(told["parked"], _("parked as unassigned"), f"{_list_address()}?belongs=parked"),
            Figure(told["orphans_awaiting_review"], _("wait for a decision"), reviews, "warn"),
            Figure(damaged, _("damaged backups"), tone="bad"),
            Figure(broken, _("in projects that do not exist"), tone="bad"),
        ],
        items=[
            Item(alert["message"], state="warn", state_label=_("alert")) for alert in told["alerts"]
        ],
        tone="warn" if told["alerts"] else "bad" if damaged or broken else "good",
    )
