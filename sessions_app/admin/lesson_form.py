"""The form of a lesson: it asks the services, so that the admin has no rule of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget

from migrations_tools.admin.asking import AskingForm
from sessions_app.models import Lesson
from sessions_app.services.lessons import LessonValues, create_lesson, update_lesson

_REFERENCES = ("semester", "cohort", "instructor")


class LessonForm(AskingForm):
    """Title and description are those of the lesson's session."""

    title = forms.CharField(max_length=255, widget=AdminTextInputWidget)
    description = forms.CharField(required=False, widget=AdminTextareaWidget(attrs={"rows": 4}))

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
        widgets = {"location": AdminTextInputWidget, "meeting_link": AdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["title"] = self.instance.session.title
            self.initial["description"] = self.instance.session.description

    def values_of(self, row: Lesson) -> dict[str, Any]:
        words = {"title": row.session.title, "description": row.session.description}
        return super().values_of(row) | words

    @property
    def deed(self) -> str:
        return "schedule a lesson" if self.instance._state.adding else super().deed

    def carry_out(self) -> Lesson:
        values: LessonValues = {  # type: ignore[assignment]  # the fields of the form
            name: value.pk if name in _REFERENCES and value is not None else value
            for name, value in self.changed_values().items()
        }
        if self.instance._state.adding:
            if values["instructor"] is None:
                del values["instructor"]  # the semester's master
            return create_lesson(values, **self.by)
        session_id = self.instance.session.session_id
        return update_lesson(session_id, values, expected=self.expect_unchanged, **self.by)
