"""Finding guarantees and actions, and locking them."""

from __future__ import annotations

from typing import Final

from django.db.models import BigIntegerField, QuerySet
from django.utils.translation import gettext as _

from guarantees.action_errors import NotFound
from guarantees.models import Guarantee, GuaranteeAction
from guarantees.models.number import comparable
from migrations_tools.text import storable, storable_text

#: The highest id that a column can hold; a higher number names nothing.
LARGEST_ID: Final = BigIntegerField.MAX_BIGINT


def lock_guarantee(number: str, guarantee_id: int | None = None) -> Guarantee:
    """The newest guarantee of ``number``, or the one of that id, locked as it is stored now.

    A guarantee that is named by its id has to have the number too: a slip in one is found by the
    other. Whoever acts on a guarantee holds this lock, so actions on it come one after the other.
    Raises NotFound.
    """
    pk = _meant(number, guarantee_id).values_list("pk", flat=True).first()
    return _found(lock_guarantee_by_id(pk), number, guarantee_id)


def find_guarantee(number: str, guarantee_id: int | None = None) -> Guarantee:
    """The same guarantee to look at only, with its supplier and bank. Raises NotFound."""
    guarantees = _meant(number, guarantee_id).select_related("supplier", "bank")
    return _found(guarantees.first(), number, guarantee_id)


def _meant(number: str, guarantee_id: int | None) -> QuerySet[Guarantee]:
    """Guarantees of the number, and of the id if one is given, the newest first."""
    if not comparable(number) or not storable(number):
        return Guarantee.objects.none()
    guarantees = Guarantee.objects.with_number(number).order_by("-created_at", "-id")
    return guarantees if guarantee_id is None else guarantees.filter(pk=_storable_id(guarantee_id))


def _found(guarantee: Guarantee | None, number: str, guarantee_id: int | None) -> Guarantee:
    if guarantee is None:
        named = (
            ""
            if guarantee_id is None
            else _(" with the id %(guarantee_id)s") % {"guarantee_id": guarantee_id}
        )
        told = storable_text(comparable(number))
        raise NotFound(
            _("There is no guarantee “%(told)s”%(named)s.") % {"told": told, "named": named},
            number=storable_text(number),
        )
    return guarantee


def lock_draft(action_id: int) -> tuple[GuaranteeAction, Guarantee]:
    """A stored action and its guarantee, both locked, the guarantee first. Raises NotFound.

    Actions without a guarantee are the old system's, and issued.
    """
    actions = GuaranteeAction.objects.filter(pk=_storable_id(action_id))
    guarantee = lock_guarantee_by_id(actions.values_list("guarantee", flat=True).first())
    action = actions.select_for_update(no_key=True).first()
    if action is None:
        raise NotFound(
            _("There is no action %(action_id)s.") % {"action_id": action_id}, action=action_id
        )
    if guarantee is None:
        raise NotFound(
            _("Action %(action_id)s belongs to no guarantee.") % {"action_id": action_id},
            action=action_id,
        )
    return action, guarantee


def _storable_id(number: int) -> int:
    """The id, or 0, which no row has, where the column cannot hold it."""
    return number if 0 < number <= LARGEST_ID else 0


def lock_guarantee_by_id(pk: int | None) -> Guarantee | None:
    """That guarantee, locked as it is stored now, if there is one."""
    if pk is None:
        return None
    # supplier and bank are read afterwards: joined, they might be those from before the lock
    return Guarantee.objects.select_for_update(no_key=True).filter(pk=pk).first()
