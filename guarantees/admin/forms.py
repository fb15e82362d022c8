"""The forms of guarantees and drafts: they ask the services, so that the admin has no rule."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from guarantees.action_errors import ActionRefused, NothingChanged
from guarantees.admin.fields import AmountField, DayField
from guarantees.admin.party_field import PartyField
from guarantees.models import Guarantee, GuaranteeAction
from guarantees.services.actions import ActionRequest, edit_draft
from guarantees.services.actions.corrections import MODIFIABLE
from guarantees.services.correcting import correct_guarantee
from migrations_tools.states import Surface


class _AskingForm:
    """What the service refuses is an error of the form; the admin saves by `carry_out`."""

    acting_user: ClassVar[User]

    def _post_clean(self: Any) -> None:
        """Ask the service instead of the model, and keep nothing of it yet."""
        if self.errors:
            return
        try:
            with transaction.atomic():
                self.carry_out()
                transaction.set_rollback(True)
        except ActionRefused as refusal:
            field = refusal.fields.get("field")
            self.add_error(field if field in self.fields else None, refusal.message)

    def save(self: Any, commit: bool = True) -> Any:
        """Nothing yet."""
        return self.instance

    def save_m2m(self) -> None:
        """There are none."""


class _ShownForm:
    """Remembers what the page has shown, so that nobody overwrites what they have not seen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # type: ignore[attr-defined]  # a form's
            field.show_hidden_initial = True

    def shown(self: Any) -> dict[str, Any]:
        """What the page has shown, as it sent it back."""
        shown = {}
        for name, field in self.fields.items():
            sent = self.data.get(self.add_initial_prefix(name))
            if sent is None:
                continue
            try:
                shown[name] = field.to_python(sent)
            except forms.ValidationError:  # such as a supplier that is gone
                shown[name] = sent
        return shown


class DraftForm(_AskingForm, _ShownForm, forms.ModelForm[GuaranteeAction]):
    """What a draft asks for; what stands now and the parties are noted anew.

    A draft that somebody else has changed since the page was opened stays as it is.
    """

    new_expiry = DayField(label=_("New expiry"), required=False)
    new_amount = AmountField(label=_("New amount"), required=False)

    class Meta:
        model = GuaranteeAction
        fields = ["new_expiry", "new_amount", "notes", "reason"]

    def carry_out(self) -> None:
        draft, given = self.instance, self.cleaned_data
        request = ActionRequest(
            action_type=draft.action_type,
            number=draft.number,
            new_expiry=given.get("new_expiry"),
            new_amount=given.get("new_amount"),
            changes={name: new for name, (_, new) in draft.changes.items()},
            reason=given["reason"],
            notes=given["notes"],
        )
        edit_draft(
            draft.pk,
            request,
            seen=self.shown(),
            acting_user=self.acting_user,
            surface=Surface.ADMIN,
        )


class SupplierNameForm(forms.ModelForm[Any]):
    """Another name of a supplier."""

    supplier = PartyField("supplier", label=_("Supplier"), required=True)

    def parties(self) -> list[Any]:
        """Fields that the browser completes."""
        return [self.fields["supplier"]]


class BankNameForm(forms.ModelForm[Any]):
    """Another name of a bank."""

    bank = PartyField("bank", label=_("Bank"), required=True)

    def parties(self) -> list[Any]:
        """Fields that the browser completes."""
        return [self.fields["bank"]]


class GuaranteeForm(_AskingForm, _ShownForm, forms.ModelForm[Guarantee]):
    """Imported values that a person may correct.

    Only what differs from the values that the page has shown is corrected, so that nobody undoes
    what somebody else has corrected since the page was opened.
    """

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

    def carry_out(self) -> None:
        try:
            correct_guarantee(
                self.instance.pk,
                self._changed(),
                seen=self.shown(),
                acting_user=self.acting_user,
                surface=Surface.ADMIN,
            )
        except NothingChanged:
            return  # saved as it stands

    def _changed(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def parties(self) -> list[PartyField]:
        """Fields that the browser completes."""
        return [field for field in self.fields.values() if isinstance(field, PartyField)]
