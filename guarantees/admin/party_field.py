"""A supplier or bank in a form: written, completed by the browser, found by the dictionary."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from guarantees.matching import Tier
from guarantees.models import Bank, Supplier
from guarantees.selectors.dictionaries import read_dictionaries
from migrations_tools.admin.suggesting import SuggestingField

_MODELS: Final[dict[str, Any]] = {"supplier": Supplier, "bank": Bank}


class PartyField(SuggestingField):
    """Shows ``Name (id)``; takes that, an id, or a name of the dictionary. Gives the row."""

    unknown = _("The dictionary knows nobody of that name.")

    def __init__(self, party: str, **options: Any) -> None:
        self.party = party
        options.setdefault(
            "help_text",
            _("A name of the dictionary, or its number. The browser offers names as you type."),
        )
        super().__init__(**options)

    def rows(self) -> QuerySet[Any]:
        found: QuerySet[Any] = _MODELS[self.party].objects.all()
        return found

    def find(self, text: str) -> Any:
        dictionaries = read_dictionaries()
        known = dictionaries.suppliers if self.party == "supplier" else dictionaries.banks
        match = known.match(text)
        if match.pk is not None and match.tier != Tier.FUZZY:
            return self.rows().filter(pk=match.pk).first()
        if match.candidates:
            names = ", ".join(f"{found.name} ({found.pk})" for found in match.candidates)
            raise forms.ValidationError(
                _("Not certain who that is. Perhaps: %(names)s"),
                params={"names": names},
                code="uncertain",
            )
        return None
