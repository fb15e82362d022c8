"""What people do to guarantees: extension, release, reduction, renewal, modification.

Actions take who acts and on which surface; what cannot be is refused by an error of
`guarantees.action_errors`. An action is a draft until it is issued; issuing is one-way and changes
what the guarantee currently is, with history, in one transaction.
"""

from guarantees.services.actions.drafting import discard_draft, draft_action, edit_draft
from guarantees.services.actions.issuing import issue_action, issue_draft
from guarantees.services.actions.many import BulkRequest, issue_many, preview_many
from guarantees.services.actions.previewing import ActionPreview, preview_action, preview_draft
from guarantees.services.actions.sessions import lock_action_session
from guarantees.services.actions.terms import ActionRequest, one_year_later

__all__ = [
    "ActionPreview",
    "ActionRequest",
    "BulkRequest",
    "discard_draft",
    "draft_action",
    "edit_draft",
    "issue_action",
    "issue_draft",
    "issue_many",
    "lock_action_session",
    "one_year_later",
    "preview_action",
    "preview_draft",
    "preview_many",
]
