"""Values that several resources take and tell."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from migrations_tools.text import storable
from sessions_app.selectors.lessons.items import name_of

DEEPEST: Final = 32  # levels of an object of JSON


class InstantField(serializers.DateTimeField):
    """An instant with its offset from UTC; a time without one is nobody's time."""

    default_error_messages = {"naive": gettext_lazy("This time has no offset from UTC.")}

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("naive")
        return super().enforce_timezone(value)


class JSONObjectField(serializers.DictField):
    """An object of JSON that a column can hold, not nested without end."""

    default_error_messages = {
        "deep": gettext_lazy("This is nested more than {deepest} levels deep."),
        "unusable": gettext_lazy("This holds a character that cannot be stored."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values: dict[str, Any] = super().to_internal_value(data)
        self._check(values, DEEPEST)
        return values

    def _check(self, value: Any, levels: int) -> None:
        if levels == 0:
            self.fail("deep", deepest=DEEPEST)
        if isinstance(value, dict):
            for name, inner in value.items():
                self._check(name, levels - 1)
                self._check(inner, levels - 1)
        elif isinstance(value, list):
            for inner in value:
                self._check(inner, levels - 1)
        elif isinstance(value, str) and not storable(value):
            self.fail("unusable")


class NamedReferenceSerializer(serializers.Serializer[Any]):
    """A person, or a thing, by id and name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class PersonSerializer(serializers.Serializer[User]):
    """An account, by id and name."""

    id = serializers.IntegerField()
    name = serializers.SerializerMethodField()

    def get_name(self, person: User) -> str:
        return name_of(person.first_name, person.last_name, person.username)
