"""What each type of action asks for. The forms read values; the services judge them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from guarantees.admin.fields import AmountField, DayField, PlainField
from guarantees.admin.party_field import PartyField
from guarantees.models import ActionType, Guarantee
from guarantees.services.actions import ActionRequest
from guarantees.services.actions.corrections import MODIFIABLE

_DATE_HELP = _("For example 31/12/2027. Left blank: one calendar year later.")
_AREA = forms.Textarea(attrs={"rows": 2})


class ActionForm(forms.Form):
    """Base: an action of one type on one guarantee.

    ``key`` is of this form: sent twice, it acts once. ``agreed`` names the terms that the preview
    has shown.
    """

    action_type: str
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    agreed = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, guarantee: Guarantee, data: Any = None) -> None:
        self.guarantee = guarantee
        super().__init__(data, initial={"key": uuid4().hex, **self.values_now()})

    def values_now(self) -> dict[str, Any]:
        """What the fields begin with."""
        return {}

    def request(self, *, is_draft: bool = False) -> ActionRequest:
        """What the form asks for. A draft has a key of its own: it is another deed."""
        given = self.cleaned_data
        return ActionRequest(
            action_type=self.action_type,
            number=self.guarantee.number,
            guarantee_id=self.guarantee.pk,
            new_expiry=given.get("new_expiry"),
            new_amount=given.get("new_amount"),
            changes=self.changes(),
            reason=given.get("reason", ""),
            notes=given.get("notes", ""),
            idempotency_key=f"{given['key']}:draft" if is_draft else given["key"],
            agreed=given["agreed"] or None,
        )

    def changes(self) -> dict[str, Any]:
        return {}

    def clean(self) -> None:
        if "key" in self.errors:
            raise forms.ValidationError(_("This form is incomplete; open its page anew."))

    def hidden(self) -> list[Any]:
        """All values as hidden fields, for the page that asks for confirmation."""
        fields = []
        for field in self:
            if field.name == "agreed":
                continue
            fields.append(field.as_hidden())
            if field.field.show_hidden_initial:
                fields.append(field.as_hidden(only_initial=True))
        return fields


class ExtensionForm(ActionForm):
    action_type = ActionType.EXTENSION
    new_expiry = DayField(label=_("New expiry"), required=False, help_text=_DATE_HELP)
    notes = PlainField(label=_("Notes"), widget=_AREA)
    reason = PlainField(label=_("Reason"), widget=_AREA)


class RenewalForm(ActionForm):
    action_type = ActionType.RENEWAL
    new_expiry = DayField(label=_("New expiry"), required=False, help_text=_DATE_HELP)
    new_amount = AmountField(
        label=_("New amount"), required=False, help_text=_("Left blank: the amount stays.")
    )
    notes = PlainField(label=_("Notes"), widget=_AREA)
    reason = PlainField(label=_("Reason"), widget=_AREA)


class ReductionForm(ActionForm):
    action_type = ActionType.REDUCTION
    new_amount = AmountField(label=_("New amount"), help_text=_("Less than the current one."))
    notes = PlainField(label=_("Notes"), widget=_AREA)
    reason = PlainField(label=_("Reason"), widget=_AREA)


class ReleaseForm(ActionForm):
    action_type = ActionType.RELEASE
    notes = PlainField(label=_("Notes"), widget=_AREA)
    reason = PlainField(label=_("Reason"), widget=_AREA)


class ModificationForm(ActionForm):
    """Only what differs from the values that the page has shown is asked for."""

    action_type = ActionType.MODIFICATION
    number = PlainField(label=_("Number"), required=True, show_hidden_initial=True)
    supplier = PartyField("supplier", label=_("Supplier"), show_hidden_initial=True)
    bank = PartyField("bank", label=_("Bank"), show_hidden_initial=True)
    raw_supplier_name = PlainField(label=_("Supplier as written"), show_hidden_initial=True)
    raw_bank_name = PlainField(label=_("Bank as written"), show_hidden_initial=True)
    contract_number = PlainField(label=_("Contract or order"), show_hidden_initial=True)
    related_to = forms.ChoiceField(label=_("Related to"), required=False, show_hidden_initial=True)
    amount = AmountField(label=_("Amount"), required=False, show_hidden_initial=True)
    currency = PlainField(label=_("Currency"), max_length=10, show_hidden_initial=True)
    issue_date = DayField(label=_("Issue date"), required=False, show_hidden_initial=True)
    expiry_date = DayField(label=_("Expiry date"), required=False, show_hidden_initial=True)
    type = PlainField(label=_("Type"), show_hidden_initial=True)
    comment = PlainField(label=_("Comment"), show_hidden_initial=True, widget=_AREA)
    reason = PlainField(
        label=_("Reason"), required=True, widget=_AREA, help_text=_("Why the values are wrong.")
    )
    notes = PlainField(label=_("Notes"), widget=_AREA)

    def __init__(self, guarantee: Guarantee, data: Any = None) -> None:
        super().__init__(guarantee, data)
        related: Any = self.fields["related_to"]
        choices = {"": "–", "contract": _("contract"), "purchase_order": _("purchase order")}
        if guarantee.related_to not in choices:  # the old system's own word
            choices[guarantee.related_to] = guarantee.related_to
        related.choices = list(choices.items())

    def values_now(self) -> dict[str, Any]:
        row = self.guarantee
        values = {name: getattr(row, name) for name in MODIFIABLE}
        return values | {"supplier": row.supplier_id, "bank": row.bank_id}

    def changes(self) -> dict[str, Any]:
        given, changed = self.cleaned_data, self.changed_data
        return {name: given[name] for name in MODIFIABLE if name in changed}


FORMS: dict[str, type[ActionForm]] = {
    form.action_type: form
    for form in (ExtensionForm, ReleaseForm, ReductionForm, RenewalForm, ModificationForm)
}
