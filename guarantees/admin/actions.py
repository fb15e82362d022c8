"""Actions and their daily sessions. Drafts can be edited; issued ones can only be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guarantees.admin import acting, letter_pages, session_pages
from guarantees.admin.empty_states import NO_ACTION
from guarantees.admin.filters import AnyDigitsSearch, LetterFilter
from guarantees.admin.forms import DraftForm
from guarantees.admin.overview import what
from guarantees.admin.pages import address, told_differences
from guarantees.letters import has_letter, with_letters
from guarantees.models import ActionSession, GuaranteeAction
from guarantees.services.actions import discard_draft
from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin, NoBulkDelete, ReadOnly
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.lists import WithList

#: Letters that an address can name; a session's own page has all of it.
_MOST_NAMED = 150


@admin.register(ActionSession)
class ActionSessionAdmin(WithList, ExportMixin, ReadOnly, HistoryAdmin):
    """A day's work. Its page locks it, for good, and prints its letters."""

    change_form_template = "admin/guarantees/actionsession/change_form.html"
    empty_state = NO_ACTION
    list_display = ["day", "total_actions", "issued_actions", "is_locked"]
    list_filter = ["is_locked"]
    date_hierarchy = "day"
    fields = [("day", "is_locked"), ("total_actions", "issued_actions"), "created_at"]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/lock/", wrap(session_pages.lock), name="guarantees_actionsession_lock"),
            path(
                "<int:pk>/letters/",
                wrap(letter_pages.session_letters),
                name="guarantees_actionsession_letters",
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context.update(session_pages.overview(request, context["original"]))
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(GuaranteeAction)
class GuaranteeActionAdmin(
    WithList, AskingAdmin, ExportMixin, AnyDigitsSearch, NoBulkDelete, HistoryAdmin
):
    """Drafts are changed and discarded by the services, as on every surface."""

    form = DraftForm
    change_form_template = "admin/guarantees/guaranteeaction/change_form.html"
    empty_state = NO_ACTION
    actions = ["print_letters", "export_csv", "export_xlsx"]
    list_display = [
        "number",
        "action_type",
        "action_date",
        "new_expiry",
        "new_amount",
        "supplier_display_name",
        "bank_display_name",
        "status",
        "issued_at",
    ]
    list_filter = ["action_type", "status", LetterFilter, "action_date"]
    list_select_related = ["guarantee"]
    date_hierarchy = "action_date"
    search_fields = ["number", "notes", "supplier_name", "bank_name", "supplier_display_name"]
    fields = [
        ("number", "guarantee"),
        ("action_type", "action_date", "session"),
        ("previous_expiry", "new_expiry"),
        ("previous_amount", "new_amount"),
        "notes",
        "reason",
        ("supplier_name", "supplier_display_name"),
        ("bank_name", "bank_display_name"),
        ("status", "is_locked", "issued_at"),
        ("created_by", "created_at"),
    ]
    readonly_fields = [
        "number",
        "guarantee",
        "action_type",
        "action_date",
        "session",
        "previous_expiry",
        "previous_amount",
        "supplier_name",
        "supplier_display_name",
        "bank_name",
        "bank_display_name",
        "status",
        "is_locked",
        "issued_at",
        "created_by",
        "created_at",
    ]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("letters/", wrap(letter_pages.letters), name="guarantees_guaranteeaction_letters"),
            path("<int:pk>/issue/", wrap(acting.issue), name="guarantees_guaranteeaction_issue"),
            *super().get_urls(),
        ]

    @admin.action(description=gettext_lazy("Print letters"), permissions=["view"])
    def print_letters(
        self, request: HttpRequest, queryset: QuerySet[GuaranteeAction]
    ) -> HttpResponse | None:
        """Letters of the selected actions that have one, the oldest first."""
        found = with_letters(queryset).order_by("issued_at", "pk")
        pks = list(found.values_list("pk", flat=True)[: _MOST_NAMED + 1])
        if not pks:
            told = _("None of these has a letter: letters are for issued extensions and releases.")
            self.message_user(request, told, messages.WARNING)
            return None
        if len(pks) > _MOST_NAMED:
            told = _("Select at most %(most)d, or print a day's letters from its action session.")
            self.message_user(request, told % {"most": _MOST_NAMED}, messages.WARNING)
            return None
        query = urlencode({"action": pks}, doseq=True)
        return HttpResponseRedirect(f"{address('guaranteeaction_letters')}?{query}")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: GuaranteeAction | None = None
    ) -> bool:
        return super().has_change_permission(request, obj) and not (obj and _why_closed(obj))

    def has_delete_permission(
        self, request: HttpRequest, obj: GuaranteeAction | None = None
    ) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and _why_closed(obj))

    def remove(self, obj: GuaranteeAction, **by: Any) -> None:
        """Only drafts come here; the day's session counts them no longer."""
        discard_draft(obj.pk, **by)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        action: GuaranteeAction = context["original"]
        why_closed = _why_closed(action)
        [differences] = told_differences([action.changes])
        context.update(
            what=what(action, action.guarantee.currency if action.guarantee else ""),
            differences=differences,
            has_letter=has_letter(action),
            why_read_only=why_closed,
            may_issue=not why_closed and self.has_change_permission(request, action),
        )
        return super().render_change_form(request, context, *args, **kwargs)


def _why_closed(action: GuaranteeAction) -> str:
    """Why an action can only be read: issued, or a draft of a session that was locked."""
    if action.is_locked:
        return _("This action is issued: it can be neither changed nor deleted. Issue another one.")
    if action.session is not None and action.session.is_locked:
        return _("The session of this draft is locked: it stays a draft. Make the action anew.")
    return ""
