"""Rows that those with the permission keep, with no rule but that of their fields: profiles,
qualifications of instructors, problems of the bank.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from migrations_tools.services.actors import record_refusal, require_permission
from migrations_tools.signing import history_reason, save
from sessions_app.lesson_errors import FieldFault, Forbidden, InvalidFields, NotFound
from sessions_app.models import InstructorQualification, Problem, Profile
from sessions_app.selectors.lessons import viewer_of
from sessions_app.services.removing import remove_unused

Row = TypeVar("Row", bound=Model)

#: What a person may say of each. Credits move by bookings and `adjust_credits`.
FIELDS: Final[dict[type[Model], frozenset[str]]] = {
    Profile: frozenset({"user", "role", "specialization", "current_project"}),
    InstructorQualification: frozenset({"instructor", "specialization", "is_active", "granted_at"}),
    Problem: frozenset(
        {"contest_id", "year", "contest", "number", "correct_answer", "difficulty", "topics"}
    ),
}


def add_row(model: type[Row], values: Mapping[str, Any], *, acting_user: User, surface: str) -> Row:
    """A new row of these values, see `FIELDS`.

    Raises PermissionRefused, Forbidden (somebody's role) or InvalidFields.
    """
    _require(model, "add", acting_user, surface)
    row = model()
    _require_role(row, values, acting_user, surface)
    with transaction.atomic():
        _write(row, values, acting_user, history_reason("add", surface))
    return row


def change_row(
    model: type[Row],
    pk: int,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    surface: str,
    expected: Callable[[Row], None] = lambda row: None,
) -> Row:
    """Change what ``values`` names. ``expected`` looks at the locked row, and raises where it is
    not what the person means to change.

    Raises PermissionRefused, NotFound, Forbidden (somebody's role) or InvalidFields.
    """
    _require(model, "change", acting_user, surface)
    with transaction.atomic():
        row = _locked(model, pk)
        expected(row)
        _require_role(row, values, acting_user, surface)
        _write(row, values, acting_user, history_reason("change", surface))
    return row


def remove_row(model: type[Row], pk: int, *, acting_user: User, surface: str) -> None:
    """Delete it; its history stays. Raises PermissionRefused, NotFound or InUse."""
    _require(model, "delete", acting_user, surface)
    with transaction.atomic():
        row = _locked(model, pk, to_delete=True)
        remove_unused(row, acting_user=acting_user, reason=history_reason("delete", surface))


def _require(model: type[Model], deed: str, user: User, surface: str) -> None:
    permission = f"sessions_app.{deed}_{model._meta.model_name}"
    told = f"{deed} a {model._meta.model_name}"
    require_permission(user, permission, deed=told, surface=surface)


def _require_role(row: Model, values: Mapping[str, Any], user: User, surface: str) -> None:
    """Roles of the academy are given by its admins: nobody else makes themselves one."""
    if not isinstance(row, Profile) or values.get("role", row.role) == row.role:
        return
    if not viewer_of(user).is_admin:
        record_refusal(user, surface=surface, deed="change the role of a person")
        raise Forbidden(_("Only admins of the academy give people another role."))


def _locked(model: type[Row], pk: int, *, to_delete: bool = False) -> Row:
    """To delete it, the lock also keeps rows from newly referring to it."""
    row = model._default_manager.select_for_update(no_key=not to_delete).filter(pk=pk).first()
    if row is None:
        name = model._meta.verbose_name
        raise NotFound(_("There is no %(name)s %(pk)s.") % {"name": name, "pk": pk}, id=pk)
    return row


def _write(row: Model, values: Mapping[str, Any], acting_user: User, reason: str) -> None:
    """Set and save what differs; a new row is saved anyway."""
    known = FIELDS[type(row)]
    unknown = [
        FieldFault(name, "unknown", _("There is no such field."))
        for name in sorted(values.keys() - known)
    ]
    if unknown:
        raise InvalidFields(unknown)
    changed = [name for name, value in values.items() if _stored(row, name) != value]
    if not changed and not row._state.adding:
        return
    for name in changed:
        setattr(row, name, values[name])
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidFields(_faults(error)) from error
    save(row, acting_user=acting_user, reason=reason)


def _stored(row: Model, name: str) -> Any:
    """None where a row that is being made has nobody yet."""
    return getattr(row, name, None)


def _faults(error: ValidationError) -> Iterator[FieldFault]:
    for name, found in error.error_dict.items():
        field = "" if name == NON_FIELD_ERRORS else name
        for each in found:
            yield FieldFault(field, each.code or "invalid", " ".join(each.messages))
