"""Who asks, as services want to know it, and what they may see."""

from __future__ import annotations

from typing import Any, Final, cast

from django.contrib.auth.models import User
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from migrations_tools.states import Surface

SURFACE = Surface.API

#: Rights to do something with runs; whoever has one sees the runs.
_ACTING: Final = ("run", "approve", "review", "rollback", "waive", "cutover", "purge")

#: What is read → permissions of the engine, one of which is enough.
READING: Final[dict[str, tuple[str, ...]]] = {
    "runs": ("view_run", *_ACTING),
    "ledger": ("view_ledgerentry", "run", "review", "rollback", "waive"),
    "changes": ("view_rowchange", "run", "rollback"),
    "reviews": ("view_reviewitem", "review"),
    "mismatches": ("view_mismatch", "cutover"),
    "cutovers": ("view_cutover", "cutover"),
    "imports": ("view_legacyimport", "import"),
    "rejected": ("view_rejectedline", "import"),
    "health": ("view_run", *_ACTING),
}


def caller(request: Request) -> User:
    """The person who is logged in; views without one are never reached."""
    return cast(User, request.user)


def who(request: Request) -> dict[str, Any]:
    """Who acts, and where, as services take it."""
    return {"acting_user": caller(request), "surface": SURFACE}


def may_read(user: User, what: str) -> bool:
    """Whether ``user`` may see ``what``, a name of `READING`."""
    return any(user.has_perm(f"migrations_tools.{name}") for name in READING[what])


def refuse_reader(request: Request, what: str, *, hidden: bool = False) -> None:
    """Refuse who may not see ``what``: a list with 403, an object that is ``hidden`` with 404."""
    if may_read(caller(request), what):
        return
    if hidden:
        raise NotFound()
    raise PermissionDenied()
