"""Words in lists and pages of the admin that look the same everywhere."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from migrations_tools.tones import tone_of


def badge(state: str, label: str) -> SafeString:
    """A state as the template tag of this name shows it."""
    return format_html('<span class="badge badge-{}">{}</span>', tone_of(state), label)
