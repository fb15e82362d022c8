"""One record in both systems, side by side. Apps say in their ``comparisons`` modules how.

    @compares("split_imported_records")
    def compare(step: int, key: str) -> Comparison | None: ...

A comparison reads what is stored now. It knows what the old row *means* – the same readings as the
data migration's –, so that another spelling of a value is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.timezone import get_default_timezone, is_naive

from migrations_tools.models import LedgerEntry

Words = str | Promise

_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class FieldPair:
    """A field: what the old system says, as it is understood, and what stands here.

    ``compared`` is false where the two systems need not say the same, such as where only one of
    them has the field.
    """

    name: Words
    legacy: Any
    new: Any
    compared: bool = True

    @property
    def differs(self) -> bool:
        return self.compared and not alike(self.legacy, self.new)

    @property
    def legacy_shown(self) -> Any:
        return _or_dash(self.legacy)

    @property
    def new_shown(self) -> Any:
        return _or_dash(self.new)


def _or_dash(value: Any) -> Any:
    return "–" if value in (None, "", [], {}) else value


@dataclass(frozen=True)
class Comparison:
    """``legacy`` are the staged rows, ``new`` what they became; empty while that is nothing."""

    title: Words
    legacy: Sequence[Model]
    new: Sequence[Model]
    fields: Sequence[FieldPair]

    @property
    def differing(self) -> int:
        return sum(field.differs for field in self.fields) if self.new else 0


#: Given a step (from 0) and a key of it; None where there is no such row.
Compare = Callable[[int, str], Comparison | None]

#: The migration, the step and the key that an object came from; None where it came from none.
Origin = tuple[str, int, str]
Find = TypeVar("Find", bound=Callable[[Any], Origin | None])

_comparers: dict[str, Compare] = {}
_origins: dict[type[Model], Callable[[Any], Origin | None]] = {}


def compares(definition: str) -> Callable[[Compare], Compare]:
    """Register what compares the records of a data migration."""

    def register(compare: Compare) -> Compare:
        _comparers[definition] = compare
        return compare

    return register


def comes_from(*models: type[Model]) -> Callable[[Find], Find]:
    """Register what tells where objects of ``models`` came from, so that their pages lead to the
    comparison.
    """

    def register(find: Find) -> Find:
        _origins.update(dict.fromkeys(models, find))
        return find

    return register


def comparison_url_of(obj: object) -> str:
    """The page that compares an object with what it came from; empty where there is none."""
    find = next((_origins[base] for base in type(obj).__mro__ if base in _origins), None)
    origin = None if find is None else find(obj)
    return "" if origin is None else comparison_url(*origin)


def comparison_of(definition: str, step: int, key: str) -> Comparison | None:
    """A record in both systems; None where it is unknown, or nobody says how to compare it."""
    compare = _comparers.get(definition)
    return None if compare is None else compare(step, key)


def may_see(user: User, found: Comparison) -> bool:
    """Whether ``user`` may see all of what a comparison shows."""
    return all(_may_see(user, obj) for obj in (*found.legacy[:1], *found.new))


def _may_see(user: User, obj: Model) -> bool:
    meta = obj._meta
    rights = (f"{meta.app_label}.{right}_{meta.model_name}" for right in ("view", "change"))
    return any(user.has_perm(right) for right in rights)


def newest_outcome(definition: str, step: int, key: str) -> LedgerEntry | None:
    """What the last run made of the key."""
    entries = LedgerEntry.objects.filter(run__definition=definition, step=step, key=key)
    return entries.select_related("run").order_by("-id").first()


def comparison_url(definition: str, step: int, key: str) -> str:
    """The admin page that shows it; empty where nobody says how to compare such records."""
    if definition not in _comparers or not key:
        return ""
    return reverse("admin:import_compare", args=[definition, step, key])


def alike(legacy: Any, new: Any) -> bool:
    """Whether two values mean the same: nothing is blank, numbers and instants are compared as
    such, and of texts neither case nor white space counts.
    """
    if legacy in (None, "", [], {}) or new in (None, "", [], {}):
        return legacy in (None, "", [], {}) and new in (None, "", [], {})
    if isinstance(legacy, dict) and isinstance(new, dict):
        return all(alike(legacy.get(name), new.get(name)) for name in {*legacy, *new})
    if isinstance(legacy, list) and isinstance(new, list):
        return len(legacy) == len(new) and all(map(alike, legacy, new))
    if isinstance(new, bool) or isinstance(legacy, bool):
        return bool(_truth(legacy) == _truth(new))
    if isinstance(new, int | float | Decimal) or isinstance(legacy, int | float | Decimal):
        return bool(_number(legacy) == _number(new))
    if isinstance(new, datetime):
        return _instant(legacy) == new
    if isinstance(new, date):
        return str(legacy)[:10] == new.isoformat()
    return _text(legacy) == _text(new)


def _truth(value: Any) -> Any:
    return _TRUTH.get(str(value).strip().casefold(), value)


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value).strip().replace(",", ""))
    except InvalidOperation:
        return value


def _instant(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        found: datetime | None = value
    else:
        try:
            found = parse_datetime(str(value).strip())
        except ValueError:
            return None
    if found is not None and is_naive(found):
        found = found.replace(tzinfo=get_default_timezone())
    return found


def _text(value: Any) -> str:
    return " ".join(str(value).split()).casefold()
