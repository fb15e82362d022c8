"""Acting on one guarantee: form, preview, confirmation; and issuing a draft."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from guarantees.action_errors import ActionRefused
from guarantees.admin.action_forms import FORMS, ActionForm
from guarantees.admin.pages import (
    LABELS,
    address,
    day,
    money,
    refused,
    render,
    require,
    told_differences,
)
from guarantees.letters import has_letter
from guarantees.models import ActionStatus, ActionType, Guarantee, GuaranteeAction
from guarantees.services.actions import (
    ActionPreview,
    draft_action,
    issue_action,
    issue_draft,
    preview_action,
    preview_draft,
)
from migrations_tools.states import Surface


@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, pk: int, action_type: str) -> HttpResponse:
    """The steps of an action: ``preview``, ``edit`` (back to the form), ``draft`` or ``issue``."""
    require(request, "view_guarantee", "add_guaranteeaction")
    if action_type not in FORMS:
        raise Http404
    guarantee = get_object_or_404(Guarantee.objects.select_related("supplier", "bank"), pk=pk)
    if request.method == "GET":
        return _form_page(request, FORMS[action_type](guarantee))
    form = FORMS[action_type](guarantee, request.POST)
    step = request.POST.get("step", "preview")
    if step == "edit" or not form.is_valid():
        return _form_page(request, form)
    user = cast(User, request.user)  # the admin lets nobody else in
    try:
        # what nobody has looked at is shown first
        if step in ("issue", "draft") and form.cleaned_data["agreed"]:
            return _carry_out(request, form, is_draft=step == "draft", user=user)
        asked = replace(form.request(), agreed=None)
        preview = preview_action(asked, acting_user=user, surface=Surface.ADMIN)
    except ActionRefused as refusal:
        return _form_page(request, _with_error(form, refusal))
    return _confirmation(request, form, preview)


def _carry_out(
    request: HttpRequest, form: ActionForm, *, is_draft: bool, user: User
) -> HttpResponse:
    at = timezone.now()
    deed = draft_action if is_draft else issue_action
    action = deed(
        form.request(is_draft=is_draft),
        acting_user=user,
        surface=Surface.ADMIN,
        now=lambda: at,
    )
    if action.created_at != at:
        tell_repeated(request, action)
    elif is_draft:
        messages.success(request, _("The draft was kept; nothing is issued yet."))
        return HttpResponseRedirect(address("guaranteeaction_change", action.pk))
    else:
        tell_issued(request, action)
    return HttpResponseRedirect(address("guarantee_change", form.guarantee.pk))


def tell_repeated(request: HttpRequest, action: GuaranteeAction) -> None:
    """The second press of a button is told what the first did."""
    done = date_format(timezone.localtime(action.issued_at or action.created_at), "DATETIME_FORMAT")
    told = _("This was done already: %(action)s, on %(time)s. Nothing was done twice.")
    messages.warning(request, told % {"action": action, "time": done})


def tell_issued(request: HttpRequest, action: GuaranteeAction) -> None:
    if has_letter(action):
        told = format_html(
            '{} <a href="{}?action={}">{}</a>',
            _("Issued: %(action)s.") % {"action": action},
            address("guaranteeaction_letters"),
            action.pk,
            _("Print the letter"),
        )
    else:
        told = format_html("{}", _("Issued: %(action)s.") % {"action": action})
    messages.success(request, told)


def _with_error(form: ActionForm, refusal: ActionRefused) -> ActionForm:
    field = refusal.fields.get("field")
    form.add_error(field if field in form.fields else None, refusal.message)
    return form


def current_values(guarantee: Guarantee) -> list[tuple[Any, Any]]:
    return [
        (LABELS["current_expiry"], day(guarantee.current_expiry)),
        (LABELS["current_amount"], money(guarantee.current_amount, guarantee.currency)),
        (LABELS["status"], guarantee.get_status_display()),
        (LABELS["supplier"], guarantee.supplier or "–"),
        (LABELS["bank"], guarantee.bank or "–"),
    ]


def _title(form: ActionForm) -> str:
    label = ActionType(form.action_type).label
    return _("%(action)s of %(number)s") % {
        "action": str(label).capitalize(),
        "number": form.guarantee.number,
    }


def _frame(form: ActionForm) -> dict[str, Any]:
    guarantee = form.guarantee
    page = address("guarantee_change", guarantee.pk)
    return {
        "title": _title(form),
        "form": form,
        "facts": current_values(guarantee),
        "cancel_url": page,
        "breadcrumbs": [
            (_("Guarantees"), address("guarantee_changelist")),
            (guarantee.number, page),
        ],
    }


def _form_page(request: HttpRequest, form: ActionForm) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "guarantees/admin/act.html", status=status, **_frame(form))


def _confirmation(request: HttpRequest, form: ActionForm, preview: ActionPreview) -> HttpResponse:
    [differences] = told_differences([preview.differences])
    return render(
        request,
        "guarantees/admin/act_confirm.html",
        **_frame(form) | {"form": None},
        hidden_fields=form.hidden(),
        hidden=[("agreed", preview.agreed)],
        differences=differences,
        sentence=_("One guarantee is changed as follows."),
        warning=_("An issued action can be neither changed nor deleted."),
    )


@require_http_methods(["GET", "POST"])
def issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue a draft, after a look at what that does."""
    require(request, "view_guaranteeaction", "change_guaranteeaction")
    action = get_object_or_404(GuaranteeAction, pk=pk)
    page = address("guaranteeaction_change", action.pk)
    user = cast(User, request.user)
    if action.status == ActionStatus.ISSUED:
        tell_repeated(request, action)
        return HttpResponseRedirect(page)
    try:
        if request.method == "POST":
            issued = issue_draft(
                action.pk,
                acting_user=user,
                surface=Surface.ADMIN,
                agreed=request.POST.get("agreed", ""),
            )
            tell_issued(request, issued)
            return HttpResponseRedirect(page)
        preview = preview_draft(action.pk, acting_user=user, surface=Surface.ADMIN)
    except ActionRefused as refusal:
        return refused(request, refusal, back=page)
    [differences] = told_differences([preview.differences])
    return render(
        request,
        "guarantees/admin/act_confirm.html",
        title=_("Issue the draft: %(action)s") % {"action": action},
        facts=current_values(preview.guarantee),
        hidden=[("agreed", preview.agreed)],
        differences=differences,
        is_draft=True,
        sentence=_("One guarantee is changed as follows."),
        warning=_("An issued action can be neither changed nor deleted."),
        cancel_url=page,
        breadcrumbs=[(_("Actions"), address("guaranteeaction_changelist")), (str(action), page)],
    )
