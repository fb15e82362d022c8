"""Title and description of sessions that have no owner's rules: agent and contest sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_tools.services.actors import require_permission
from migrations_tools.signing import Clock, history_reason, save
from sessions_app.lesson_errors import FieldFault, InvalidFields, NotFound
from sessions_app.models import Session, SessionKind

#: Who may change the words of sessions of a kind.
PERMISSIONS: Final = {
    SessionKind.AGENT: "sessions_app.change_agentsession",
    SessionKind.CONTEST: "sessions_app.change_contestsession",
}
FIELDS: Final = ("title", "description")


def change_words(
    session: Session,
    values: Mapping[str, str],
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    now: Clock = timezone.now,
    expected: Callable[[Session], None] = lambda session: None,
) -> Session:
    """Set what ``values`` names, of `FIELDS`. ``expected`` looks at the locked session, and raises
    where it is not what the person means to change.

    Raises PermissionRefused, NotFound or InvalidFields.
    """
    permission = PERMISSIONS[SessionKind(session.kind)]
    require_permission(acting_user, permission, surface=surface, deed="rename a session")
    with transaction.atomic():
        rows = Session.objects.filter(pk=session.pk, kind=session.kind)
        held = rows.select_for_update(no_key=True).first()
        if held is None:
            raise NotFound(_("This session is not there any more."), session=session.session_id)
        expected(held)
        given = {name: values[name] for name in FIELDS if name in values}
        changed = [name for name, text in given.items() if getattr(held, name) != text]
        if not changed:
            return held
        for name in changed:
            setattr(held, name, values[name])
        _require_usable(held)
        held.updated_at = now()
        save(
            held,
            acting_user=acting_user,
            reason=history_reason("rename", surface, reason),
            update_fields=[*changed, "updated_at"],
        )
    return held


def _require_usable(session: Session) -> None:
    others = [field.name for field in session._meta.fields if field.name not in FIELDS]
    try:
        session.clean_fields(exclude=others)
    except ValidationError as error:
        raise InvalidFields(
            FieldFault(name, each.code or "invalid", " ".join(each.messages))
            for name, found in error.error_dict.items()
            for each in found
        ) from error
