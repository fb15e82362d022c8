"""A row of a large table in a form: written as text, completed by the browser.

A plain input with suggestions: it works with a keyboard, a screen reader, under a strict
Content-Security-Policy, and without a script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from migrations_tools.text import storable

#: Names that the browser is given to complete from; whoever is not among them is written out.
MOST_SUGGESTED: Final = 500
_NAMED: Final = re.compile(r".*\(([0-9A-Za-z-]{1,36})\)\s*", re.DOTALL)


class SuggestingInput(forms.TextInput):
    """An input with names that the browser completes from, asked for when the page is drawn."""

    def __init__(self, suggested: Callable[[], Iterable[str]]) -> None:
        super().__init__({"autocomplete": "off", "class": "vTextField"})
        self._suggested = suggested

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        names = f"{name}-names"
        written = super().render(name, value, {**(attrs or {}), "list": names}, renderer)
        options = format_html_join(
            "", '<option value="{}"></option>', ((each,) for each in self._suggested())
        )
        return format_html('{}<datalist id="{}">{}</datalist>', written, names, options)


class SuggestingField(forms.CharField):
    """Shows ``Name (id)``; takes that, an id, or what `find` knows. Gives the row, or None."""

    unknown: Any = _("Nothing here has that name.")
    #: Whether a key alone is taken; not where names look like keys.
    takes_keys = True

    def __init__(self, **options: Any) -> None:
        self._found: dict[str, Any] = {}
        super().__init__(**{"max_length": 2_000, "required": False} | options)
        self.widget = SuggestingInput(self.suggested)
        self.widget.is_required = self.required

    def __deepcopy__(self, memo: dict[int, Any]) -> SuggestingField:
        """What one form has found is not for the next one."""
        copied: SuggestingField = super().__deepcopy__(memo)
        copied._found = {}
        return copied

    def rows(self) -> QuerySet[Any]:
        """What can be chosen."""
        raise NotImplementedError

    def find(self, text: str) -> Any:
        """The row of that name, None if there is none. May raise ValidationError."""
        raise NotImplementedError

    def suggested(self) -> Iterable[str]:
        """What the browser completes from."""
        return [self.shown(row) for row in self.rows()[:MOST_SUGGESTED]]

    def shown(self, row: Any) -> str:
        return f"{row} ({row.pk})"

    def prepare_value(self, value: Any) -> Any:
        row = self._row(value)
        return value if row is None else self.shown(row)

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, self.rows().model):
            return value
        if not isinstance(value, str):
            return self._row(value)
        text = str(super().to_python(value) or "")
        if not text:
            return None
        super().run_validators(text)
        if text not in self._found:
            self._found[text] = self._read(text)
        return self._found[text]

    def run_validators(self, value: Any) -> None:
        """Those of texts do not concern a row: `to_python` has asked them."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return bool(self.prepare_value(initial) != data)

    def _read(self, text: str) -> Any:
        named = _NAMED.fullmatch(text)
        row = self._by_key(named[1]) if named else None
        if row is None and self.takes_keys:
            row = self._by_key(text)
        if row is None and storable(text):
            row = self.find(text)
        if row is None:
            raise forms.ValidationError(self.unknown, code="unknown")
        return row

    def _row(self, value: Any) -> Any:
        """The row of a key that is no text from a form."""
        if value is None or isinstance(value, str):
            return None
        return value if isinstance(value, self.rows().model) else self._by_key(value)

    def _by_key(self, key: Any) -> Any:
        """The row of a key, however it is written; None where it can be no key."""
        field = self.rows().model._meta.pk
        try:
            value = field.to_python(key)
            field.run_validators(value)
        except forms.ValidationError:
            return None
        return self.rows().filter(pk=value).first()
