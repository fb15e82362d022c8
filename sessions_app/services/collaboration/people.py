"""Who asks, what they wrote, and how the history tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import gettext as _

from migrations_tools.text import storable
from sessions_app.collaboration.errors import InvalidValue, NotAuthenticated, NotFound
from sessions_app.reading.collaboration import email_of, session_id_of

#: Tells the present instant, aware; tests set it.
Clock = Callable[[], datetime]

#: Whoever a surface takes the asking person for.
Person = User | AnonymousUser


@dataclass(frozen=True, slots=True)
class Signature:
    """Who changes a session, when, and why, as history rows say it.

    ``for_owner``: an operator acts as the session's owner may; ``email`` is not the address of
    ``user`` then.
    """

    user: User
    email: str
    at: datetime
    reason: str
    for_owner: bool = False


def known_person(user: Person) -> tuple[User, str]:
    """The account and its address in lower case, "" where it has none: it is in no session.

    Raises NotAuthenticated.
    """
    if isinstance(user, AnonymousUser) or not user.is_active:
        raise NotAuthenticated(_("Log in first."))
    return user, email_of(user.email) or ""


def public_id(session_id: str) -> str:
    """The id as both systems keep it (R1). Raises NotFound for what no session can be called."""
    if not isinstance(session_id, str) or not storable(session_id):
        raise NotFound(_("There is no such session."))
    return session_id_of(session_id) or session_id


def require_storable(**texts: str) -> None:
    """Raises InvalidValue naming the first that holds NUL or a lone surrogate."""
    for name, text in texts.items():
        if not storable(text):
            raise InvalidValue(
                _("The %(name)s holds a sign that no text may hold.") % {"name": name}, field=name
            )
