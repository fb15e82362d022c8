"""Kinds of answers that are no JSON: clients accept their type, errors are JSON all the same."""

from __future__ import annotations

from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class _OtherRenderer(BaseRenderer):
    """Renders errors only: the views answer with responses of their own."""

    charset = "utf-8"

    def render(self, data: Any, *arguments: Any, **more: Any) -> bytes:
        return JSONRenderer().render(data)


class CSVRenderer(_OtherRenderer):
    media_type = "text/csv"
    format = "csv"


class TextRenderer(_OtherRenderer):
    media_type = "text/plain"
    format = "txt"


class ZipRenderer(_OtherRenderer):
    media_type = "application/zip"
    format = "zip"


class GzipRenderer(_OtherRenderer):
    media_type = "application/gzip"
    format = "gz"


class EventStreamRenderer(_OtherRenderer):
    media_type = "text/event-stream"
    format = "events"


class JSONErrors(APIView):
    """A view with such answers: what is answered by `Response` is JSON."""

    def finalize_response(
        self, request: Request, response: Any, *arguments: Any, **more: Any
    ) -> Any:
        if isinstance(response, Response):
            response.content_type = "application/json"
        return super().finalize_response(request, response, *arguments, **more)
