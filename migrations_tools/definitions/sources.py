"""Where a step's rows come from, and how their keys are walked.

A source knows keys (text, as the ledger stores them), their order, and which of them are
selected: all of its queryset, less those already decided by a standing run of the definition
whose content has not changed since.
"""

from __future__ import annotations

import hashlib
from collections import namedtuple
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import (
    Aggregate,
    BinaryField,
    Exists,
    F,
    Func,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Collate

from migrations_tools.models import StagedRow

if TYPE_CHECKING:
    from migrations_tools.engine.selection import Selection


@dataclass(slots=True)
class Items:
    """A batch as it was read: keys (text), digests of their content, rows or groups."""

    keys: list[str]
    digests: list[bytes | None]
    rows: list[Any]

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, stop: int) -> Items:
        return Items(self.keys[start:stop], self.digests[start:stop], self.rows[start:stop])

    def without(self, keys: Collection[str | None]) -> Items:
        """The items of all other keys."""
        return self.at([place for place, key in enumerate(self.keys) if key not in keys])

    def at(self, places: Sequence[int]) -> Items:
        """The items at these places."""
        return Items(
            [self.keys[place] for place in places],
            [self.digests[place] for place in places],
            [self.rows[place] for place in places],
        )


@dataclass(slots=True)
class Group:
    """All rows of one key, in primary key order."""

    key: str
    rows: list[Any]


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Keys in (``after``, ``last``], or exactly ``keys``; all as text."""

    after: str | None = None
    last: str | None = None
    keys: Sequence[str] | None = None


class GroupDigest(Aggregate):
    """SHA-256 over the members' digests, whatever their order."""

    function = "sha256"
    template = (
        "sha256(string_agg(coalesce(%(expressions)s, ''::bytea), '/'::bytea "
        "ORDER BY %(expressions)s))"
    )
    output_field = BinaryField()


class Source:
    """What the engine asks of any source.

    ``digest`` names a hash of the row's content, a column or an annotation: a row that is not
    what the plan saw is a conflict. Where it names text to be ``hashed``, such as the evidence
    that a decision rests on, its SHA-256 is the digest, and the rows have the text.

    While the source ``remembers``, a key that a standing run decided with the same digest is not
    selected again; otherwise its queryset alone decides.
    """

    model: type[Model]

    def __init__(
        self,
        source: type[Model] | QuerySet[Any],
        *,
        fields: Sequence[str] | None = None,
        digest: str | None = None,
        remembers: bool = True,
        hashed: bool = False,
    ) -> None:
        self._queryset = source if isinstance(source, QuerySet) else source._default_manager.all()
        self.model = self._queryset.model
        self._fields = fields
        if digest is None and issubclass(self.model, StagedRow):
            digest = "content_hash"
        self.digest = digest
        self.remembers = remembers and digest is not None
        self._hashed = hashed

    def queryset(self, selection: Selection) -> QuerySet[Any]:
        """All rows of the source, decided or not."""
        return self._queryset.order_by()

    @property
    def key_name(self) -> str:
        """The field whose values are the keys; unique over rows or groups."""
        raise TypeError

    def keys(self, selection: Selection) -> QuerySet[Any]:
        """Selected keys, one row each: ``k`` (typed), ``d`` (digest or null)."""
        raise TypeError

    def to_key(self, text: str) -> Any:
        """The typed value of a key."""
        return self.model._meta.get_field(self.key_name).to_python(text)  # type: ignore[union-attr]

    def within(self, queryset: QuerySet[Any], key_range: KeyRange, name: str) -> QuerySet[Any]:
        """``queryset`` limited to a range of keys, which ``name`` holds."""
        if key_range.keys is not None:
            return queryset.filter(**{f"{name}__in": [self.to_key(key) for key in key_range.keys]})
        if key_range.after is not None:
            queryset = queryset.filter(**{f"{name}__gt": self.to_key(key_range.after)})
        if key_range.last is not None:
            queryset = queryset.filter(**{f"{name}__lte": self.to_key(key_range.last)})
        return queryset

    def lock(
        self, selection: Selection, key_range: KeyRange, *, skip_locked: bool = False
    ) -> set[Any]:
        """Lock the rows of the range in key order, against all but key shares; their pks."""
        chosen = self.within(self.queryset(selection), key_range, self.key_name)
        rows = self.model._default_manager.filter(pk__in=chosen.values("pk"))
        order = list(dict.fromkeys([self.key_name, self.model._meta.pk.attname]))
        locked = rows.order_by(*order).select_for_update(no_key=True, skip_locked=skip_locked)
        return set(locked.values_list("pk", flat=True))

    def read_locked(self, selection: Selection, key_range: KeyRange) -> Items:
        """Lock, then read; rows that appeared in between are locked in another round."""
        while True:
            locked = self.lock(selection, key_range)
            items = self.read(selection, key_range)
            if all(row.pk in locked for found in items.rows for row in self.members(found)):
                return items

    def read_unheld(self, selection: Selection, key_range: KeyRange) -> tuple[Items, Items]:
        """As ``read_locked``, without waiting: what could be locked, and what others hold."""
        locked = self.lock(selection, key_range, skip_locked=True)
        items = self.read(selection, key_range)
        free: list[int] = []
        held: list[int] = []
        for place, found in enumerate(items.rows):
            ours = all(row.pk in locked for row in self.members(found))
            (free if ours else held).append(place)
        return items.at(free), items.at(held)

    def members(self, found: Any) -> Sequence[Any]:
        """The source rows of one key."""
        return (found,)

    def standing(self, keys: Sequence[str]) -> set[str]:
        """Those of ``keys`` under which a row stands, whether the queryset holds it or not."""
        wanted = [self.to_key(key) for key in keys]
        rows = self.model._base_manager.filter(**{f"{self.key_name}__in": wanted})
        return {str(key) for key in rows.values_list(self.key_name, flat=True)}

    def read(self, selection: Selection, key_range: KeyRange) -> Items:
        """The selected keys of the range with their rows."""
        raise TypeError

    def field_names(self) -> list[str]:
        if self._fields is not None:
            names = list(dict.fromkeys([self.model._meta.pk.attname, *self._fields]))
        else:
            names = [field.attname for field in self.model._meta.concrete_fields]
        return names + [name for name in self._queryset.query.annotations if name not in names]

    def row_class(self) -> type[Any]:
        """A named tuple of the fields that ``Update`` and ``Delete`` accept as a row."""
        cached: type[Any] | None = self.__dict__.get("_row_class")
        if cached is None:
            base = namedtuple(f"{self.model.__name__}Row", self.field_names())  # type: ignore[misc]
            pk = self.field_names().index(self.model._meta.pk.attname)
            cached = type(
                base.__name__,
                (base,),
                {
                    "__slots__": (),
                    "_meta": self.model._meta,
                    "pk": property(lambda row: row[pk]),
                },
            )
            self.__dict__["_row_class"] = cached
        return cached


class RowSource(Source):
    """One key per row: the primary key, or the unique field ``key``, text of collation C."""

    def __init__(
        self,
        source: type[Model] | QuerySet[Any],
        *,
        key: str = "",
        fields: Sequence[str] | None = None,
        digest: str | None = None,
        remembers: bool = True,
        hashed: bool = False,
    ) -> None:
        super().__init__(source, fields=fields, digest=digest, remembers=remembers, hashed=hashed)
        self._key = key or self.model._meta.pk.attname

    @property
    def key_name(self) -> str:
        return self._key

    def keys(self, selection: Selection) -> QuerySet[Any]:
        rows = self._undecided(self.queryset(selection), selection)
        return rows.values(k=F(self._key), **({"d": self._digest_value()} if self.digest else {}))

    def _undecided(self, rows: QuerySet[Any], selection: Selection) -> QuerySet[Any]:
        digest = self._digest_value() if self.remembers else None
        return selection.undecided(rows, Collate(Cast(self._key, TextField()), "C"), digest)

    def _digest_value(self) -> Combinable:
        """The digest, empty for rows that were staged without one."""
        if self._hashed:
            content = Func(F(str(self.digest)), Value("UTF8"), function="convert_to")
            return Func(content, function="sha256", output_field=BinaryField())
        return Coalesce(F(str(self.digest)), Value(b"", BinaryField()))

    def read(self, selection: Selection, key_range: KeyRange) -> Items:
        within = self.within(self.queryset(selection), key_range, self._key)
        rows = self._undecided(within, selection)
        make = self.row_class()._make
        width = len(self.field_names())
        names = list(dict.fromkeys([*self.field_names(), self._key, *filter(None, [self.digest])]))
        found = list(rows.order_by(self._key).values_list(*names))
        place = names.index(self._key)
        keys = [str(values[place]) for values in found]
        digests: list[bytes | None] = [None] * len(found)
        if self.digest:
            place = names.index(self.digest)
            digest = _sha256 if self._hashed else bytes
            digests = [digest(values[place] or b"") for values in found]
        if width < len(names):
            found = [values[:width] for values in found]
        return Items(keys, digests, [make(values) for values in found])


class TouchedSource(RowSource):
    """Rows of a model that the run itself made, used or changed: for totals and positions.

    With ``through``, the name of a reverse relation, rows that those of the relation refer to
    which the run made, used or changed.
    """

    def __init__(
        self, model: type[Model], *, through: str = "", fields: Sequence[str] | None = None
    ) -> None:
        super().__init__(model, fields=fields)
        self.digest = None
        self.remembers = False
        self._through = through

    def queryset(self, selection: Selection) -> QuerySet[Any]:
        rows = self._queryset.order_by()
        if self._through:
            return selection.touched_through(rows, self._through)
        return selection.touched(rows)


class GroupSource(Source):
    """One key per value of ``by``, a text column of collation C; groups are never split."""

    def __init__(
        self,
        source: type[Model] | QuerySet[Any],
        *,
        by: str,
        fields: Sequence[str] | None = None,
        digest: str | None = None,
    ) -> None:
        super().__init__(source, fields=fields, digest=digest)
        self._by = by

    @property
    def key_name(self) -> str:
        return self._by

    def keys(self, selection: Selection) -> QuerySet[Any]:
        rows = self.queryset(selection)
        same = self.queryset(selection).filter(**{self._by: OuterRef(self._by)})
        first = rows.exclude(Exists(same.filter(pk__lt=OuterRef("pk"))))
        digest = None
        if self.digest:
            members = same.values(self._by).annotate(d=GroupDigest(F(self.digest)))
            digest = Subquery(members.values("d"))
        groups = selection.undecided(first, F(self._by), digest)
        return groups.values(k=F(self._by), **({"d": digest} if digest else {}))

    def members(self, found: Any) -> Sequence[Any]:
        rows: list[Any] = found.rows
        return rows

    def read(self, selection: Selection, key_range: KeyRange) -> Items:
        chosen = self.within(self.keys(selection), key_range, "k").order_by("k")
        digests: dict[str, bytes | None] = {
            found["k"]: _as_bytes(found.get("d")) for found in chosen
        }
        rows = self.queryset(selection).filter(**{f"{self._by}__in": list(digests)})
        make = self.row_class()._make
        names = self.field_names()
        by = names.index(self.model._meta.get_field(self._by).attname)  # type: ignore[union-attr]
        groups = {key: Group(key, []) for key in digests}
        for values in rows.order_by(self._by, "pk").values_list(*names):
            groups[values[by]].rows.append(make(values))
        filled = [group for group in groups.values() if group.rows]
        return Items(
            [group.key for group in filled], [digests[group.key] for group in filled], list(filled)
        )


def _sha256(text: str | bytes) -> bytes:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).digest()


def _as_bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
