"""Imports in the admin: the wizard (kind, upload, preview, confirm, result), and its results."""

from migrations_tools.admin.imports import registered

__all__ = ["registered"]
