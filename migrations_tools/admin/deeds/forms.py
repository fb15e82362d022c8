"""What the buttons of a run ask before they do anything."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as lazy

from migrations_tools.admin.pages import NeededReasonForm, ReasonForm
from migrations_tools.services import runs


class StartForm(ReasonForm):
    workers = forms.IntegerField(
        label=lazy("Workers"), required=False, min_value=1, max_value=64, initial=1
    )
    accept_drift = forms.CharField(
        label=lazy("Accept drift because"),
        required=False,
        max_length=500,
        help_text=lazy("Only where code, options or data changed since the plan was made."),
    )


class ResumeForm(ReasonForm):
    accept_drift = forms.CharField(
        label=lazy("Accept drift because"),
        required=False,
        max_length=500,
        help_text=lazy("Only where code, options or schema changed since the run began."),
    )


class RetryForm(forms.Form):
    key = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)
    code = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)


class ForceForm(NeededReasonForm):
    """For taking back what people changed meanwhile."""

    sure = forms.BooleanField(
        label=lazy("Take back what people changed since, too"),
        help_text=lazy("What they entered is written to a file of the server first."),
    )
    key = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)


class TuneForm(forms.Form):
    """Live settings: workers read them with the next batch."""

    batch_size = forms.IntegerField(
        label=lazy("Rows of a batch"), required=False, min_value=1, max_value=runs.MOST_TUNED
    )
    target_seconds = forms.FloatField(
        label=lazy("Seconds of a batch"), required=False, min_value=0.01, max_value=600
    )
    workers = forms.IntegerField(label=lazy("Workers"), required=False, min_value=1, max_value=64)
