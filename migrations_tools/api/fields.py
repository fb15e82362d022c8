"""Fields of requests: whatever is sent, what cannot be kept is refused by name (SPEC §7)."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import BigIntegerField
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from migrations_tools.text import storable

#: The largest id of a row.
LARGEST_ID: Final = BigIntegerField.MAX_BIGINT
#: Characters of a reason, an explanation or another text of a person.
LONGEST_TEXT: Final = 2_000
#: Characters of a source key.
LONGEST_KEY: Final = 1_000
#: Keys that one request may name.
MOST_KEYS: Final = 1_000
#: Objects within objects of a JSON value.
DEEPEST: Final = 8


class IdField(serializers.IntegerField):
    """The id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID, **options})


def known_id(number: int) -> int:
    """The id that an address names. Raises NotFound where no row can have it."""
    if number > LARGEST_ID:
        raise NotFound()
    return number


class TextField(serializers.CharField):
    """A text that a column can hold: no NUL, which DRF refuses, and no lone surrogate."""

    default_error_messages = {
        "not_storable": gettext_lazy("It holds characters that cannot be stored.")
    }

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{"max_length": LONGEST_TEXT, **arguments})

    def to_internal_value(self, data: Any) -> str:
        text = str(super().to_internal_value(data))
        if not storable(text):
            self.fail("not_storable")
        return text


class ReasonField(TextField):
    """Why somebody acts; it stays in the history. May be left out."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{"required": False, "default": "", "allow_blank": True, **arguments})


class ReasonSerializer(serializers.Serializer[Any]):
    """Why, if anybody is to know."""

    reason = ReasonField()


class KeysField(serializers.ListField):
    """Source keys."""

    def __init__(self, **arguments: Any) -> None:
        child = TextField(max_length=LONGEST_KEY, trim_whitespace=False)
        super().__init__(**{"child": child, "max_length": MOST_KEYS, **arguments})


@extend_schema_field(OpenApiTypes.OBJECT)
class ValuesField(serializers.Field[dict[str, Any], Any, Any, Any]):
    """A JSON object of plain values by name, as options and choices are."""

    default_error_messages = {
        "not_an_object": gettext_lazy(
            "Expected an object of texts, numbers and true or false, by name."
        ),
        "too_many": gettext_lazy("It has too many values."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        if len(data) > MOST_KEYS:
            self.fail("too_many")
        for name, value in data.items():
            plain = value is None or isinstance(value, (str, int, float, bool))
            if not plain or not all(storable(str(text)) for text in (name, value)):
                self.fail("not_an_object")
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value


def asked(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The parameters of the address; an empty one counts as not given. 422 for unusable ones."""
    query = kind(data={name: value for name, value in request.query_params.items() if value != ""})
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def given(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The values of the body. 422 for unusable ones."""
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
