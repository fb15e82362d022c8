"""A supplier or bank in a form: written, completed by the browser, found by the dictionary.

A plain text field: it works with a keyboard, a screen reader, and without a script.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from guarantees.matching import Tier
from guarantees.models import Bank, Supplier
from guarantees.selectors.dictionaries import read_dictionaries
from guarantees.services.actions.finding import LARGEST_ID
from migrations_tools.text import storable

_MODELS: Final[dict[str, Any]] = {"supplier": Supplier, "bank": Bank}
#: Names that the browser is given to complete from; whoever is not among them is written out.
_OFFERED: Final = 500
_ID: Final = re.compile(r"(?:.*\()?\s*([0-9]{1,19})\s*\)?", re.DOTALL)


class PartyField(forms.CharField):
    """Shows ``Name (id)``; takes that, an id, or a name of the dictionary. Gives the row."""

    def __init__(self, party: str, **options: Any) -> None:
        self.party = party
        self._found: dict[str, Any] = {}
        options.setdefault(
            "help_text",
            _("A name of the dictionary, or its number. The browser offers names as you type."),
        )
        super().__init__(**{"max_length": 2_000, "required": False} | options)
        self.widget.attrs |= {"list": self.list_id, "autocomplete": "off", "class": "vTextField"}

    @property
    def list_id(self) -> str:
        return f"{self.party}-names"

    def offered(self) -> list[str]:
        """What the browser completes from."""
        rows = _MODELS[self.party].objects.all()[:_OFFERED]
        return [_shown(row) for row in rows]

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int):
            row = self._row(value)
            return value if row is None else _shown(row)
        return _shown(value) if isinstance(value, _MODELS[self.party]) else value

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, _MODELS[self.party]):
            return value
        if isinstance(value, int):
            return self._row(value)
        text = str(super().to_python(value) or "")
        if not text:
            return None
        if text not in self._found:
            self._found[text] = self._find(text)
        return self._found[text]

    def run_validators(self, value: Any) -> None:
        """Those of texts do not concern a row."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return bool(self.prepare_value(initial) != data)

    def _row(self, pk: int) -> Any:
        return _MODELS[self.party].objects.filter(pk=pk if 0 < pk <= LARGEST_ID else 0).first()

    def _find(self, text: str) -> Any:
        if named := _ID.fullmatch(text):
            row = self._row(int(named[1]))
            if row is not None:
                return row
        if storable(text) and len(text) <= (self.max_length or 0):
            dictionaries = read_dictionaries()
            known = dictionaries.suppliers if self.party == "supplier" else dictionaries.banks
            match = known.match(text)
            if match.pk is not None and match.tier != Tier.FUZZY:
                return self._row(match.pk)
            if match.candidates:
                names = ", ".join(f"{found.name} ({found.pk})" for found in match.candidates)
                raise forms.ValidationError(
                    _("Not certain who that is. Perhaps: %(names)s"),
                    params={"names": names},
                    code="uncertain",
                )
        raise forms.ValidationError(_("The dictionary knows nobody of that name."), code="unknown")


def _shown(row: Any) -> str:
    return f"{row} ({row.pk})"
