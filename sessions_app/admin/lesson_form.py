"""The form of a lesson: it asks the services, so that the admin has no rule of its own."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.services.actors import record_refusal
from migrations_tools.states import Surface
from sessions_app.lesson_errors import Forbidden, InvalidFields, LessonError
from sessions_app.models import Lesson
from sessions_app.services.lessons import LessonValues, create_lesson, update_lesson

_REFERENCES = ("semester", "cohort", "instructor")


class LessonForm(forms.ModelForm[Lesson]):
    """Title and description are those of the lesson's session."""

    acting_user: ClassVar[User]

    title = forms.CharField(max_length=255)
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))

    class Meta:
        model = Lesson
        fields = [
            "title",
            "description",
            "semester",
            "cohort",
            "instructor",
            "starts_at",
            "ends_at",
            "delivery",
            "location",
            "meeting_link",
            "capacity",
            "credit_cost",
            "target_specialization",
            "open_to_all",
            "sport_type",
            "level",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts_at", "ends_at"):
            # two inputs stand under one label
            if name in self.fields and isinstance(self.fields[name].widget, forms.MultiWidget):
                parts = self.fields[name].widget.widgets
                for part, told in zip(parts, (_("date"), _("time")), strict=True):
                    part.attrs["aria-label"] = f"{self.fields[name].label}: {told}"
        if self.instance.pk is not None:
            self.initial["title"] = self.instance.session.title
            self.initial["description"] = self.instance.session.description

    def _post_clean(self) -> None:
        """Ask the services instead of the model, and keep nothing of it yet."""
        if self.errors:
            return
        try:
            with transaction.atomic():
                self._act()
                transaction.set_rollback(True)
        except Forbidden as refusal:
            # what the service put on record was undone with all the rest
            record_refusal(
                self.acting_user,
                surface=Surface.ADMIN,
                deed="schedule a lesson" if self.instance.pk is None else "change a lesson",
                code=refusal.code,
            )
            self.add_error(None, refusal.message)
        except InvalidFields as refusal:
            for fault in refusal.faults:
                self.add_error(fault.field if fault.field in self.fields else None, fault.message)
        except LessonError as refusal:
            self.add_error(None, refusal.message)

    def save(self, commit: bool = True) -> Lesson:
        """Nothing yet: the admin saves the object by `carry_out`."""
        return self.instance

    def save_m2m(self) -> None:
        """A lesson has none."""

    def carry_out(self) -> None:
        """Raises LessonError for what has become impossible since the form was checked."""
        made = self._act()
        self.instance.pk, self.instance.session = made.pk, made.session

    def _act(self) -> Lesson:
        sent: dict[str, Any] = {
            name: value.pk if name in _REFERENCES and value is not None else value
            for name, value in self.cleaned_data.items()
        }
        values: LessonValues = sent  # type: ignore[assignment]  # the fields of the form
        by: dict[str, Any] = {"acting_user": self.acting_user, "surface": Surface.ADMIN}
        if self.instance.pk is None:
            if sent["instructor"] is None:
                del sent["instructor"]  # the semester's master
            return create_lesson(values, **by)
        return update_lesson(self.instance.session.session_id, values, **by)
