"""Deciding whom a name means (guarantees.md "Name matching").

A decision teaches: the written name becomes another name of the supplier or bank, and open rows of
the batch with the same name are decided with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import BigIntegerField, Model, Q, QuerySet
from django.utils.translation import gettext as _

from guarantees.cutovers import write_both
from guarantees.entry_errors import (
    DecidedMeanwhile,
    DecisionRefused,
    GuaranteeProtected,
    NameTaken,
    NoSuchRow,
)
from guarantees.matching import Tier
from guarantees.models import (
    Bank,
    BankAlias,
    Guarantee,
    ImportBatch,
    MatchStatus,
    Supplier,
    SupplierAlias,
)
from guarantees.names import ARABIC_LETTER, normalize_name
from guarantees.selectors.dictionaries import read_dictionaries
from guarantees.services.legacy_writing import write_legacy_decision
from guarantees.services.recording import lock_batch, save_totals
from migrations_tools.engine.history import CHANGED, write_history
from migrations_tools.engine.sql import quoted, table_of
from migrations_tools.engine.transfer import transfer
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import history_reason, save
from migrations_tools.text import storable

#: ``source`` of an alias that a decision has taught.
LEARNT: Final = "decision"


@dataclass(frozen=True, slots=True)
class _Party:
    """A kind of party: its models, and the columns of guarantees that name it."""

    name: str
    model: type[Model]
    alias: type[Model]
    raw: str

    @property
    def column(self) -> str:
        return f"{self.name}_id"


_SUPPLIER: Final = _Party("supplier", Supplier, SupplierAlias, "raw_supplier_name")
_BANK: Final = _Party("bank", Bank, BankAlias, "raw_bank_name")
_PARTIES: Final = {party.name: party for party in (_SUPPLIER, _BANK)}


@dataclass(frozen=True, slots=True)
class Decided:
    """The guarantee as it is now; ``guarantees`` are the keys of all rows that were decided."""

    guarantee: Guarantee
    guarantees: list[int]
    ready: int  # how many of them became ready
    has_taught: bool


def decide_supplier(
    guarantee_id: int, supplier_id: int, *, acting_user: User, surface: str, reason: str = ""
) -> Decided:
    """The supplier that the raw name of a guarantee means.

    Raises PermissionRefused, NoSuchRow or GuaranteeProtected; nothing is written then.
    """
    return decide_name(
        "supplier", guarantee_id, supplier_id, acting_user=acting_user, surface=surface,
        reason=reason,
    )  # fmt: skip


def decide_bank(
    guarantee_id: int, bank_id: int, *, acting_user: User, surface: str, reason: str = ""
) -> Decided:
    """The bank that the raw name of a guarantee means; as `decide_supplier`."""
    return decide_name(
        "bank", guarantee_id, bank_id, acting_user=acting_user, surface=surface, reason=reason
    )


def decide_name(
    party_name: str,
    guarantee_id: int,
    pk: int,
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    seen: int | EllipsisType | None = ...,
) -> Decided:
    """`decide_supplier` or `decide_bank`, by the name of the party.

    ``seen`` is whom the name was held to mean when somebody looked at it (None: nobody); where
    that is another one now, nothing is decided. Raises DecidedMeanwhile then.
    """
    party = _PARTIES[party_name]
    require_deciding(party_name, acting_user, surface)
    _require_storable(reason)
    with transaction.atomic():
        guarantee, batch = _lock(guarantee_id)
        return _decide(
            party, guarantee, batch, pk, seen=seen, acting_user=acting_user,
            why=history_reason(f"{party.name} decided", surface, reason),
        )  # fmt: skip


def decide_as_new(
    party_name: str,
    guarantee_id: int,
    name: str,
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    seen: int | EllipsisType | None = ...,
) -> Decided:
    """Add a supplier or bank of that name, and decide that it is meant.

    Raises what `decide_name` does, PermissionRefused without the permission to add one, and
    NameTaken where the dictionary has it already.
    """
    party = _PARTIES[party_name]
    require_deciding(party_name, acting_user, surface)
    require_permission(
        acting_user, f"guarantees.add_{party.name}", deed=f"add a {party.name}", surface=surface
    )
    _require_storable(reason)
    name = name.strip()
    normalized = normalize_name(name) if storable(name) else ""
    if not normalized:
        raise DecisionRefused(
            _("A %(name)s needs a name.") % {"name": _(party.name)}, code="missing", field="name"
        )
    why = history_reason(f"{party.name} decided", surface, reason)
    with transaction.atomic():
        guarantee, batch = _lock(guarantee_id)
        _wait_for_turn(party)
        dictionaries = read_dictionaries()
        dictionary = dictionaries.suppliers if party is _SUPPLIER else dictionaries.banks
        taken = dictionary.match(name)
        if taken.tier not in (None, Tier.FUZZY):
            raise NameTaken(
                _("“%(name)s” is a name of the %(party)s “%(known)s” already; choose that one.")
                % {"name": name, "party": _(party.name), "known": taken.candidates[0].name},
                field="name",
            )
        column = "name" if party is _SUPPLIER else _column_of(name)
        new = party.model(**{column: name, "normalized_name": normalized})
        save(new, acting_user=acting_user, reason=why)
        return _decide(party, guarantee, batch, new.pk, seen=seen, acting_user=acting_user, why=why)


def _wait_for_turn(party: _Party) -> None:
    """One addition at a time: whoever adds the same name for another batch finds it here then."""
    with connection.cursor() as cursor:
        lock = f"carryover new {party.name}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])


def _column_of(name: str) -> str:
    """The column of a bank's name, by its letters."""
    return "name_ar" if ARABIC_LETTER.search(name) else "name_en"


@dataclass(frozen=True, slots=True)
class DecisionPreview:
    """What a decision would reach: ``guarantees`` rows, of which ``ready`` would become ready."""

    guarantee: Guarantee
    chosen: Model | None
    raw_name: str
    known: int | None
    guarantees: int
    ready: int


def preview_decision(
    party_name: str, guarantee_id: int, pk: int | None, *, acting_user: User, surface: str
) -> DecisionPreview:
    """What `decide_name` would do now; ``pk`` is None for somebody who is added first.

    Raises what that would raise.
    """
    party = _PARTIES[party_name]
    require_deciding(party_name, acting_user, surface)
    guarantee = Guarantee.objects.filter(pk=_storable_id(guarantee_id)).first()
    if guarantee is None:
        raise NoSuchRow(
            _("There is no guarantee %(guarantee_id)s.") % {"guarantee_id": guarantee_id},
            field="guarantee",
        )
    _require_open(party, guarantee)
    chosen = None
    if pk is not None:
        chosen = party.model._default_manager.filter(pk=_storable_id(pk)).first()
        if chosen is None:
            raise NoSuchRow(
                _("There is no %(name)s %(pk)s.") % {"name": _(party.name), "pk": pk},
                field=party.name,
            )
    rows = _judged(party, _reached(party, guarantee))
    return DecisionPreview(
        guarantee=guarantee,
        chosen=chosen,
        raw_name=getattr(guarantee, party.raw),
        known=getattr(guarantee, party.column),
        guarantees=len(rows),
        ready=sum(row.becomes_ready for row in rows),
    )


def require_deciding(party_name: str, acting_user: User, surface: str) -> None:
    require_permission(
        acting_user,
        "guarantees.change_guarantee",
        deed=f"decide the {party_name} of a guarantee",
        surface=surface,
    )


def _require_storable(reason: str) -> None:
    if not storable(reason):
        raise DecisionRefused(
            _("Reason: it is no text that can be stored."), code="invalid_value", field="reason"
        )


def _require_open(party: _Party, guarantee: Guarantee) -> None:
    if guarantee.is_protected:
        raise GuaranteeProtected(
            _("Guarantee %(number)s is protected; issue a modification to correct its %(name)s.")
            % {"number": guarantee.number, "name": _(party.name)},
            guarantee=guarantee.pk,
        )


def _storable_id(number: int) -> int:
    """The id, or 0, which no row has, where the column cannot hold it."""
    return number if 0 < number <= BigIntegerField.MAX_BIGINT else 0


def _decide(
    party: _Party,
    guarantee: Guarantee,
    batch: ImportBatch,
    pk: int,
    *,
    seen: int | EllipsisType | None,
    acting_user: User,
    why: str,
) -> Decided:
    """Guarantee and batch are locked."""
    by: dict[str, Any] = {"acting_user": acting_user, "reason": why}
    with transaction.atomic():
        rows = party.model._default_manager.select_for_update(no_key=True)
        chosen = rows.filter(pk=_storable_id(pk)).first()
        if chosen is None:
            raise NoSuchRow(
                _("There is no %(name)s %(pk)s.") % {"name": _(party.name), "pk": pk},
                field=party.name,
            )
        _require_open(party, guarantee)
        if seen is not ... and seen != getattr(guarantee, party.column):
            raise DecidedMeanwhile(
                _(
                    "Somebody has decided the %(name)s of guarantee %(number)s meanwhile: it "
                    "is %(chosen)s."
                )
                % {
                    "name": _(party.name),
                    "number": guarantee.number,
                    "chosen": getattr(guarantee, party.name) or _("nobody"),
                },
                guarantee=guarantee.pk,
            )
        raw_name = getattr(guarantee, party.raw)
        has_taught = _teach(party, raw_name, chosen, **by)
        found = _reached(party, guarantee).select_for_update(no_key=True)
        decided = _judged(party, found)
        _write(party, decided, chosen.pk, **by)
        ready = sum(row.becomes_ready for row in decided)
        batch.ready_records += ready
        save_totals(batch, **by)
    guarantee.refresh_from_db()
    return Decided(guarantee, [row.pk for row in decided], ready, has_taught)


def _lock(guarantee_id: int) -> tuple[Guarantee, ImportBatch]:
    """The guarantee and its batch, the batch locked first, as whoever records does."""
    asked = Guarantee.objects.filter(pk=_storable_id(guarantee_id))
    found = asked.values_list("batch", flat=True).first()
    batch = None if found is None else lock_batch(pk=found)
    guarantee = asked.select_for_update(no_key=True).first()
    if guarantee is None or batch is None:
        raise NoSuchRow(
            _("There is no guarantee %(guarantee_id)s.") % {"guarantee_id": guarantee_id},
            field="guarantee",
        )
    return guarantee, batch


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that is decided; ``is_ready`` as it will be."""

    pk: int
    is_ready: bool
    becomes_ready: bool


def _reached(party: _Party, guarantee: Guarantee) -> QuerySet[Guarantee]:
    """The guarantee, and the open rows of its batch with the same raw name.

    A blank name is nobody's in particular.
    """
    asked = Q(pk=guarantee.pk)
    if normalize_name(getattr(guarantee, party.raw)):
        asked |= Q(
            batch=guarantee.batch_id,
            match_status=MatchStatus.NEEDS_REVIEW,
            is_protected=False,
            **{party.raw: getattr(guarantee, party.raw)},
        )
    return Guarantee.objects.filter(asked).order_by("pk")


def _judged(party: _Party, found: QuerySet[Guarantee]) -> list[_Row]:
    """What becomes of the rows: one is ready when its other name is settled too."""
    other = _BANK if party is _SUPPLIER else _SUPPLIER
    settled = _Settled(other)
    rows = []
    for pk, status, raw, known in found.values_list("pk", "match_status", other.raw, other.column):
        was_ready = status == MatchStatus.READY
        is_ready = was_ready or settled.is_settled(raw, known)
        rows.append(_Row(pk, is_ready, is_ready and not was_ready))
    return rows


class _Settled:
    """Whether a name is settled: matched with certainty, or decided by a person before."""

    def __init__(self, party: _Party) -> None:
        dictionaries = read_dictionaries()
        self._dictionary = dictionaries.banks if party is _BANK else dictionaries.suppliers
        learnt = party.alias._default_manager.filter(source=LEARNT)
        self._learnt = set(learnt.values_list("normalized_name", party.column))

    def is_settled(self, raw_name: str, pk: int | None) -> bool:
        if pk is None:
            return False
        match = self._dictionary.match(raw_name)
        by_match = match.is_certain and match.pk == pk
        return by_match or (normalize_name(raw_name), pk) in self._learnt


def _teach(party: _Party, raw_name: str, chosen: Model, *, acting_user: User, reason: str) -> bool:
    """Make the written name another name of ``chosen``, whose row is locked; whether it is new.

    A name that is known already is counted once more.
    """
    name = normalize_name(raw_name)
    if not name:
        return False
    aliases = party.alias._default_manager.filter(
        normalized_name=name, source=LEARNT, **{party.name: chosen}
    )
    alias = aliases.order_by("pk").first()
    is_new = alias is None
    if alias is None:
        alias = party.alias(
            name=raw_name, normalized_name=name, source=LEARNT, **{party.name: chosen}
        )
    alias.uses += 1  # type: ignore[attr-defined]  # both models have it
    save(alias, acting_user=acting_user, reason=reason)
    return is_new


def _write(party: _Party, rows: list[_Row], pk: int, *, acting_user: User, reason: str) -> None:
    """Set the party and the status of the rows, with history, in a few statements.

    The old rows follow what the guarantees have become, so they come second whichever side leads.
    """
    ready, open_ = MatchStatus.READY.value, MatchStatus.NEEDS_REVIEW.value
    statuses = [(row.pk, ready if row.is_ready else open_) for row in rows]
    with connection.cursor() as cursor:
        given = transfer(cursor, [("pk", "bigint"), ("status", "text")], statuses)
        cursor.execute(
            f"UPDATE {table_of(Guarantee)} g SET {quoted(party.column)} = %s, "
            f"match_status = given.status FROM {given} given WHERE g.id = given.pk",
            [pk],
        )
        write_history(cursor, Guarantee, given, CHANGED, reason, acting_user.pk)
    write_both(legacy=lambda: write_legacy_decision(party.column, given), new=lambda: None)
