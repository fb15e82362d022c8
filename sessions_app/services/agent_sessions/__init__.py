"""What people and agents do with agent sessions (agents.md "The session service around it").

Actions take who acts and on which surface; what they may not do is refused by an error of
`errors`. All of them read the clock they are given, and write history with the change.
"""

from migrations_tools.signing import Clock
from sessions_app.services.agent_sessions.changes import find_session
from sessions_app.services.agent_sessions.errors import (
    AgentSessionError,
    ConcurrentSwitch,
    Forbidden,
    InvalidValue,
    NothingToRecover,
    ProjectAmbiguous,
    ProjectInactive,
    ProjectNotFound,
    SessionAlreadyEnded,
    SessionExists,
    SessionNotFound,
    SwitchNotCompleted,
)
from sessions_app.services.agent_sessions.events import record_event
from sessions_app.services.agent_sessions.lifecycle import (
    IDLE_AFTER,
    end_session,
    recover_session,
    start_session,
    time_out_sessions,
)
from sessions_app.services.agent_sessions.permissions import may_work_on, require_work_on
from sessions_app.services.agent_sessions.projects import (
    ProjectReference,
    ProjectSource,
    choose_project,
    find_project,
    find_project_by_name,
    resolve_project,
)
from sessions_app.services.agent_sessions.switching import assign_by_name, switch_project

__all__ = [
    "IDLE_AFTER",
    "AgentSessionError",
    "Clock",
    "ConcurrentSwitch",
    "Forbidden",
    "InvalidValue",
    "NothingToRecover",
    "ProjectAmbiguous",
    "ProjectInactive",
    "ProjectNotFound",
    "ProjectReference",
    "ProjectSource",
    "SessionAlreadyEnded",
    "SessionExists",
    "SessionNotFound",
    "SwitchNotCompleted",
    "assign_by_name",
    "choose_project",
    "end_session",
    "find_project",
    "find_project_by_name",
    "find_session",
    "may_work_on",
    "record_event",
    "recover_session",
    "require_work_on",
    "resolve_project",
    "start_session",
    "switch_project",
    "time_out_sessions",
]
