"""What may be refused with collaboration sessions, the same whichever system answers."""

from __future__ import annotations

from migrations_tools.exceptions import CarryoverError


class CollaborationError(CarryoverError):
    """Base of the refusals; 409 unless a branch says otherwise."""

    code = "conflict"


class NotAuthenticated(CollaborationError):
    """Nobody in particular asks, or an account that is not active."""

    code = "not_authenticated"
    http_status = 401


class Forbidden(CollaborationError):
    """A stranger to the session, or somebody whose role does not allow it."""

    code = "permission_denied"
    http_status = 403


class NotFound(CollaborationError):
    """There is no such session, or it is deleted."""

    code = "not_found"
    http_status = 404


class ParticipantNotFound(CollaborationError):
    """Nobody of that address is in the session."""

    code = "participant_not_found"
    http_status = 404


class InvalidValue(CollaborationError):
    """Base of values that cannot be used."""

    code = "invalid_value"
    http_status = 400


class InvalidEmail(InvalidValue):
    code = "invalid_email"


class InvalidSessionId(InvalidValue):
    """Not what collaboration.md R1 calls an id."""

    code = "invalid_session_id"


class InvalidTitle(InvalidValue):
    """Blank, too long, or with characters that no text may hold."""

    code = "invalid_title"


class InvalidRole(InvalidValue):
    """No role, or the owner's: ownership is transferred."""

    code = "invalid_role"


class SelfInvitation(InvalidValue):
    code = "self_invitation"


class DomainNotAllowed(InvalidValue):
    """The settings allow addresses of certain domains only."""

    code = "domain_not_allowed"


class AlreadyParticipant(CollaborationError):
    """The person is in the session, or invited to it."""

    code = "already_participant"


class CapacityReached(CollaborationError):
    """As many people as the settings allow are in the session or invited."""

    code = "capacity_reached"


class SessionExists(CollaborationError):
    """The public id is taken, perhaps by a session of another kind, or a deleted one."""

    code = "session_exists"


class SessionArchived(CollaborationError):
    """It is put away: restore it first."""

    code = "session_archived"


class OwnerStays(CollaborationError):
    """The owner neither leaves nor is removed nor demoted: transfer the ownership first."""

    code = "owner_stays"


class StatusRefused(CollaborationError):
    """The tables of statuses have no such change."""

    code = "transition_refused"
