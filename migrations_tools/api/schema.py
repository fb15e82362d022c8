"""The OpenAPI description: every operation also tells the errors that it may answer with."""

from __future__ import annotations

from typing import Any, Final, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class ErrorSerializer(serializers.Serializer[Any]):
    """What went wrong: a stable code, a sentence, the id to ask for, and what the refusal names."""

    code = serializers.CharField()
    message = serializers.CharField()
    request_id = serializers.CharField()
    details = serializers.DictField(required=False)


class ErrorEnvelopeSerializer(serializers.Serializer[Any]):
    error = ErrorSerializer()


#: Status to what it means here; which of them an operation may answer, see `_errors_of`.
ERRORS: Final = {
    "400": "The request cannot be read.",
    "401": "Nobody is logged in, or the token has expired.",
    "403": "The caller may not do this.",
    "404": "There is nothing at this address, or nothing that the caller may see.",
    "406": "There is no answer of a kind that the caller accepts.",
    "409": "It does not fit what is there; the code says why.",
    "411": "The body comes without its length.",
    "412": "It has changed since it was read: read it again.",
    "413": "The request is too large.",
    "415": "The kind of content is none that is read here.",
    "422": "Values cannot be used; `details.fields` lists them.",
    "429": "Too many requests; `Retry-After` says when to try again.",
}

_ALWAYS: Final = ("401", "403", "404", "406", "429")
_READING: Final = ("422",)
_WRITING: Final = ("400", "409", "411", "412", "413", "415", "422")


class EnvelopeSchema(AutoSchema):
    """drf-spectacular's description, with the errors of `migrations_tools.api.errors`."""

    def get_tags(self) -> list[str]:
        """The resource: the first word behind the version."""
        words = [word for word in self.path.removeprefix("/api/v1/").split("/") if word]
        return words[:1]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status in _errors_of(self.method):
            if status not in bodies:
                bodies[status] = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    OpenApiResponse(ErrorEnvelopeSerializer, description=ERRORS[status]),
                    status,
                    ["application/json"],
                )
        return bodies


def _errors_of(method: str) -> tuple[str, ...]:
    return _ALWAYS + (_READING if method == "GET" else _WRITING)
