"""What keeps a row from being deleted."""

from __future__ import annotations

from django.db.models import PROTECT, ForeignObjectRel, Model


def keeper_of(row: Model) -> type[Model] | None:
    """A model whose rows refer to this one and protect it, if there is one.

    Nothing is collected for that: a supplier may have a hundred thousand guarantees.
    """
    for relation in row._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel) or relation.on_delete is not PROTECT:
            continue
        model: type[Model] = relation.field.model
        if model._default_manager.filter(**{relation.field.name: row}).exists():
            return model
    return None
