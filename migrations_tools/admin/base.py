"""What admin pages of every app have in common: who may write what, and a history to look at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any
from urllib.parse import urljoin

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from simple_history.admin import SimpleHistoryAdmin

from migrations_tools.exceptions import CarryoverError


class _NothingToWrite:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CarefulList(admin.ModelAdmin[Any]):
    """A list that tells what it cannot look for, where Django would answer with an error.

    That is a selection of no rows, and an address with text that the database cannot compare.
    What an address says of a new row is taken where its form would take it.
    """

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        fields = self.get_form(request).base_fields
        fitting = {}
        for name, value in super().get_changeform_initial_data(request).items():
            if name in fields:
                with suppress(ValidationError):
                    fields[name].clean(value)
                    fitting[name] = value
        return fitting

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Django adds a copy where a form says so, whether or not the page offers that."""
        if not self.save_as and "_saveasnew" in request.POST:
            raise PermissionDenied
        return super().changeform_view(request, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # what an action does is not for a transaction of the page
        page = transaction.atomic() if request.method == "GET" else nullcontext()
        try:
            with page:
                return super().changelist_view(request, extra_context)
        except DataError:
            told = _("The list cannot be filtered like this; it is shown as a whole.")
            self.message_user(request, told, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        try:
            for text in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.to_python(text)
        except ValidationError:
            told = _("What was selected are no rows of this list; select them anew.")
            self.message_user(request, told, messages.ERROR)
            return HttpResponseRedirect(request.path)
        return super().response_action(request, queryset, *args, **kwargs)


class ReadOnly(_NothingToWrite, CarefulList):
    """Pages to look at. What is added is added elsewhere, by pages and services of its own."""

    show_full_result_count = False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        return super().changeform_view(request, *args, **kwargs)


class ReadOnlyInline(_NothingToWrite, admin.TabularInline[Any, Any]):
    """Rows of an object to look at; they change by actions."""

    template = "carryover/inline_rows.html"
    extra = 0
    can_delete = False


class NoDeletion(admin.ModelAdmin[Any]):
    """What is here stays: it ends by a status, or other rows count it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NoBulkDelete(admin.ModelAdmin[Any]):
    """No deletion from the list: each row by itself, with what stands against it."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


class RefusedInWords(admin.ModelAdmin[Any]):
    """What a service refuses after the form was checked is told on the page it was sent from; what
    is not deleted, on its own page.
    """

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(request, "", super().changelist_view, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(request, "", super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._told(request, "../change/", super().delete_view, *args, **kwargs)

    def _told(
        self,
        request: HttpRequest,
        back: str,
        view: Callable[..., HttpResponse],
        *args: Any,
        **kwargs: Any,
    ) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except CarryoverError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(urljoin(request.get_full_path(), back))


class HistoryAdmin(CarefulList, SimpleHistoryAdmin):
    """History is read-only: an old state is not brought back by a form.

    The package's form would write every field as it was then, those that forms may not change
    included, and asks for no more than the permission to look. Nor does the package ask whether
    the list shows the row to this person.
    """

    show_full_result_count = False

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def sees_deleted(self, request: HttpRequest) -> bool:
        """Whether the histories of rows that are gone are shown; for lists that hide rows from
        some people, who cannot be told by a row that is gone.
        """
        return True

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._refuse_hidden(request, object_id)
        page: HttpResponse = super().history_view(request, object_id, extra_context)
        return page

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        self._refuse_hidden(request, object_id)
        if not version_id.isascii() or not version_id.isdigit() or len(version_id) > 18:
            raise Http404
        page: HttpResponse = super().history_form_view(
            request, object_id, version_id, extra_context
        )
        return page

    def _refuse_hidden(self, request: HttpRequest, object_id: str) -> None:
        """Raise Http404 for what is no key, and for rows that the list does not show."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        try:
            key = self.opts.pk.to_python(unquote(object_id))
        except ValidationError as error:
            raise Http404 from error
        if self.get_queryset(request).filter(pk=key).exists():
            return
        told = self.get_history_queryset(request, self.model.history, self.opts.pk.attname, key)
        # the base manager knows the other kinds of a proxy model too
        is_there = self.model._base_manager.filter(pk=key).exists()
        if is_there or not self.sees_deleted(request) or not told.exists():
            raise Http404
