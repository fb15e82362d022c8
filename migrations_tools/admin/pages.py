"""Pages of our own in the admin: who acts, what a confirmation does, how a refusal is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from migrations_tools.exceptions import CarryoverError, PermissionRefused
from migrations_tools.models import Run
from migrations_tools.services.actors import require_permission
from migrations_tools.states import Surface

#: A whole redirect, or where to go and what to say.
Deed = Callable[[Mapping[str, Any]], tuple[str, str]]


class ReasonForm(forms.Form):
    """Why; it stays in the history."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stays in the history."),
    )


class NeededReasonForm(ReasonForm):
    """Why, without which nothing is done."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.fields["reason"].required = True


def who(request: HttpRequest) -> dict[str, Any]:
    """Who acts, and where, as services want to know it."""
    return {"acting_user": cast(User, request.user), "surface": Surface.ADMIN}


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the person has a permission of the engine, such as ``run`` or ``view_run``."""
    return cast(User, request.user).has_perm(f"migrations_tools.{permission}")


def refuse_without(request: HttpRequest, *permissions: str) -> None:
    """Raise PermissionDenied unless the person has all of them."""
    if not all(may(request, permission) for permission in permissions):
        raise PermissionDenied


def refuse_deed(
    request: HttpRequest, permission: str, run: Run | None = None, *, deed: str = ""
) -> None:
    """Raise PermissionDenied, the attempt put on record, unless the person may do it.

    ``permission`` is one of the engine's, such as ``run``, or an app's with its label, such as
    ``guarantees.add_guarantee``; ``deed`` says in words what it is asked for.
    """
    full = permission if "." in permission else f"migrations_tools.{permission}"
    user = cast(User, request.user)
    try:
        require_permission(user, full, deed=deed, surface=Surface.ADMIN, run=run)
    except PermissionRefused as refused:
        raise PermissionDenied(refused.message) from refused


@dataclass(frozen=True)
class Confirmation:
    """A page before something happens, see ``carryover/confirm.html``."""

    title: str
    sentence: str
    confirm_label: str
    cancel_url: str
    form: forms.Form | None = None
    warning: str = ""
    danger: bool = False
    facts: Sequence[tuple[str, Any]] = ()
    details: Sequence[str] = ()
    hidden: Sequence[tuple[str, Any]] = ()
    breadcrumbs: Sequence[tuple[str, str]] = field(default_factory=list)


def confirmed(
    request: HttpRequest, site: AdminSite, page: Confirmation, deed: Deed
) -> HttpResponse:
    """Show the page; once it is confirmed, do the deed, and say what was done or why not.

    ``deed`` gets the values of the form, and answers where to go and the sentence to say.
    """
    if request.method != "POST" or "confirm" not in request.POST:
        return shown(request, site, page)
    if page.form is not None and not page.form.is_valid():
        return shown(request, site, page, status=422)
    values = {} if page.form is None else page.form.cleaned_data
    try:
        address, sentence = deed(values)
    except PermissionRefused as refused:  # the service has put it on record
        raise PermissionDenied(refused.message) from refused
    except CarryoverError as refused:
        messages.error(request, refused.message)
        return HttpResponseRedirect(page.cancel_url)
    if sentence:
        messages.success(request, sentence)
    return HttpResponseRedirect(address)


def shown(
    request: HttpRequest, site: AdminSite, page: Confirmation, *, status: int = 200
) -> TemplateResponse:
    """The page as it stands."""
    context = {**site.each_context(request), **vars(page)}
    return TemplateResponse(request, "carryover/confirm.html", context, status=status)
