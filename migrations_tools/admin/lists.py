"""Lists: pages beside them, and what to do first where nothing is there yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise

from migrations_tools.admin.addresses import admin_address

Words = str | Promise


@dataclass(frozen=True)
class EmptyState:
    """What an empty list says; ``page`` is the name of the admin page where one begins, for those
    who have ``permission``.
    """

    title: Words
    text: Words
    link: Words
    page: str = "migrations_tools_legacyimport_changelist"
    permission: str = "migrations_tools.view_legacyimport"

    def address_for(self, request: HttpRequest) -> str:
        """Where one begins; empty for those who may not."""
        return admin_address(self.page) if request.user.has_perm(self.permission) else ""


class WithList(admin.ModelAdmin[Any]):
    """``tools`` are pages beside the list: what they are called, and their names."""

    change_list_template = "carryover/list.html"
    tools: ClassVar[Sequence[tuple[Words, str]]] = ()
    empty_state: ClassVar[EmptyState]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An empty list that nobody narrowed says what to do first."""
        shown = {"tools": [(label, admin_address(page)) for label, page in self.tools]}
        answer = super().changelist_view(request, {**shown, **(extra_context or {})})
        context = getattr(answer, "context_data", None) or {}
        found = context.get("cl")
        if found is not None and not found.result_count and not request.GET:
            context["empty"] = self.empty_state
            context["empty_address"] = self.empty_state.address_for(request)
        return answer
