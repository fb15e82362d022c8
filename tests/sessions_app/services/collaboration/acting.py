"""Who acts on collaboration sessions, at what time, in which stage of the cutover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User

from migrations_tools.cutover import believed
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Cutover
from migrations_tools.states import Surface
from sessions_app.collaboration.state import Collaboration
from sessions_app.services import collaboration
from sessions_app.services.collaboration import legacy, new

NOON: Final = datetime(2025, 6, 1, 12, tzinfo=UTC)
SID: Final = "s-1"


def at_stage(stage: str, **values: Any) -> None:
    """The stage as if it had been reached."""
    Cutover.objects.update_or_create(key="collaboration", defaults={"stage": stage, **values})
    believed.forget("collaboration")


def user(name: str) -> User:
    """The account of that name or address; its address has capitals, as people write them."""
    found, _ = User.objects.get_or_create(
        username=name[:150], defaults={"email": email(name).upper()}
    )
    return found


def email(name: str) -> str:
    return name if "@" in name else f"{name}@example.com"


def by(name: str) -> dict[str, Any]:
    return {"acting_user": user(name), "surface": Surface.API}


def at(minutes: float) -> Callable[[], datetime]:
    """A clock that stands so many minutes after noon."""
    return lambda: NOON + timedelta(minutes=minutes)


#: How a step of a script is done: by whom, on which session, with which arguments.
_ACTIONS: Final[Mapping[str, Callable[..., Collaboration]]] = {
    "invite": collaboration.invite,
    "accept": collaboration.accept_invitation,
    "leave": collaboration.leave_session,
    "remove": collaboration.remove_participant,
    "role": collaboration.change_role,
    "transfer": collaboration.transfer_ownership,
    "archive": collaboration.archive_session,
    "restore": collaboration.restore_session,
    "delete": collaboration.delete_session,
}


def act(minute: float, actor: str, action: str, *arguments: str, sid: str = SID) -> Any:
    """What the action answers, as JSON tells it, or the code it is refused with."""
    given: dict[str, Any] = {**by(actor), "now": at(minute)}
    if arguments:
        given["email"] = email(arguments[0])
    if arguments[1:] and action != "edit":
        given["role"] = arguments[1]
    try:
        if action == "create":
            del given["email"]
            answer = collaboration.create_session(title=arguments[0], session_id=sid, **given)
        elif action == "edit":
            del given["email"]
            words: Any = {"title": arguments[0], "description": " ".join(arguments[1:]) or None}
            answer = collaboration.edit_session(sid, **words, **given)
        else:
            answer = _ACTIONS[action](sid, **given)
    except CarryoverError as refusal:
        return refusal.code
    return answer.as_dict()


def read(actor: str, sid: str = SID) -> dict[str, Any]:
    """What the person is answered by every way of reading."""

    def answered(call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments, acting_user=user(actor))
        except CarryoverError as refusal:
            return refusal.code

    return {
        "list": answered(collaboration.list_sessions),
        "details": answered(collaboration.session_details, sid),
        "active": answered(collaboration.active_users, sid),
        "access": answered(collaboration.check_access, sid),
    }


def both(sid: str = SID) -> tuple[Collaboration | None, Collaboration | None]:
    """The session as the old system has it, and the new one."""
    return legacy.find(sid), new.find(sid)
