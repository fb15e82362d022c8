"""Deleting what nothing refers to."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Model
from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError
from migrations_tools.referring import keeper_of
from migrations_tools.signing import delete


class InUse(CarryoverError):
    """Other rows refer to it: it stays."""

    code = "in_use"


def remove_unused(row: Model, *, acting_user: User, reason: str) -> None:
    """Delete a row that is locked for that; its history stays. Raises InUse."""
    keeper = keeper_of(row)
    if keeper is not None:
        told = _("“%(name)s” cannot be deleted, because of what refers to it: %(others)s.")
        others = keeper._meta.verbose_name_plural
        raise InUse(told % {"name": row, "others": others}, id=str(row.pk))
    delete(row, acting_user=acting_user, reason=reason)
