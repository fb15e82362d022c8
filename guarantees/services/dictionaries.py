"""Suppliers, banks, and the other names they are known by: added, changed, removed by people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from guarantees.entry_errors import EntryRefused, NoSuchRow
from guarantees.models import (
    Bank,
    BankAlias,
    Supplier,
    SupplierAlias,
    SupplierOverride,
)
from guarantees.names import normalize_name
from migrations_tools.referring import keeper_of
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import delete, history_reason, save

Row = TypeVar("Row", bound=Model)

#: The fields whose first name that is not blank is compared with written names.
_NAMES: Final[dict[type[Model], tuple[str, ...]]] = {
    Supplier: ("name",),
    SupplierAlias: ("name",),
    SupplierOverride: ("name",),
    Bank: ("name_en", "name_ar"),
    BankAlias: ("name",),
}


class InUse(EntryRefused):
    """A supplier or bank of guarantees or actions."""

    code = "in_use"


class NameMissing(EntryRefused):
    """Nobody is called nothing."""

    code = "missing"
    http_status = 422


def add_row(model: type[Row], values: Mapping[str, Any], *, acting_user: User, surface: str) -> Row:
    """A new supplier, bank, alias or override; ``values`` are its fields.

    Raises PermissionRefused, NoSuchRow where an alias is for nobody, or NameMissing.
    """
    _require(model, "add", acting_user, surface)
    row = model(**values)
    _write(row, acting_user, history_reason("added", surface))
    return row


def change_row(
    model: type[Row],
    pk: int,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    surface: str,
    before: Callable[[Row], None] | None = None,
) -> Row:
    """Change what ``values`` name. ``before`` is shown the locked row and may refuse by raising.

    Raises PermissionRefused, NoSuchRow or NameMissing.
    """
    _require(model, "change", acting_user, surface)
    with transaction.atomic():
        row = _locked(model, pk)
        if before is not None:
            before(row)
        for name, value in values.items():
            setattr(row, name, value)
        _write(row, acting_user, history_reason("changed", surface))
    return row


def remove_row(
    model: type[Row],
    pk: int,
    *,
    acting_user: User,
    surface: str,
    before: Callable[[Row], None] | None = None,
) -> None:
    """Delete it, and with a supplier or bank its other names; the history stays.

    ``before`` as of `change_row`.
    Raises PermissionRefused, NoSuchRow, or InUse for a supplier or bank of guarantees or actions.
    """
    _require(model, "delete", acting_user, surface)
    with transaction.atomic():
        row = _locked(model, pk)
        if before is not None:
            before(row)
        if keeper_of(row) is not None:
            raise InUse(
                _("%(name)s cannot be removed: guarantees or actions name it.") % {"name": row},
                id=pk,
            )
        delete(row, acting_user=acting_user, reason=history_reason("removed", surface))


def _require(model: type[Model], deed: str, user: User, surface: str) -> None:
    told = f"{deed} a {model._meta.verbose_name}"
    permission = f"guarantees.{deed}_{model._meta.model_name}"
    require_permission(user, permission, deed=told, surface=surface)


def _locked(model: type[Row], pk: int) -> Row:
    row = model._default_manager.select_for_update().filter(pk=pk).first()
    if row is None:
        raise NoSuchRow(
            _("There is no %(model)s %(pk)s.") % {"model": model._meta.verbose_name, "pk": pk},
            id=pk,
        )
    return row


def _write(row: Model, acting_user: User, reason: str) -> None:
    written = (getattr(row, name) for name in _NAMES[type(row)])
    name = next((name for name in written if normalize_name(name)), "")
    if not name:
        raise NameMissing(
            _("A %(model)s needs a name.") % {"model": row._meta.verbose_name},
            field=_NAMES[type(row)][0],
        )
    row.normalized_name = normalize_name(name)  # type: ignore[attr-defined]  # all of them have it
    try:
        with transaction.atomic():
            save(row, acting_user=acting_user, reason=reason)
            connection.check_constraints()  # foreign keys would wait for the end
    except IntegrityError as error:
        raise NoSuchRow(_("The supplier or bank it is for does not exist.")) from error
