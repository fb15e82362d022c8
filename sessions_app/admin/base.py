"""What the pages of sessions have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from sessions_app.models import ActivityEvent


class _NothingToWrite:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(_NothingToWrite, admin.ModelAdmin[Any]):
    """Pages to look at."""

    show_full_result_count = False


class ReadOnlyInline(_NothingToWrite, admin.TabularInline[Any, Any]):
    """Rows of an object to look at; they change by actions."""

    extra = 0
    can_delete = False


class NamedInEvents(admin.ModelAdmin[Any]):
    """Refuses to delete what activity events name: they do so in words, without a constraint."""

    #: What the events of these objects are.
    events_of: Callable[[Iterable[Any]], QuerySet[ActivityEvent]]

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        objects: list[Model] = list(objs)
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        events = type(self).events_of(objects)
        return deleted, counts, missing, [*protected, *map(str, events[:20])]
