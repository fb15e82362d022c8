"""Accounts and groups: Django's own pages, with the rules of docs/rights.md.

Rights are given by superusers: whoever could give them otherwise could take them. Accounts are not
deleted, since evidence names them; they are deactivated.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext as _

from migrations_tools.admin.base import CarefulList, NoDeletion
from migrations_tools.admin.seen import ChangedMeanwhile, SeenForm
from migrations_tools.services.actors import SYSTEM_USERNAME

#: What an account may do; given by superusers only.
_RIGHTS: Final = ("is_staff", "is_superuser", "groups", "user_permissions")
#: What keeps a superuser in; nobody takes these from themselves.
_OWN: Final = ("is_active", "is_staff", "is_superuser")


class _CarefulForm(SeenForm):
    """Locks the row, keeps what somebody else has changed, and tells of clashes."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance._state.adding:
            return cleaned
        model: Any = self._meta.model
        row = model.objects.select_for_update(no_key=True).filter(pk=self.instance.pk).first()
        if row is None:
            raise forms.ValidationError(_("Somebody else has deleted this."), code="gone")
        try:
            self.expect_unchanged(row)
        except ChangedMeanwhile as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from refusal
        stored, mine = self.values_of(row), self.changed_values()
        self.cleaned_data |= {name: stored[name] for name in stored if name not in mine}
        return self.cleaned_data


class AccountForm(_CarefulForm, UserChangeForm[User]):
    """Nobody locks themselves out. The page says who acts."""

    acting_user: ClassVar[User]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk == self.acting_user.pk:
            for name in _OWN:
                if name in self.cleaned_data and not self.cleaned_data[name]:
                    told = _("Nobody takes this from themselves: another superuser does.")
                    self.add_error(name, told)
        return cleaned


class GroupForm(_CarefulForm):
    class Meta:
        model = Group
        fields = ["name", "permissions"]


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class AccountAdmin(NoDeletion, CarefulList, UserAdmin[User]):
    """Those who are no superusers, and may change accounts, change ordinary ones and no rights."""

    form = AccountForm
    readonly_fields = ("last_login", "date_joined")

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, *args, **kwargs)
        form.acting_user = request.user
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, *_RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.username == SYSTEM_USERNAME:
            return False  # commands act as it
        allowed = super().has_change_permission(request, obj)
        is_ordinary = obj is None or not (obj.is_staff or obj.is_superuser)
        return allowed and (is_ordinary or _is_superuser(request))


@admin.register(Group)
class RightsAdmin(CarefulList, GroupAdmin):
    """What everybody in a group may do: superusers say so, others look."""

    form = GroupForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
