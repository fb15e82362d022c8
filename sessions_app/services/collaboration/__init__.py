"""What people do with collaboration sessions, whichever system leads (collaboration.md "Living
with both systems", docs/collaboration-sessions.md).

Every operation asks the cutover ``collaboration`` which system reads and which are written, and
answers a `Collaboration`, or a refusal of `sessions_app.collaboration.errors`, the same in every
stage. Sessions are named by their public id, people by their e-mail address, whatever its case.
`legacy` and `new` are the two systems; `rules` of `sessions_app.collaboration` decide for both.
"""

from sessions_app.services.collaboration.acting import (
    accept_invitation,
    archive_session,
    change_role,
    create_session,
    delete_session,
    edit_session,
    invite,
    leave_session,
    remove_participant,
    restore_session,
    transfer_ownership,
)
from sessions_app.services.collaboration.reading import (
    Access,
    Which,
    active_users,
    check_access,
    leading_session,
    leading_side,
    list_sessions,
    session_details,
    session_files,
)

__all__ = [
    "Access",
    "Which",
    "accept_invitation",
    "active_users",
    "archive_session",
    "change_role",
    "check_access",
    "create_session",
    "delete_session",
    "edit_session",
    "invite",
    "leading_session",
    "leading_side",
    "leave_session",
    "list_sessions",
    "remove_participant",
    "restore_session",
    "session_details",
    "session_files",
    "transfer_ownership",
]
