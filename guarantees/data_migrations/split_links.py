"""What the rows of a transaction refer to, in a constant number of queries – and links that are
there already: dual-written ones, and rows that were imported again after they were migrated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

from django.db import connection
from django.db.models import Model
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext_noop

from guarantees.data_migrations.split_batches import Batches
from guarantees.models import Bank, Guarantee, GuaranteeAction, MatchStatus, Supplier
from guarantees.models.number import PADDING
from guarantees.reading import day_first
from migrations_tools.definitions import Conflict, Ensure, Outcome, Unchanged, shown

#: Of a linked object, what the old row says too. What the old row leaves open – an unknown
#: supplier, a match for review – is no difference: people decide that here.
COMPARED: Final[dict[type[Model], tuple[str, ...]]] = {
    Guarantee: (
        "number",
        "raw_supplier_name",
        "raw_bank_name",
        "contract_number",
        "related_to",
        "amount",
        "issue_date",
        "expiry_date",
        "type",
        "comment",
        "import_kind",
        "import_date",
        "created_at",
        "batch_id",
        "supplier_id",
        "bank_id",
        "match_status",
    ),
    GuaranteeAction: (
        "number",
        "action_type",
        "action_date",
        "previous_expiry",
        "new_expiry",
        "previous_amount",
        "notes",
        "supplier_name",
        "bank_name",
        "supplier_display_name",
        "bank_display_name",
        "created_at",
        "supplier_id",
        "bank_id",
    ),
}
OPEN: Final = {
    "supplier_id": None,
    "bank_id": None,
    "match_status": MatchStatus.NEEDS_REVIEW.value,
}
_HOW_TO_GO_ON: Final = {
    Guarantee: "Correct the guarantee – a protected one by a modification – or import the former "
    "row again.",
    GuaranteeAction: "An issued action stays as it is: import the former row again, or waive this "
    "one.",
}


@dataclass(slots=True)
class Known:
    """What ``transform`` is told beside the row. ``linked`` are objects by key of the row."""

    zone: tzinfo
    day_first: bool
    suppliers: Collection[int] = frozenset()
    banks: Collection[int] = frozenset()
    linked: Mapping[int, Model] = field(default_factory=dict)
    # guarantees that actions belong to (N10), by key of the action's row
    guarantees: Mapping[int, int] = field(default_factory=dict)
    batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        self.batches = Batches(self.zone)


def known_of(rows: Sequence[Any], linked: type[Model], link: str) -> Known:
    """What is known about ``rows``; ``link`` is the column that links them to ``linked``."""
    zone = get_default_timezone()
    links = {getattr(row, link): row.pk for row in rows if getattr(row, link) is not None}
    objects: Iterable[Model] = linked._default_manager.filter(pk__in=links) if links else ()
    if links and linked is Guarantee:
        objects = Guarantee.objects.filter(pk__in=links).select_related("batch")
    return Known(
        zone,
        day_first(),
        suppliers=_existing(Supplier, {row.supplier_id for row in rows}),
        banks=_existing(Bank, {row.bank_id for row in rows}),
        linked={links[found.pk]: found for found in objects},
    )


def _existing(model: type[Model], pks: set[int | None]) -> frozenset[int]:
    found = model._default_manager.filter(pk__in=pks - {None})
    return frozenset(found.values_list("pk", flat=True))


def newest_guarantees(rows: Iterable[tuple[int, str, datetime]]) -> dict[int, int]:
    """For each row (key, number, time) the newest guarantee of that number imported before it.

    "Before" is told by time and key of the source rows, as N10 has it; rows without one are
    left out.
    """
    columns = list(zip(*rows, strict=True))
    if not columns:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [*map(list, columns), *[PADDING] * 4])
        return dict(cursor.fetchall())


# The row value after the plain comparison is for ties; the plain one walks the index.
_NEWEST: Final = """
    SELECT wanted.id, newest.id
    FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS wanted(id, number, created_at)
    CROSS JOIN LATERAL (
        SELECT g.id
        FROM guarantees_guarantee g
        JOIN guarantees_importedrecord r ON r.migrated_guarantee_id = g.id
        WHERE md5(btrim(g.number, %s)) = md5(btrim(wanted.number, %s))
          AND g.created_at <= wanted.created_at
          AND (g.created_at, r.id) < (wanted.created_at, wanted.id)
          AND btrim(r.guarantee_number, %s) = btrim(wanted.number, %s)
        ORDER BY g.created_at DESC, r.id DESC
        LIMIT 1
    ) newest
"""


def compare_link(row: Any, values: Mapping[str, Any], model: type[Model], known: Known) -> Outcome:
    """The outcome for a row that is linked already; nothing of it is ever overwritten.

    A row that no file brought – dual writing did – is right as it stands. Any other may have been
    imported again since it was migrated.
    """
    if row.content_hash is None:
        return Unchanged()
    linked = known.linked.get(row.pk)
    if linked is None:
        return Conflict(
            "changed_after_migration",
            gettext_noop(
                "The row now becomes a %(model)s, but it is linked to what it became "
                "when it was carried over. Import the former row again, or roll back "
                "that run."
            )
            % {"model": model._meta.verbose_name},
        )
    found = [
        _difference(name, values[name], getattr(linked, name))
        for name in COMPARED[model]
        if not _same(name, values[name], linked)
    ]
    if not found:
        return Unchanged()
    return Conflict(
        "changed_after_migration",
        gettext_noop("The row was changed after it was carried over. %(found)s. %(how_to_go_on)s")
        % {"found": "; ".join(found), "how_to_go_on": _HOW_TO_GO_ON[model]},
    )


def _same(name: str, value: Any, linked: Model) -> bool:
    if isinstance(value, Ensure):
        batch = linked.batch  # type: ignore[attr-defined]  # of a guarantee
        return all(getattr(batch, key) == wanted for key, wanted in value.natural_key.items())
    return bool(getattr(linked, name) == value or (name in OPEN and value == OPEN[name]))


def _difference(name: str, value: Any, stored: Any) -> str:
    if isinstance(value, Ensure):
        wanted = ", ".join(str(part) for part in value.natural_key.values())
        return f"batch: {wanted} in the row, another one here"
    return f"{name.removesuffix('_id')}: “{shown(value)}” in the row, “{shown(stored)}” here"
