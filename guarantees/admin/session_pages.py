"""A day's action session: what it holds, its letters, and the lock."""

from __future__ import annotations

from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from guarantees.action_errors import ActionRefused
from guarantees.admin.overview import what
from guarantees.admin.pages import address, day, refused, render, require
from guarantees.letters import has_letter, with_letters
from guarantees.models import ActionSession
from guarantees.services.actions import lock_action_session
from migrations_tools.states import Surface

_SHOWN: Final = 100


def overview(request: HttpRequest, session: ActionSession) -> dict[str, Any]:
    """Context of the page of a session; a constant number of queries."""
    actions = session.actions.select_related("guarantee", "created_by").order_by("created_at", "pk")
    listed = address("guaranteeaction_changelist")
    return {
        "rows": [
            {
                "action": action,
                "what": what(action, action.guarantee.currency if action.guarantee else ""),
                "has_letter": has_letter(action),
            }
            for action in actions[:_SHOWN]
        ],
        "left_out": max(session.total_actions - _SHOWN, 0),
        "all_address": f"{listed}?session__id__exact={session.pk}",
        "letters": with_letters(session.actions.all()).count(),
        "may_lock": not session.is_locked
        and request.user.has_perm("guarantees.change_actionsession"),
        "why_read_only": _("This session is locked: it takes no new or changed action.")
        if session.is_locked
        else "",
    }


@require_http_methods(["GET", "POST"])
def lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Lock a session, after a look at what it holds."""
    require(request, "view_actionsession", "change_actionsession")
    session = get_object_or_404(ActionSession, pk=pk)
    page = address("actionsession_change", session.pk)
    if request.method == "POST":
        user = cast(User, request.user)  # the admin lets nobody else in
        reason = request.POST.get("reason", "")[:2_000]
        try:
            lock_action_session(session.pk, acting_user=user, surface=Surface.ADMIN, reason=reason)
        except ActionRefused as refusal:
            return refused(request, refusal, back=page)
        messages.success(request, _("The session is locked."))
        return HttpResponseRedirect(page)
    drafts = session.total_actions - session.issued_actions
    details = [_("The day goes on in a new session.")]
    if drafts:
        details.append(
            ngettext(
                "%(count)d draft stays a draft for good.", "%(count)d drafts stay drafts for good.",
                drafts,
            ) % {"count": drafts}
        )  # fmt: skip
    return render(
        request,
        "carryover/confirm.html",
        title=_("Lock the actions of %(day)s") % {"day": day(session.day)},
        sentence=ngettext(
            "The session with %(count)d action takes no new or changed action any more.",
            "The session with %(count)d actions takes no new or changed action any more.",
            session.total_actions,
        )
        % {"count": session.total_actions},
        details=details,
        warning=_("A locked session is never opened again."),
        ask_reason=True,
        confirm_label=_("Lock"),
        cancel_url=page,
        breadcrumbs=[
            (_("Action sessions"), address("actionsession_changelist")),
            (day(session.day), page),
        ],
    )
