"""Letters of actions, as HTML or PDF: by ``format``, else by what the caller accepts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from csp import constants as csp
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from guarantees.letters import (
    LANGUAGES,
    MOST_IN_PDF,
    part_of,
    render_letters,
    render_letters_as_pdf,
)
from guarantees.services.actions.finding import LARGEST_ID
from migrations_tools.api.schema import ERRORS, ErrorEnvelopeSerializer

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


class HTMLLetters(BaseRenderer):
    media_type = "text/html"
    format = "html"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return data


class PDFLetters(HTMLLetters):
    media_type = "application/pdf"
    format = "pdf"
    charset = None  # type: ignore[assignment]  # DRF: none for bytes
    render_style = "binary"


class LetterNegotiation(DefaultContentNegotiation):
    """A ``format`` that is asked for goes before what the caller says it accepts."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        asked = request.query_params.get("format")
        if asked is None:
            return super().select_renderer(request, renderers, format_suffix)
        for renderer in renderers:
            if renderer.format == asked:
                return renderer, renderer.media_type
        raise serializers.ValidationError(
            {"format": [_("A letter is html or pdf.")]}, code="invalid"
        )


class LetterQuerySerializer(serializers.Serializer[Any]):
    language = serializers.ChoiceField(choices=list(LANGUAGES), default="ar")
    format = serializers.ChoiceField(choices=["html", "pdf"], required=False)
    part = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        help_text=f"Letters in parts of {MOST_IN_PDF}: 1 is the first.",
    )


#: What the addresses of letters answer, for their descriptions.
LETTER_RESPONSES: Final = {
    (200, "text/html"): OpenApiResponse(OpenApiTypes.STR, description="A printable page each."),
    (200, "application/pdf"): OpenApiTypes.BINARY,
    (409, "application/json"): OpenApiResponse(ErrorEnvelopeSerializer, description=ERRORS["409"]),
}
#: How an address of a view is made one of letters.
LETTER_OPTIONS: Final[dict[str, Any]] = {
    "renderer_classes": (HTMLLetters, PDFLetters),
    "content_negotiation_class": LetterNegotiation,
}


class WritesLetters(APIView):
    """A view with addresses of letters; refusals are JSON, as everywhere."""

    def letters(self, request: Request, action_ids: Sequence[int]) -> Response:
        """One document with the letters of these actions, a page each."""
        asked = LetterQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        language, part = asked.validated_data["language"], asked.validated_data.get("part")
        if part is not None:
            action_ids = part_of(action_ids, part)
        if request.accepted_renderer.format == "pdf":
            name = "letter.pdf" if len(action_ids) == 1 else "letters.pdf"
            return Response(
                render_letters_as_pdf(action_ids, language=language),
                headers={"Content-Disposition": f'inline; filename="{name}"'},
            )
        html = render_letters(action_ids, language=language)
        answer = Response(html)
        # a letter has its style in it; exactly that one is allowed
        answer._csp_update = {"style-src": [csp.SELF, *_digests(html)]}  # type: ignore[attr-defined]
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(response, "exception", False):
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


def _digests(html: str) -> list[str]:
    found = (hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(html))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in found]
