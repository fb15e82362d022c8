"""Printable letters to banks about extensions and releases, in Arabic and English."""

from guarantees.letters.pages import LANGUAGES, render_letters
from guarantees.letters.pdf import render_pdf

__all__ = ["LANGUAGES", "render_letters", "render_pdf"]
