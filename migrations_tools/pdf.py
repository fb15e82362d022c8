"""HTML documents as PDF, where WeasyPrint and the libraries it needs are installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError


class PDFUnavailable(CarryoverError):
    """The program that makes PDF is not installed; the document as HTML is there."""

    code = "pdf_unavailable"


def render_pdf(html: str) -> bytes:
    """PDF of a document that refers to nothing outside it. Raises PDFUnavailable."""
    try:
        weasyprint: Any = import_module("weasyprint")
    except (ImportError, OSError) as error:  # OSError: Pango is missing
        raise PDFUnavailable(
            _(
                "PDF needs WeasyPrint and Pango, which are not installed here. Take the "
                "document as HTML and print it from a browser."
            )
        ) from error
    written: bytes = weasyprint.HTML(string=html, url_fetcher=_fetch_nothing).write_pdf()
    return written


def _fetch_nothing(url: str) -> dict[str, Any]:
    """Nothing is ever loaded for a document."""
    raise ValueError(f"A document loads nothing: {url}")
