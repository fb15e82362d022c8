"""Contest sessions that a person sees: their own, or with the permission to view results all."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError
from migrations_tools.text import storable
from sessions_app.models import ContestSession, Session

VIEW_ALL: Final = "sessions_app.view_contestresult"


class ContestSessionNotFound(CarryoverError):
    """Not there, or another person's: nobody can tell which."""

    code = "not_found"
    http_status = 404


class PersonNotFound(ContestSessionNotFound):
    """No account of that name, or none whose results the person may see."""


def may_view_all(user: User) -> bool:
    return user.is_active and user.has_perm(VIEW_ALL)


def visible_contest_sessions(user: User) -> QuerySet[Session]:
    """Each with its result, by one query; sessions without a result are left out."""
    sessions = ContestSession.objects.filter(contest_result__isnull=False)
    if not may_view_all(user):
        sessions = sessions.filter(contest_result__user=user)
    return sessions.select_related("contest_result")


def find_contest_session(user: User, session_id: str) -> Session:
    """One with its result and attempts. Raises ContestSessionNotFound, for others' ones too."""
    found = None
    if storable(session_id):
        sessions = visible_contest_sessions(user).filter(session_id=session_id)
        found = sessions.prefetch_related("contest_result__attempts").first()
    if found is None:
        raise ContestSessionNotFound(_("There is no such contest session."), session=session_id)
    return found


def find_person(user: User, username: str) -> User:
    """Whose progress ``user`` may see, by name. Raises PersonNotFound, for hidden people too."""
    if username == user.get_username():
        return user
    person = None
    if may_view_all(user) and storable(username):
        person = User.objects.filter(username=username).first()
    if person is None:
        raise PersonNotFound(_("There is no such person."), username=username)
    return person
