"""Refusals of the session service. Codes in capitals are those of the old system (agents.md)."""

from __future__ import annotations

from migrations_tools.exceptions import CarryoverError, PermissionRefused


class AgentSessionError(CarryoverError):
    """Base of what the session service refuses."""


class Forbidden(PermissionRefused):
    """Another person's session, and the acting user is not staff."""

    code = "forbidden"


class InvalidValue(AgentSessionError):
    """A text too long, a payload that cannot be stored, …"""

    code = "INVALID_VALUE"
    http_status = 422


class SessionNotFound(AgentSessionError):
    code = "SESSION_NOT_FOUND"
    http_status = 404


class SessionExists(AgentSessionError):
    """The public id is taken, by a session of whatever kind."""

    code = "SESSION_EXISTS"


class SessionAlreadyEnded(AgentSessionError):
    """Completed, abandoned or timed out; a timed out one can be recovered."""

    code = "SESSION_ALREADY_ENDED"


class NothingToRecover(AgentSessionError):
    """The person has neither an active nor an inactive session."""

    code = "NOTHING_TO_RECOVER"


class ProjectNotFound(AgentSessionError):
    """No such project, or the sentinel, which nobody chooses."""

    code = "PROJECT_NOT_FOUND"
    http_status = 404


class ProjectInactive(AgentSessionError):
    """Completed or archived: takes no sessions."""

    code = "PROJECT_INACTIVE"


class ProjectAmbiguous(AgentSessionError):
    """Several projects fit a name; ``matches`` lists them as ``{"id", "name"}``."""

    code = "PROJECT_AMBIGUOUS"


class ConcurrentSwitch(AgentSessionError):
    """The session is being worked on elsewhere; nothing was changed."""

    code = "CONCURRENT_SWITCH_IN_PROGRESS"


class SwitchNotCompleted(AgentSessionError):
    """What was stored is not what was decided; the session has its previous project again."""

    code = "SWITCH_NOT_COMPLETED"
