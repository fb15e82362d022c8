"""Forms of the admin that ask services: what is saved and deleted here goes through them only."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from migrations_tools.admin.base import RefusedInWords
from migrations_tools.admin.pages import who
from migrations_tools.admin.seen import SeenForm
from migrations_tools.exceptions import CarryoverError
from migrations_tools.services.actors import record_refusal
from migrations_tools.states import Surface

_FORBIDDEN = 403


def add_refusal(form: forms.BaseForm, refusal: CarryoverError) -> None:
    """What a service refuses, at the field that it names, else above the form."""
    faults = refusal.fields.get("fields") or [
        {"field": refusal.fields.get("field"), "message": refusal.message}
    ]
    for fault in faults:
        name = fault["field"]
        form.add_error(name if name in form.fields else None, fault["message"])


class AskingForm(SeenForm):
    """What the service refuses is an error of the form; the admin saves by `carry_out`."""

    acting_user: ClassVar[User]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, AdminSplitDateTime):  # two inputs under one label
                parts = zip(field.widget.widgets, (_("date"), _("time")), strict=True)
                for part, told in parts:
                    part.attrs["aria-label"] = f"{field.label}: {told}"

    def carry_out(self) -> Model:
        """Ask the service for what the form says; answers the row. Raises what it refuses.

        The service shows the locked row to `expect_unchanged`.
        """
        raise NotImplementedError

    @property
    def by(self) -> dict[str, Any]:
        """Who acts, and where, as services want to know it."""
        return {"acting_user": self.acting_user, "surface": Surface.ADMIN}

    def _post_clean(self) -> None:
        """Ask the service instead of the model, and keep nothing of it yet."""
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.carry_out()
                transaction.set_rollback(True)
        except CarryoverError as refusal:
            if refusal.http_status == _FORBIDDEN:
                self._record(refusal)
            add_refusal(self, refusal)

    @property
    def deed(self) -> str:
        """What saving this form is called on record."""
        verb = "add" if self.instance._state.adding else "change"
        return f"{verb} a {self._meta.model._meta.model_name}"

    def _record(self, refusal: CarryoverError) -> None:
        """What the service put on record was undone with all the rest."""
        record_refusal(self.acting_user, surface=Surface.ADMIN, deed=self.deed, code=refusal.code)

    def save(self, commit: bool = True) -> Any:
        """Nothing yet."""
        return self.instance

    def save_m2m(self) -> None:
        """The service has saved them."""


class AskingAdmin(RefusedInWords):
    """Pages of rows that services write; ``form`` is an `AskingForm`."""

    def remove(self, obj: Any, **by: Any) -> None:
        """Ask the service to delete it; pages without deletion leave this out."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, *args, **kwargs)
        form.acting_user = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = form.carry_out().pk
        obj.refresh_from_db()
        if form.meanwhile:
            self.message_user(request, form.meanwhile, messages.WARNING)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Ask the service whether it would, before anybody is asked to confirm.

        What it refuses is said in its words; nothing that refers to the rows is collected then.
        """
        with transaction.atomic():
            for obj in objs:
                self.remove(obj, **who(request))
            transaction.set_rollback(True)
        return super().get_deleted_objects(objs, request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(obj, **who(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """All of them, or none."""
        with transaction.atomic():
            for obj in queryset:
                self.remove(obj, **who(request))
