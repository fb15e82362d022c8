"""``/api/v1/data-migrations/{name}/compare/``: one record in both systems (SPEC §5)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import caller
from migrations_tools.api.fields import LONGEST_KEY, TextField, asked
from migrations_tools.comparisons import comparison_of, may_see, newest_outcome
from migrations_tools.definitions.registry import get_definition

#: Staged rows of one record that are told.
_ROWS: Final = 20
_PLAIN: Final = (str, int, float, bool, dict, list, datetime, date, Decimal)


class WhichSerializer(serializers.Serializer[Any]):
    """A source key of a step."""

    key = TextField(max_length=LONGEST_KEY, trim_whitespace=False)
    step = serializers.IntegerField(min_value=0, max_value=32_767, default=0)


class ComparedObjectSerializer(serializers.Serializer[Any]):
    """A row, and what it is called."""

    model = serializers.CharField(source="_meta.label_lower")
    id = serializers.CharField(source="pk")
    name = serializers.CharField(source="__str__")


class ComparedFieldSerializer(serializers.Serializer[Any]):
    """What the old system says, as it is understood, and what stands here."""

    name = serializers.CharField()
    legacy = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)
    differs = serializers.BooleanField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """A record in both systems; ``outcome`` is what the last run made of it."""

    title = serializers.CharField()
    legacy = ComparedObjectSerializer(many=True)
    new = ComparedObjectSerializer(many=True)
    fields_ = ComparedFieldSerializer(many=True)
    differing = serializers.IntegerField(help_text="Fields that differ.")
    outcome = serializers.CharField(allow_null=True)
    run = serializers.UUIDField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """``fields`` is DRF's own name."""
        found = super().get_fields()
        return {name.rstrip("_"): field for name, field in found.items()}


class ComparisonView(APIView):
    """One record in both systems, for those who may see all of it."""

    @extend_schema(
        operation_id="data_migrations_compare",
        parameters=[WhichSerializer],
        responses=ComparisonSerializer,
    )
    def get(self, request: Request, name: str) -> Response:
        which = asked(WhichSerializer, request)
        step, key = which["step"], which["key"]
        found = comparison_of(get_definition(name).name, step, key)
        if found is None or not may_see(caller(request), found):
            raise NotFound(_("There is no such record, or it cannot be compared."))
        last = newest_outcome(name, step, key)
        told = {
            "title": str(found.title),
            "legacy": list(found.legacy[:_ROWS]),
            "new": list(found.new),
            "fields": [
                {
                    "name": str(field.name),
                    "legacy": _plain(field.legacy),
                    "new": _plain(field.new),
                    "differs": bool(found.new) and field.differs,
                }
                for field in found.fields
            ],
            "differing": found.differing,
            "outcome": None if last is None else last.outcome,
            "run": None if last is None else last.run_id,
        }
        return Response(ComparisonSerializer(told).data)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, _PLAIN) else str(value)
