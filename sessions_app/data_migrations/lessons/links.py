"""What rows refer to, found by legacy ids – and rows that were carried over already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Model
from django.utils.translation import gettext_noop

from migrations_tools.definitions import Conflict, Outcome, Unchanged, shown
from sessions_app.legacy_imports.lessons import PEOPLE, legacy_id
from sessions_app.models import LegacyIdentity

_LONGEST_NUMBER: Final = 30  # digits


def named(rows: Iterable[Any], *columns: str) -> set[str]:
    """The legacy ids in these columns of the rows' documents."""
    found = {legacy_id(row.document.get(column)) for row in rows for column in columns}
    return {key for key in found if key is not None}


def in_order(key: str) -> tuple[int, int, str]:
    """Sorts legacy ids: numbers by their value, then others by their text."""
    is_number = key.isascii() and key.isdigit() and len(key) <= _LONGEST_NUMBER
    return (0, int(key), "") if is_number else (1, 0, key)


def people(keys: Iterable[str]) -> dict[str, int]:
    """Legacy id of a person → the account."""
    known = LegacyIdentity.objects.filter(kind=PEOPLE, legacy_id__in=set(keys))
    return dict(known.values_list("legacy_id", "user_id"))


def became(target: type[Model], keys: Iterable[str], *values: str) -> dict[str, tuple[Any, ...]]:
    """Legacy id of a staged row → ``values`` of the object it became, where that is still there."""
    carried = target._default_manager.filter(legacy_rows__key__in=set(keys)).order_by()
    return {key: found for key, *found in carried.values_list("legacy_rows__key", *values)}


def linked(target: type[Model], rows: Sequence[Any], link: str, *related: str) -> dict[int, Any]:
    """The objects that rows are linked to, by their keys; no query where no row has a link."""
    pks = {getattr(row, link) for row in rows} - {None}
    if not pks:
        return {}
    return target._default_manager.select_related(*related).in_bulk(pks)


def compare(made: Any, values: Mapping[str, Any]) -> Outcome:
    """The outcome for a row that was carried over already: what stands there is never overwritten.

    ``made`` is what the row became, None if it was deleted since; ``values`` by attribute – with
    ``__`` for one of a related object – are what the row says now.
    """
    if made is None:
        return Conflict(
            "changed_after_migration",
            gettext_noop(
                "The row was changed after it was carried over, and what it became was "
                "deleted here."
            ),
        )
    found = [
        f"{name.rpartition('__')[2].removesuffix('_id')}: “{shown(value)}” in the row, "
        f"“{shown(stored)}” here"
        for name, value in values.items()
        if (stored := _stored(made, name)) != value
    ]
    if not found:
        return Unchanged()
    return Conflict(
        "changed_after_migration",
        gettext_noop(
            "The row was changed after it was carried over. %(found)s. Correct it "
            "here, or import the former row again."
        )
        % {"found": "; ".join(found)},
    )


def as_told(values: Mapping[str, Any], row: Any, linked_to: int | None) -> dict[str, Any]:
    """``values`` with the time of creation: where the row does not say it, that of its import –
    and nothing where the row became something already, so that it is not compared.
    """
    if values["created_at"] is None and linked_to is None:
        return {**values, "created_at": row.staged_at}
    return {name: value for name, value in values.items() if (name, value) != ("created_at", None)}


def _stored(made: Any, name: str) -> Any:
    for part in name.split("__"):
        made = getattr(made, part)
    return made
