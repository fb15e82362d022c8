"""Lists of sessions: pages beside them, and what to do first where nothing is there yet."""

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
    """What an empty list says; ``page`` is the name of the admin page where one begins."""

    title: Words
    text: Words
    link: Words
    page: str = "migrations_tools_legacyimport_changelist"

    @property
    def address(self) -> str:
        return admin_address(self.page)


class WithList(admin.ModelAdmin[Any]):
    """``tools`` are pages beside the list: what they are called, and their names."""

    change_list_template = "sessions_app/admin/list.html"
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
        return answer
