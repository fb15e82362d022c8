"""Printable letters to banks about extensions and releases, in Arabic and English."""

from guarantees.letters.facts import has_letter, with_letters
from guarantees.letters.pages import (
    LANGUAGES,
    MOST_IN_PDF,
    MOST_LETTERS,
    Tool,
    letters_of_session,
    newest_letter,
    part_of,
    parts_of,
    render_letters,
    render_letters_as_pdf,
)

__all__ = [
    "LANGUAGES",
    "MOST_IN_PDF",
    "MOST_LETTERS",
    "Tool",
    "has_letter",
    "letters_of_session",
    "newest_letter",
    "part_of",
    "parts_of",
    "render_letters",
    "render_letters_as_pdf",
    "with_letters",
]
