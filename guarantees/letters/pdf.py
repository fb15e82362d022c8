"""The same letters as PDF, where WeasyPrint and the libraries it needs are installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from guarantees.action_errors import PDFUnavailable


def render_pdf(html: str) -> bytes:
    """PDF of a document of `render_letters`. Raises PDFUnavailable."""
    try:
        weasyprint: Any = import_module("weasyprint")
    except (ImportError, OSError) as error:  # OSError: Pango is missing
        raise PDFUnavailable(
            "Letters as PDF need WeasyPrint and Pango, which are not installed here. Take the "
            "letter as HTML and print it from a browser."
        ) from error
    written: bytes = weasyprint.HTML(string=html, url_fetcher=_fetch_nothing).write_pdf()
    return written


def _fetch_nothing(url: str) -> dict[str, Any]:
    """A letter refers to nothing, so nothing is ever loaded for it."""
    raise ValueError(f"A letter loads nothing: {url}")
