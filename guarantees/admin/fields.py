"""Dates and amounts in forms, as people write them: any digits, any of the usual orders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guarantees.reading import ValueNotUnderstood, day_first, read_amount, read_date
from migrations_tools.text import storable


class DayField(forms.CharField):
    """A calendar date; blank is None. What `read_date` refuses is an error in its words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 60} | options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, date):
            return value
        try:
            return read_date(super().to_python(value) or None, day_first=day_first())
        except ValueNotUnderstood as error:
            raise forms.ValidationError(error.detail, code=error.code) from error

    def run_validators(self, value: Any) -> None:
        """Those of texts do not concern a date."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _differ(self, initial, data)


class AmountField(forms.CharField):
    """An amount of money; blank is None. What `read_amount` refuses is an error in its words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 100} | options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return value
        try:
            return read_amount(super().to_python(value) or None)
        except ValueNotUnderstood as error:
            raise forms.ValidationError(error.detail, code=error.code) from error

    def run_validators(self, value: Any) -> None:
        """Those of texts do not concern an amount."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _differ(self, initial, data)


class PlainField(forms.CharField):
    """A text that the database can hold, as it is written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"strip": False, "max_length": 4_000, "required": False} | options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if isinstance(text, str):
            # a browser sends every end of a line as two characters
            text = text.replace("\r\n", "\n")
            if not storable(text):
                raise forms.ValidationError(_("This is no text that can be stored."))
        return text

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _differ(self, initial, data)


def _differ(field: forms.Field, initial: Any, data: Any) -> bool:
    """Whether both are read as other values; what cannot be read is another."""
    try:
        return bool(field.to_python(initial) != field.to_python(data))
    except forms.ValidationError:
        return bool(initial != data)
