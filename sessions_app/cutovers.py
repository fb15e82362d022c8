"""What of the sessions is cut over from an old system while both run (docs/cutover.md)."""

from __future__ import annotations

from typing import Final

from migrations_tools.cutover.keys import CutoverKey, register_cutover
from migrations_tools.cutover.switch import Switch
from sessions_app.selectors.collaboration import sessions_only_here

COLLABORATION: Final = Switch(
    register_cutover(
        CutoverKey(
            name="collaboration",
            title="Collaboration sessions",
            definition="normalize_collaboration_sessions",
            environment="USE_NEW_SESSION_SYSTEM",
            only_in_new=sessions_only_here,
        )
    )
)
