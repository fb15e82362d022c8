"""The forms of guarantees, drafts and names: they ask the services and have no rule."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.utils.translation import gettext_lazy as _

from guarantees.action_errors import NothingChanged
from guarantees.admin.fields import AmountField, DayField, PlainField
from guarantees.admin.party_field import PartyField
from guarantees.models import (
    Bank,
    BankAlias,
    Guarantee,
    GuaranteeAction,
    Supplier,
    SupplierAlias,
    SupplierOverride,
)
from guarantees.services.actions import ActionRequest, edit_draft
from guarantees.services.actions.corrections import MODIFIABLE
from guarantees.services.correcting import correct_guarantee
from guarantees.services.dictionaries import add_row, change_row
from migrations_tools.admin.asking import AskingForm

#: Characters of a name, and of notes, as on the API.
_LONGEST_NAME: Final = 1_000
_LONGEST_NOTES: Final = 10_000


class DraftForm(AskingForm):
    """What a draft asks for; what stands now and the parties are noted anew."""

    new_expiry = DayField(label=_("New expiry"), required=False)
    new_amount = AmountField(label=_("New amount"), required=False)

    class Meta:
        model = GuaranteeAction
        fields = ["new_expiry", "new_amount", "notes", "reason"]

    def carry_out(self) -> GuaranteeAction:
        draft = self.instance
        given = self.values_of(draft) | self.changed_values()
        request = ActionRequest(
            action_type=draft.action_type,
            number=draft.number,
            new_expiry=given.get("new_expiry"),
            new_amount=given.get("new_amount"),
            changes={name: new for name, (_, new) in draft.changes.items()},
            reason=given["reason"],
            notes=given["notes"],
        )
        return edit_draft(draft.pk, request, before=self.expect_unchanged, **self.by)


class GuaranteeForm(AskingForm):
    """Imported values that a person may correct; only what was changed is corrected."""

    supplier = PartyField("supplier", label=_("Supplier"))
    bank = PartyField("bank", label=_("Bank"))
    amount = AmountField(label=_("Amount"), required=False)
    issue_date = DayField(label=_("Issue date"), required=False)
    expiry_date = DayField(label=_("Expiry date"), required=False)

    class Meta:
        model = Guarantee
        fields = list(MODIFIABLE)
        widgets = {
            "number": AdminTextInputWidget,
            "raw_supplier_name": AdminTextInputWidget,
            "raw_bank_name": AdminTextInputWidget,
            "contract_number": AdminTextInputWidget,
            "related_to": AdminTextInputWidget,
            "type": AdminTextInputWidget,
            "comment": forms.Textarea(attrs={"rows": 3}),
        }

    def carry_out(self) -> Guarantee:
        guarantee: Guarantee = self.instance
        try:
            return correct_guarantee(
                guarantee.pk, self.changed_values(), before=self.expect_unchanged, **self.by
            )
        except NothingChanged:
            return guarantee  # saved as it stands


class DictionaryForm(AskingForm):
    """A supplier, a bank, or another name of one."""

    def carry_out(self) -> Any:
        model, values = self._meta.model, self.changed_values()
        if self.instance._state.adding:
            return add_row(model, values, **self.by)
        if not values:
            return self.instance  # saved as it stands
        return change_row(model, self.instance.pk, values, before=self.expect_unchanged, **self.by)


def _name(label: Any, *, required: bool = False) -> PlainField:
    return PlainField(
        label=label,
        required=required,
        max_length=_LONGEST_NAME,
        strip=True,
        widget=AdminTextInputWidget(),
    )


class SupplierForm(DictionaryForm):
    name = _name(_("Name"), required=True)
    display_name = _name(_("Display name"))

    class Meta:
        model = Supplier
        fields = ["name", "display_name"]


class BankForm(DictionaryForm):
    """A bank has an English name, an Arabic one, or both."""

    name_en = _name(_("English name"))
    name_ar = _name(_("Arabic name"))

    class Meta:
        model = Bank
        fields = ["short_code", "name_en", "name_ar"]


class SupplierAliasForm(DictionaryForm):
    """Another name of a supplier."""

    supplier = PartyField("supplier", label=_("Supplier"), required=True)
    name = _name(_("Name"), required=True)

    class Meta:
        model = SupplierAlias
        fields = ["supplier", "name"]


class SupplierOverrideForm(DictionaryForm):
    """A name that goes before every other match."""

    supplier = PartyField("supplier", label=_("Supplier"), required=True)
    name = _name(_("Name"), required=True)
    notes = PlainField(
        label=_("Notes"), max_length=_LONGEST_NOTES, widget=forms.Textarea(attrs={"rows": 3})
    )

    class Meta:
        model = SupplierOverride
        fields = ["supplier", "name", "notes"]


class BankAliasForm(DictionaryForm):
    """Another name of a bank."""

    bank = PartyField("bank", label=_("Bank"), required=True)
    name = _name(_("Name"), required=True)

    class Meta:
        model = BankAlias
        fields = ["bank", "name"]
