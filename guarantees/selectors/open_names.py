"""Names that nobody has decided yet, as people decide them: once for a batch and a spelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Min, Q, QuerySet

from guarantees.matching import Candidate, Match
from guarantees.models import Bank, Guarantee, ImportBatch, MatchStatus, Supplier
from guarantees.names import normalize_name
from guarantees.selectors.dictionaries import read_dictionaries

#: Kind of party → columns of guarantees: the name as written, and whom it means.
COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "supplier": ("raw_supplier_name", "supplier_id"),
    "bank": ("raw_bank_name", "bank_id"),
}


@dataclass(frozen=True, slots=True)
class OpenName:
    """A written name of a batch whose guarantees wait for a decision.

    ``guarantee`` is one of them, to decide all by. ``known`` is whom the name is held to mean, not
    for certain. A decision on a blank name reaches one guarantee only: ``is_blank``.
    """

    guarantee: int
    raw_name: str
    batch: ImportBatch
    guarantees: int
    known: Supplier | Bank | None
    is_certain: bool
    is_blank: bool
    suggestions: tuple[Candidate, ...]


def open_names(
    party: str, *, is_known: bool = False, batch: int | None = None, search: str = ""
) -> QuerySet[Any, Any]:
    """Open names of suppliers or banks (``party``) as groups, the most frequent first.

    Those that nobody is known for, or with ``is_known`` those whose supplier and bank are both
    known and yet not certain. To be cut into pages, and completed by `with_suggestions`.
    """
    raw, column = COLUMNS[party]
    found: QuerySet[Any, Any] = Guarantee.objects.filter(
        match_status=MatchStatus.NEEDS_REVIEW, is_protected=False
    )
    if is_known:
        found = found.filter(supplier__isnull=False, bank__isnull=False)
    else:
        found = found.filter(**{f"{column}__isnull": True})
    if batch is not None:
        found = found.filter(batch=batch)
    if search:
        found = found.filter(Q(**{f"{raw}__icontains": search}))
    groups: QuerySet[Any, Any] = found.order_by().values(raw, column, "batch_id")
    counted: QuerySet[Any, Any] = groups.annotate(guarantees=Count("pk"), first=Min("pk"))
    return counted.order_by("-guarantees", "first")


def with_suggestions(party: str, groups: Iterable[Mapping[str, Any]]) -> list[OpenName]:
    """Groups of `open_names` with who may be meant; a constant number of queries."""
    raw, column = COLUMNS[party]
    groups = list(groups)
    dictionaries = read_dictionaries()
    dictionary = dictionaries.suppliers if party == "supplier" else dictionaries.banks
    model: Any = Supplier if party == "supplier" else Bank
    known = model.objects.in_bulk({group[column] for group in groups} - {None})
    batches = ImportBatch.objects.in_bulk({group["batch_id"] for group in groups})
    names = []
    for group in groups:
        match: Match = dictionary.match(group[raw])
        names.append(
            OpenName(
                guarantee=group["first"],
                raw_name=group[raw],
                batch=batches[group["batch_id"]],
                guarantees=group["guarantees"],
                known=known.get(group[column]),
                is_certain=match.is_certain and match.pk == group[column],
                is_blank=not normalize_name(group[raw]),
                suggestions=match.candidates,
            )
        )
    return names


def reach_of(party: str, guarantees: Iterable[int]) -> dict[int, int]:
    """How many open guarantees a decision on each of ``guarantees`` reaches; two queries."""
    raw, _column = COLUMNS[party]
    open_ = Guarantee.objects.filter(match_status=MatchStatus.NEEDS_REVIEW, is_protected=False)
    asked = list(open_.filter(pk__in=list(guarantees)).values_list("pk", "batch_id", raw))
    counted = (
        open_.filter(
            batch__in={batch for _, batch, _ in asked}, **{f"{raw}__in": {n for *_, n in asked}}
        )
        .order_by()
        .values_list("batch_id", raw)
        .annotate(guarantees=Count("pk"))
    )
    found: dict[tuple[int, str], int] = {(batch, name): n for batch, name, n in counted}
    return {pk: found[batch, name] if normalize_name(name) else 1 for pk, batch, name in asked}
