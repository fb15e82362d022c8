"""People with and without permissions."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User


def person(name: str, *permissions: str) -> User:
    """An account with these permissions of the engine (``run``, ``approve`` …)."""
    user = User.objects.create_user(name)
    user.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="migrations_tools", codename__in=permissions
        )
    )
    return User.objects.get(pk=user.pk)
