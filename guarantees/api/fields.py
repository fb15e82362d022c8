"""Values as requests bring them: read as forms and files are, bounded, and nothing left over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from guarantees.reading import ValueNotUnderstood, day_first, read_amount, read_date

#: Characters of a name, a reason, a note.
LONGEST_NAME: Final = 1_000
LONGEST_TEXT: Final = 10_000


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses names that it does not have: a slip in a name must not lose what was meant."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {name: [_("There is no such field.")] for name in unknown}, code="unknown_field"
                )
        return super().to_internal_value(data)


class _ReadField(serializers.Field[Any, Any, Any, Any]):
    """A text or a number, read by the rules of guarantees.md "Reading values"."""

    def __init__(self, reader: Callable[[Any], Any], **options: Any) -> None:
        super().__init__(**options)
        self._reader = reader

    def to_internal_value(self, data: Any) -> Any:
        try:
            return self._reader(data)
        except ValueNotUnderstood as error:
            raise serializers.ValidationError(error.detail, code=error.code) from error

    def to_representation(self, value: Any) -> str:
        return str(value)


@extend_schema_field({"type": ["string", "number"], "example": "1234.50"})
class AmountField(_ReadField):
    """An amount as people write it, such as ``1,234.50`` or ``١٢٣٤٫٥٠``; above zero."""

    def __init__(self, **options: Any) -> None:
        super().__init__(_amount, allow_null=True, required=False, **options)


@extend_schema_field({"type": "string", "example": "2027-12-31"})
class DayField(_ReadField):
    """A day as people write it, such as ``2027-12-31`` or ``31/12/2027``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(_day, allow_null=True, required=False, **options)


def _amount(value: Any) -> Decimal | None:
    return read_amount(value)


def _day(value: Any) -> date | None:
    if not isinstance(value, str):
        raise ValueNotUnderstood("not_a_date", value, _("is not a date."))
    return read_date(value, day_first=day_first())
