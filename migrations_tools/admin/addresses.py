"""Addresses of admin pages by name, for links between parts that may not be installed."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse


def admin_address(name: str, *arguments: object, **query: object) -> str:
    """The address of the admin page ``name``; empty where no such page is registered."""
    try:
        address = reverse(f"admin:{name}", args=arguments)
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode(query)}" if query else address
