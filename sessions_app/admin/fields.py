"""People and projects in forms: written, completed by the browser."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.suggesting import MOST_SUGGESTED, SuggestingField
from sessions_app.models import Project
from sessions_app.selectors.lessons.staff import teachers


class PersonField(SuggestingField):
    """The one active account of a user name, or of an e-mail address, whatever its case.

    People are suggested only where ``suggests`` says so: not everybody may know who is here.
    """

    unknown = _("There is no such person.")
    takes_keys = False  # there are user names of digits

    def __init__(self, *, suggests: bool = False, **options: Any) -> None:
        self._suggests = suggests
        options.setdefault("help_text", _("User name or e-mail address."))
        super().__init__(**{"max_length": 254} | options)

    def rows(self) -> QuerySet[User]:
        return User.objects.filter(is_active=True).order_by("username")

    def suggested(self) -> list[str]:
        return list(super().suggested()) if self._suggests else []

    def find(self, text: str) -> User | None:
        found = list(self.rows().filter(username=text)) or list(
            self.rows().filter(Q(username__iexact=text) | Q(email__iexact=text))[:2]
        )
        if len(found) > 1:
            raise forms.ValidationError(
                _("Several people are called so: write the user name exactly."), code="ambiguous"
            )
        return found[0] if found else None


class ProjectField(SuggestingField):
    """A project that takes sessions, by its name or id; also the one that stands there already."""

    unknown = _("No project has that name.")

    def rows(self) -> QuerySet[Project]:
        return Project.objects.real()

    def suggested(self) -> list[str]:
        return [self.shown(row) for row in Project.objects.selectable()[:MOST_SUGGESTED]]

    def find(self, text: str) -> Project | None:
        found = self.rows().filter(name=text) or self.rows().filter(name__iexact=text)[:2]
        return found[0] if len(found) == 1 else None


class WithTeachers(admin.ModelAdmin[Any]):
    """Plain lists of people: not everybody gives lessons."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("instructor", "master_instructor"):
            kwargs["queryset"] = teachers()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
