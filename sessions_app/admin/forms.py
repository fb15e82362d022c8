"""The forms of sessions and what stands around them: they ask the services and have no rule."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.asking import AskingForm
from sessions_app.admin.fields import PersonField, ProjectField
from sessions_app.models import (
    AgentSession,
    Cohort,
    CollaborationSession,
    ContestSession,
    InstructorQualification,
    Problem,
    Profile,
    Project,
    Semester,
    Session,
)
from sessions_app.selectors.lessons.staff import teachers
from sessions_app.services import collaboration, registers
from sessions_app.services.projects import create_project, update_project
from sessions_app.services.semesters import (
    FIELDS as SEMESTER_FIELDS,
)
from sessions_app.services.semesters import (
    create_cohort,
    create_semester,
    rename_cohort,
    update_semester,
)
from sessions_app.services.words import change_words


class WordsForm(AskingForm):
    """Title and description of a session."""

    class Meta:
        model = Session
        fields = ["title", "description"]
        widgets = {"description": AdminTextareaWidget(attrs={"rows": 4})}

    def carry_out(self) -> Session:
        session: Session = self.instance
        return change_words(
            session, self.changed_values(), expected=self.expect_unchanged, **self.by
        )


class AgentWordsForm(WordsForm):
    class Meta(WordsForm.Meta):
        model = AgentSession


class ContestWordsForm(WordsForm):
    class Meta(WordsForm.Meta):
        model = ContestSession


class CollaborationWordsForm(WordsForm):
    """In the owner's name, in every system that is written."""

    class Meta(WordsForm.Meta):
        model = CollaborationSession

    def values_of(self, row: Any) -> dict[str, Any]:
        """Of a stored session, and of one as the leading system has it."""
        return {"title": row.title, "description": row.description}

    def carry_out(self) -> Session:
        session: Session = self.instance
        collaboration.edit_session(
            session.session_id,
            **self.changed_values(),
            for_owner=True,
            expected=self.expect_unchanged,
            **self.by,
        )
        return session


class ProjectForm(AskingForm):
    class Meta:
        model = Project
        fields = ["name", "status", "is_primary", "description"]

    def carry_out(self) -> Project:
        if self.instance._state.adding:
            return create_project(self.changed_values(), **self.by)
        return update_project(
            self.instance.pk, self.changed_values(), expected=self.expect_unchanged, **self.by
        )


class SemesterForm(AskingForm):
    assistants = forms.ModelMultipleChoiceField(
        label=_("Assistants"),
        queryset=teachers(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("They see the semester and its lessons."),
    )

    class Meta:
        model = Semester
        fields = SEMESTER_FIELDS
        widgets = {"address": AdminTextareaWidget(attrs={"rows": 3})}

    def carry_out(self) -> Semester:
        values = {name: _named(value) for name, value in self.changed_values().items()}
        if self.instance._state.adding:
            return create_semester(values, **self.by)
        return update_semester(self.instance.pk, values, expected=self.expect_unchanged, **self.by)


def _named(value: Any) -> Any:
    """People by their ids."""
    if isinstance(value, User):
        return value.pk
    is_people = getattr(value, "model", None) is User
    return [person.pk for person in value] if is_people else value


class CohortForm(AskingForm):
    """A cohort stays in its semester: lessons of that semester are given to it."""

    class Meta:
        model = Cohort
        fields = ["semester", "name"]

    def carry_out(self) -> Cohort:
        given = self.cleaned_data
        if self.instance._state.adding:
            return create_cohort(given["semester"].pk, given["name"], **self.by)
        name = self.changed_values().get("name", self.instance.name)
        return rename_cohort(self.instance, name, expected=self.expect_unchanged, **self.by)


class RegisterForm(AskingForm):
    """Rows of `sessions_app.services.registers`."""

    def carry_out(self) -> Any:
        model, values = self._meta.model, self.changed_values()
        if self.instance._state.adding:
            return registers.add_row(model, values, **self.by)
        return registers.change_row(
            model, self.instance.pk, values, expected=self.expect_unchanged, **self.by
        )


class QualificationForm(RegisterForm):
    class Meta:
        model = InstructorQualification
        fields = ["instructor", "specialization", "is_active", "granted_at"]


class ProfileForm(RegisterForm):
    user = PersonField(label=_("Person"), required=True, suggests=True)
    current_project = ProjectField(label=_("Current project"))

    class Meta:
        model = Profile
        fields = ["user", "role", "specialization", "current_project"]


class ProblemForm(RegisterForm):
    class Meta:
        model = Problem
        fields = [
            "contest_id",
            "year",
            "contest",
            "number",
            "correct_answer",
            "difficulty",
            "topics",
        ]
        widgets = {"correct_answer": AdminTextInputWidget}
