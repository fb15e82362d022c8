"""What operators do with collaboration sessions: in the owner's name, by the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.states import Surface
from sessions_app.admin.operations import Deed, Operation, ReasonForm
from sessions_app.models import ParticipantRole, Session, SessionStatus
from sessions_app.services import collaboration

_GRANTED: Final = [
    (role.value, role.label) for role in ParticipantRole if role is not ParticipantRole.OWNER
]


class InviteForm(ReasonForm):
    field_order = ["email", "role", "reason"]

    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=320)
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=_GRANTED, initial=ParticipantRole.VIEWER
    )


class ParticipantForm(ReasonForm):
    """The participant is chosen on the session's page; the service knows whether it is one."""

    email = forms.CharField(max_length=320, widget=forms.HiddenInput)


class RoleForm(ParticipantForm):
    field_order = ["role", "reason"]

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=_GRANTED)


def _act(
    service: Callable[..., Any], told: Callable[[dict[str, Any]], str]
) -> Callable[[Deed], str]:
    """Carry a deed out by a service, which takes the form's values by their names."""

    def carry_out(deed: Deed) -> str:
        session: Session = deed.obj
        service(
            session.session_id,
            **deed.values,
            acting_user=deed.user,
            surface=Surface.ADMIN,
            for_owner=True,
        )
        return told(deed.values)

    return carry_out


def _has(*statuses: SessionStatus) -> Callable[[Deed], bool]:
    return lambda deed: deed.obj.status in statuses


_ACTIVE, _ARCHIVED = SessionStatus.ACTIVE, SessionStatus.ARCHIVED


def _of(deed: Deed) -> dict[str, str]:
    return {"email": str(deed.values.get("email", "")), "session": str(deed.obj)}


OPERATIONS: Final = (
    Operation(
        name="invite",
        label=gettext_lazy("Invite"),
        form=InviteForm,
        offered=_has(_ACTIVE),
        sentence=lambda deed: _(
            "Somebody is invited to this session in its owner's name, sees it at once, and can "
            "accept."
        ),
        carry_out=_act(collaboration.invite, lambda values: _("%(email)s is invited.") % values),
    ),
    Operation(
        name="archive",
        label=gettext_lazy("Archive"),
        offered=_has(_ACTIVE),
        sentence=lambda deed: _(
            "The session is put away: its people still see it, and nothing else can be done in it "
            "until it is restored."
        ),
        carry_out=_act(collaboration.archive_session, lambda values: _("The session is archived.")),
    ),
    Operation(
        name="restore",
        label=gettext_lazy("Restore"),
        offered=_has(_ARCHIVED),
        sentence=lambda deed: _("The session is taken up again, with the people who are in it."),
        carry_out=_act(
            collaboration.restore_session, lambda values: _("The session is active again.")
        ),
    ),
    Operation(
        name="delete",
        label=gettext_lazy("Delete"),
        offered=_has(_ACTIVE, _ARCHIVED),
        dangerous=True,
        sentence=lambda deed: _(
            "The session is hidden from everybody who is in it. This cannot be undone, and its id "
            "stays taken. Its history stays."
        ),
        carry_out=_act(collaboration.delete_session, lambda values: _("The session is deleted.")),
    ),
    Operation(
        name="role",
        label=gettext_lazy("Change role"),
        form=RoleForm,
        on_page=False,
        sentence=lambda deed: _("%(email)s gets another role in “%(session)s”.") % _of(deed),
        carry_out=_act(
            collaboration.change_role, lambda values: _("%(email)s has the role now.") % values
        ),
    ),
    Operation(
        name="transfer",
        label=gettext_lazy("Make owner"),
        form=ParticipantForm,
        on_page=False,
        dangerous=True,
        sentence=lambda deed: (
            _("%(email)s becomes the owner of “%(session)s”; the present owner becomes an admin.")
            % _of(deed)
        ),
        carry_out=_act(
            collaboration.transfer_ownership,
            lambda values: _("%(email)s owns the session now.") % values,
        ),
    ),
    Operation(
        name="remove",
        label=gettext_lazy("Remove"),
        form=ParticipantForm,
        on_page=False,
        dangerous=True,
        sentence=lambda deed: (
            _(
                "%(email)s loses access to “%(session)s”, or the invitation to it, and can be "
                "invited again."
            )
            % _of(deed)
        ),
        carry_out=_act(
            collaboration.remove_participant,
            lambda values: _("%(email)s is not in the session any more.") % values,
        ),
    ),
)
