"""Fields of requests: whatever is sent, what cannot be kept is refused by name (SPEC §7)."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from migrations_tools.text import storable

#: Characters of a reason, an explanation or another text of a person.
LONGEST_TEXT: Final = 2_000
#: Characters of a source key.
LONGEST_KEY: Final = 1_000
#: Keys that one request may name.
MOST_KEYS: Final = 1_000
#: Objects within objects of a JSON value.
DEEPEST: Final = 8


class TextField(serializers.CharField):
    """A text that a column can hold: no NUL, which DRF refuses, and no lone surrogate."""

    default_error_messages = {"not_storable": "It holds characters that cannot be stored."}

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
        "not_an_object": "Expected an object of texts, numbers and true or false, by name.",
        "too_many": "It has too many values.",
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
