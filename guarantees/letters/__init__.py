"""Printable letters to banks about extensions and releases, in Arabic and English."""

from guarantees.letters.pages import LANGUAGES, render_letters

__all__ = ["LANGUAGES", "render_letters"]
