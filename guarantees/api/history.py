"""How the history of a number looks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class HistoryEntrySerializer(serializers.Serializer[Any]):
    """One thing that happened; ``differences`` are field → [before, after].

    ``id`` is that of what ``kind`` names: the guarantee that came in, the action, the version, or
    the old row.
    """

    kind = serializers.ChoiceField(choices=["import", "action", "change", "legacy"])
    at = serializers.DateTimeField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field called as an attribute
    title = serializers.CharField()
    by = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    id = serializers.IntegerField()
    guarantee = serializers.IntegerField(allow_null=True)
    differences = serializers.DictField(child=serializers.ListField())
